//! What must hold for any secrets and any log: no secret is left in what is passed on, whatever pieces the log comes in, and
//! nothing else is lost.
//!
//! The fuzzer calls this function, and so do the tests of `sampan-pipeline`.

use sampan_pipeline::mask::Secrets;

/// The shortest secret that is masked.
const SHORTEST: usize = 4;
/// How many line breaks in a row may stand within a secret.
const BREAKS: usize = 4;

/// Takes bytes for secrets, one a paragraph, and a log behind the last empty line.
///
/// # Panics
/// When a secret shows, or pieces make a difference.
pub(crate) fn mask(bytes: &[u8]) {
    let (secrets, log) = match bytes.windows(3).rposition(|three| three == b"\n\n\n") {
        Some(at) => (&bytes[..at], &bytes[at + 3..]),
        None => (&b""[..], bytes),
    };
    let secrets = String::from_utf8_lossy(secrets);
    let secrets: Vec<&str> = secrets.split("\n\n").collect();
    let masked = passed_on(&secrets, log, log.len().max(1));
    assert_eq!(masked, passed_on(&secrets, log, 1), "other pieces");
    assert_eq!(masked, passed_on(&secrets, log, 5), "other pieces");
    let breaks = |bytes: &[u8]| bytes.iter().filter(|byte| is_break(**byte)).count();
    assert_eq!(breaks(&masked), breaks(log), "lines are lost");
    if !contains(&masked, b"***") {
        assert_eq!(masked, log, "text is lost");
    }
    let shown = without_breaks(&masked);
    for secret in secrets {
        let hidden: Vec<u8> = secret.bytes().filter(|byte| !is_break(*byte)).collect();
        // Stars could be those of the mask.
        if hidden.len() < SHORTEST || hidden.contains(&b'*') {
            continue;
        }
        assert!(!contains(&shown, &hidden), "a secret shows");
        let digits = secret.bytes().flat_map(|byte| [byte >> 4, byte & 15]);
        let digits = digits.filter_map(|digit| char::from_digit(digit.into(), 16));
        let hexadecimal: String = digits.collect();
        assert!(!contains(&shown, hexadecimal.as_bytes()), "a secret shows");
    }
}

fn passed_on(secrets: &[&str], log: &[u8], piece: usize) -> Vec<u8> {
    let mut masker = Secrets::new(secrets.iter().copied()).masker();
    let mut shown = Vec::new();
    for piece in log.chunks(piece) {
        masker.push(piece, &mut shown);
    }
    masker.finish(&mut shown);
    shown
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn is_break(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// The text without the line breaks that may stand within a secret.
fn without_breaks(text: &[u8]) -> Vec<u8> {
    let same = |one: &u8, other: &u8| is_break(*one) == is_break(*other);
    let runs = text.chunk_by(same);
    let runs = runs.filter(|run| !is_break(run[0]) || run.len() > BREAKS);
    runs.flatten().copied().collect()
}
