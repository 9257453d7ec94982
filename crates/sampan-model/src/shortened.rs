//! Texts of any length in messages that keep to a line.

/// The text, or its first `longest` characters and an ellipsis.
#[must_use]
pub fn shortened(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The text without line breaks: a space stands wherever there is white space.
#[must_use]
pub fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{on_one_line, shortened};

    #[test]
    fn lines_become_one() {
        assert_eq!(on_one_line(" a ||\n    b\n"), "a || b");
    }

    #[test]
    fn only_what_is_too_long_is_cut() {
        assert_eq!(shortened("wörter", 6), "wörter");
        assert_eq!(shortened("wörter", 2), "wö…");
        assert_eq!(shortened("", 0), "");
    }
}
