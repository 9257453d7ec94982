//! Splitting a logical line: the keyword, the flags, and words that may be quoted.

/// The blanks that separate words on one line.
pub(super) fn is_blank(character: char) -> bool {
    matches!(character, '\t' | '\u{b}' | '\u{c}' | '\r' | ' ')
}

/// The keyword and what follows it.
pub(super) fn split_first(line: &str) -> (&str, &str) {
    match line.split_once(is_blank) {
        Some((first, rest)) => (first, rest.trim_start_matches(is_blank)),
        None => (line, ""),
    }
}

/// Takes the words that begin with `--` off the front, unquoted; a lone `--` ends them.
pub(super) fn take_flags(line: &str, escape: char) -> (Vec<String>, &str) {
    let mut flags = Vec::new();
    let mut rest = line;
    loop {
        let start = rest.trim_start();
        if !start.starts_with("--") {
            // Blanks at the very end are not worth keeping, others belong to no word.
            return (flags, start);
        }
        let (flag, end) = unquoted_word(start, escape);
        rest = &start[end..];
        if flag == "--" {
            return (flags, rest);
        }
        flags.push(flag);
    }
}

/// The first word of `text` without its quotes and escapes, and where it ends.
fn unquoted_word(text: &str, escape: char) -> (String, usize) {
    let mut word = String::new();
    let mut quote = None;
    let mut characters = text.char_indices();
    while let Some((position, character)) = characters.next() {
        match quote {
            None if character.is_whitespace() => return (word, position),
            None if matches!(character, '\'' | '"') => quote = Some(character),
            Some(open) if character == open => quote = None,
            _ if character == escape => word.extend(characters.next().map(|(_, escaped)| escaped)),
            _ => word.push(character),
        }
    }
    (word, text.len())
}

/// Splits at spaces outside quotes; quotes and escapes stay in the words for later.
pub(super) fn quoted_words(text: &str, escape: char) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if quote.is_none() && character.is_whitespace() {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            continue;
        }
        match quote {
            None if matches!(character, '\'' | '"') => quote = Some(character),
            Some(open) if character == open => quote = None,
            _ => {}
        }
        // Within single quotes nothing can be escaped.
        if character == escape && quote != Some('\'') {
            if let Some(escaped) = characters.next() {
                word.push(character);
                word.push(escaped);
            }
            continue;
        }
        word.push(character);
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}
