//! Command lines that are written as one text, split as a shell splits words.

/// The words; `None` when a quote is not closed.
pub(crate) fn split(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '#' if word.is_none() => {
                // A comment ends with its line.
                rest.find(|c| *c == '\n');
            }
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match rest.next()? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match rest.next()? {
                        '"' => break,
                        '\\' => word.push(rest.next()?),
                        c => word.push(c),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(rest.next()?),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn words_are_split_as_by_a_shell() {
        for (text, expected) in [
            ("", Some(vec![])),
            (" a  b\tc\n", Some(vec!["a", "b", "c"])),
            ("a 'b c' \"d \\\" e\"", Some(vec!["a", "b c", "d \" e"])),
            ("a\\ b ''", Some(vec!["a b", ""])),
            ("a # b\nc", Some(vec!["a", "c"])),
            ("a 'b", None),
            ("a \\", None),
        ] {
            let found = split(text);
            let found = found
                .as_ref()
                .map(|words| words.iter().map(String::as_str).collect());
            assert_eq!(found, expected, "{text}");
        }
    }
}
