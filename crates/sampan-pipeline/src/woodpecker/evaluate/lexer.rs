//! Words and signs of expressions.

/// A word or sign.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A name or a word like `and`.
    Name(String),
    /// A text.
    Text(String),
    /// A number.
    Number(f64),
    /// A sign.
    Sign(&'static str),
}

/// The signs, longer ones before those that they begin with.
const SIGNS: [&str; 26] = [
    "==", "!=", "<=", ">=", "&&", "||", "??", "<", ">", "!", "(", ")", "[", "]", "{", "}", ",",
    "?", ":", "+", "-", "*", "/", "%", ".", "#",
];

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '"' | '\'' | '`' => quoted(rest, first)?,
            '0'..='9' => number(rest)?,
            c if c.is_alphabetic() || matches!(c, '_' | '$') => {
                let end = rest
                    .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$')))
                    .unwrap_or(rest.len());
                (Token::Name(rest[..end].to_owned()), end)
            }
            c => {
                let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
                let sign =
                    sign.ok_or_else(|| format!("the sign `{c}`, which is not supported,"))?;
                (Token::Sign(sign), sign.len())
            }
        };
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

fn quoted(text: &str, quote: char) -> Result<(Token, usize), String> {
    let mut value = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((index, c)) = characters.next() {
        if c == quote {
            return Ok((Token::Text(value), index + 1));
        }
        if c != '\\' || quote == '`' {
            value.push(c);
            continue;
        }
        match characters.next() {
            Some((_, 'n')) => value.push('\n'),
            Some((_, 't')) => value.push('\t'),
            Some((_, 'r')) => value.push('\r'),
            Some((_, c @ ('\\' | '"' | '\'' | '`'))) => value.push(c),
            // Regular expressions are full of them, and few people write two.
            Some((_, c)) => value.extend(['\\', c]),
            None => break,
        }
    }
    Err("text without closing quote".to_owned())
}

fn number(text: &str) -> Result<(Token, usize), String> {
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_'))
        .unwrap_or(text.len());
    let digits = text[..end].replace('_', "");
    let number = digits
        .parse()
        .map_err(|_| format!("`{}`, which is no number,", &text[..end]))?;
    Ok((Token::Number(number), end))
}
