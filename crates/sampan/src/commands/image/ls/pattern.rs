//! Patterns of names.

/// Whether all of `text` is met by `pattern`, in which `*` stands for any text and `?` for one
/// character.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut next) = (0, 0);
    // Where the last `*` stands, and how much of the text it has taken.
    let mut star: Option<(usize, usize)> = None;
    while next < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, next));
                at += 1;
            }
            Some(byte) if *byte == b'?' || *byte == text[next] => {
                at += 1;
                next += 1;
            }
            _ => match star {
                Some((star_at, taken)) => {
                    star = Some((star_at, taken + 1));
                    at = star_at + 1;
                    next = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_text_and_all_of_it_counts() {
        for (pattern, text) in [
            ("web", "web"),
            ("*", "web:1"),
            ("web*", "web:1"),
            ("*/web:?", "site.example/a/web:1"),
            ("w*b*1", "web-b:11"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("web", "web:1"), ("we?", "we"), ("*2", "web:1"), ("", "w")] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }
}
