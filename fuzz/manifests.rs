//! What must hold for any text that is taken for manifests, and for any text that is taken for settings of a check: both are
//! read or refused in bounded time, all rules judge whatever was read, and every place that is named lies in the text.
//!
//! The fuzzer calls these functions, and so do the tests of `sampan-chart`.

use sampan_chart::check::{Input, Settings, check, report};
use sampan_chart::images::{Known, Listing};
use sampan_chart::manifest::TemplateLines;

/// Reads bytes as manifests, checks them by all rules, looks for images, and writes all reports.
///
/// # Panics
/// When a finding names a line that is not there.
pub(crate) fn manifests(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut settings = Settings::default();
    settings.with_ok = true;
    settings.enable = vec!["*".to_owned()];
    let mut input = Input::new("default");
    input.add_file("a.yaml", &text);
    input.add_found_file("b.yaml", &text);
    let found = check(vec![input], &settings);
    // What is open at the end is missed in the line behind it.
    let lines = u32::try_from(text.lines().count())
        .unwrap_or(u32::MAX)
        .saturating_add(1);
    for finding in &found.findings {
        assert!(
            finding
                .place
                .line
                .is_none_or(|line| (1..=lines).contains(&line)),
            "{finding:?} of {lines} lines"
        );
    }
    drop(report::sarif(&found, &settings, "0"));
    drop((
        report::junit(&found),
        report::github(&found),
        report::gitlab(&found),
    ));
    let mut input = Input::new("default");
    input.add_file("a.yaml", &text);
    let mut listing = Listing::default();
    listing.add_objects(&input.into_world(), &Known::default());
    drop(listing.finish(&Known::default()));
}

/// Reads bytes as settings with rules of the user's own.
pub(crate) fn settings(bytes: &[u8]) {
    drop(Settings::parse(
        "settings.yaml",
        &String::from_utf8_lossy(bytes),
    ));
}

/// Compares a template with what it may have printed; the first half is the one, the second the other.
///
/// # Panics
/// When a line of the template is named that is not there.
pub(crate) fn template_lines(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let middle = text
        .char_indices()
        .nth(text.chars().count() / 2)
        .map_or(0, |(at, _)| at);
    let (template, printed) = text.split_at(middle);
    let lines = TemplateLines::new(template, printed);
    let count = template.lines().count();
    for number in 0..=u32::try_from(printed.lines().count()).unwrap_or(0) {
        let line = lines
            .line_of(number)
            .and_then(|line| usize::try_from(line).ok());
        assert!(line.is_none_or(|line| (1..=count).contains(&line)));
    }
}
