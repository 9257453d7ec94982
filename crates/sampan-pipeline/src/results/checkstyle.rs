//! Checkstyle: findings in XML, by file.

use super::xml::{Document, Found};
use super::{Finding, Format, Level, ResultsError, check_count, message};

pub(super) fn read(text: &str) -> Result<Vec<Finding>, ResultsError> {
    let mut document = Document::new(text, Format::Checkstyle);
    let mut findings = Vec::new();
    let mut depth = 0_usize;
    let mut file = None;
    while let Some(found) = document.next()? {
        match found {
            Found::Open(element) => {
                if depth == 0 && element.name != "checkstyle" {
                    return Err(document.wrong_root(&element));
                }
                depth += 1;
                match &*element.name {
                    "file" => file = element.get("name").map(str::to_owned),
                    "error" => {
                        findings.push(Finding {
                            tool: "checkstyle".to_owned(),
                            rule: element.text("source"),
                            level: match element.get("severity") {
                                Some("error") => Level::Error,
                                Some("info" | "ignore") => Level::Info,
                                _ => Level::Warning,
                            },
                            message: message(&element.text("message")),
                            file: file.clone(),
                            line: element.number("line"),
                            column: element.number("column"),
                            end_line: None,
                            end_column: None,
                        });
                        check_count(Format::Checkstyle, findings.len())?;
                    }
                    _ => {}
                }
            }
            Found::Close => depth = depth.saturating_sub(1),
            Found::Text(_) => {}
        }
    }
    Ok(findings)
}
