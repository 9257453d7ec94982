//! Text in addresses.

/// A text as a part of a query, as Go's `QueryEscape` writes it.
pub(super) fn encoded(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                result.push(char::from(byte));
            }
            b' ' => result.push('+'),
            byte => {
                const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
                result.push('%');
                result.push(char::from(DIGITS[usize::from(byte >> 4)]));
                result.push(char::from(DIGITS[usize::from(byte & 15)]));
            }
        }
    }
    result
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_plain_characters_stay() {
        assert_eq!(super::encoded("a b&c=ä/~"), "a+b%26c%3D%C3%A4%2F~");
    }
}
