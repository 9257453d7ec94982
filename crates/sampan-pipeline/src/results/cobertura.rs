//! Cobertura: coverage in XML.

use super::xml::{Document, Found};
use super::{Coverage, FileCoverage, Format, ResultsError, check_count};

pub(super) fn read(text: &str) -> Result<Coverage, ResultsError> {
    let mut document = Document::new(text, Format::Cobertura);
    let mut coverage = Coverage::default();
    let mut depth = 0_usize;
    let mut count = 0_usize;
    // The class at hand with the depth at which it began.
    let mut class: Option<(usize, String, FileCoverage)> = None;
    while let Some(found) = document.next()? {
        match found {
            Found::Open(element) => {
                if depth == 0 && element.name != "coverage" {
                    return Err(document.wrong_root(&element));
                }
                depth += 1;
                match (&*element.name, &mut class) {
                    ("class", None) => {
                        class = Some((depth, element.text("filename"), FileCoverage::default()));
                    }
                    ("line", Some((_, _, file))) => {
                        count += 1;
                        check_count(Format::Cobertura, count)?;
                        if let Some(number) = element.number("number") {
                            // A line stands in its method and in its class.
                            let times = element.number::<u64>("hits").unwrap_or(0);
                            let known = file.lines.entry(number).or_default();
                            *known = times.max(*known);
                        }
                    }
                    _ => {}
                }
            }
            Found::Close => {
                if let Some((_, name, file)) = class.take_if(|(begin, ..)| *begin == depth) {
                    let known = coverage.files.entry(name).or_default();
                    for (line, times) in file.lines {
                        known.hit(line, times);
                    }
                }
                depth = depth.saturating_sub(1);
            }
            Found::Text(_) => {}
        }
    }
    Ok(coverage)
}
