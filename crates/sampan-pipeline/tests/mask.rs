//! Secrets in streams: in all their forms, over all borders.

#![expect(
    clippy::unwrap_used,
    reason = "in tests, a failed expectation is a panic"
)]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sampan_pipeline::mask::Secrets;

/// The stream in chunks of one size.
fn masked_in(secrets: &Secrets, text: &[u8], size: usize) -> String {
    let mut masker = secrets.masker();
    let mut out = Vec::new();
    for chunk in text.chunks(size) {
        masker.push(chunk, &mut out);
    }
    masker.finish(&mut out);
    String::from_utf8(out).unwrap()
}

/// The stream, which must not depend on its chunks.
fn masked(secrets: &[&str], text: &str) -> String {
    let secrets = Secrets::new(secrets.iter().copied());
    let whole = masked_in(&secrets, text.as_bytes(), usize::MAX);
    for size in [1, 2, 3, 7, 64] {
        assert_eq!(
            masked_in(&secrets, text.as_bytes(), size),
            whole,
            "{text:?} by {size}"
        );
    }
    whole
}

#[test]
fn secrets_are_masked_over_chunks_and_lines() {
    for (secrets, text, expected) in [
        (&["hunter22"] as &[&str], "a hunter22 b", "a *** b"),
        (&["hunter22"], "hunter2 hunter22", "hunter2 ***"),
        (&["hunter22"], "hunhunter22", "hun***"),
        (&["hunter22"], "hun\nter22\n", "***\n\n"),
        (&["hunter22"], "hun\r\nter22 x", "***\r\n x"),
        (&["hunter22"], "hun\n\n\n\n\nter22", "hun\n\n\n\n\nter22"),
        (&["abcdef", "defghi"], "xabcdefghix", "x***x"),
        (&["abcd", "abcdefgh"], "abcdefgh abcdefg", "*** ***efg"),
        (&["aaaa"], "aaaaaaaaaaaaaaaaab", "***b"),
        (&["bcde", "abcdefg"], "abcdex", "a***x"),
        (&["abcd"], "abcdabcd abc", "****** abc"),
        (&["abc"], "abc", "abc"),
        (&[], "abc", "abc"),
        (
            &["first line\nsecond line"],
            "first line\nsecond line\nfirst line",
            "***\n\n***",
        ),
        (&["päßwörd"], "<päßwörd>", "<***>"),
    ] {
        assert_eq!(masked(secrets, text), expected, "{text:?}");
    }
}

#[test]
fn secrets_of_any_length_are_taken() {
    for secret in [
        "", "a", "abc", "\n", "\n\n\n\n", "\r\n\r\n", "a\n\n\n", " \n \n",
    ] {
        assert_eq!(
            masked(&[secret], "abc a\n\n\n\n"),
            "abc a\n\n\n\n",
            "{secret:?}"
        );
    }
    let secret = "0123456789abcdef".repeat(1 << 12);
    let text = format!("<{secret}>\n");
    let secrets = Secrets::new([&*secret]);
    for size in [usize::MAX, 4_096] {
        assert_eq!(masked_in(&secrets, text.as_bytes(), size), "<***>\n");
    }
}

#[test]
fn encodings_are_masked() {
    let secret = "p<ss w\"rd/+\u{e4}\n";
    let hex = hex::encode(secret);
    let json = serde_json::to_string(&format!("x{secret}y")).unwrap();
    for (text, expected) in [
        (hex.clone(), "***".to_owned()),
        (hex.to_uppercase(), "***".to_owned()),
        (json, "\"x***y\"".to_owned()),
        (
            "x=p%3Css%20w%22rd%2F%2B%C3%A4%0A&y".to_owned(),
            "x=***&y".to_owned(),
        ),
        (
            "x=p%3css+w%22rd%2f%2b%c3%a4&y".to_owned(),
            "x=***&y".to_owned(),
        ),
        (
            "\"p\\u003css w\\\"rd/+ä\\n\"".to_owned(),
            "\"***\"".to_owned(),
        ),
    ] {
        assert_eq!(masked(&[secret], &text), expected, "{text}");
    }
}

#[test]
fn base64_is_masked_in_each_alignment() {
    let secret = "correct horse battery";
    for before in ["", "a", "ab", "abc", "user:"] {
        for after in ["", "x", "xy", "xyz"] {
            let encoded = STANDARD.encode(format!("{before}{secret}{after}"));
            let shown = masked(&[secret], &encoded);
            // No more than the characters that others share remain.
            let longest = 4 * (before.len() + after.len()).div_ceil(3) + 4 + 3;
            assert!(shown.contains("***"), "{encoded}: {shown}");
            assert!(shown.len() <= longest, "{encoded}: {shown}");
        }
    }
    // As `base64` wraps it.
    let encoded = STANDARD.encode(format!("{}{secret}", "-".repeat(50)));
    let (line, rest) = encoded.split_at(76);
    let shown = masked(&[secret], &format!("{line}\n{rest}\n"));
    assert!(shown.ends_with("***\n\n"), "{shown}");
}

#[test]
fn nothing_is_late_that_cannot_become_a_secret() {
    let secrets = Secrets::new(["hunter22"]);
    let mut masker = secrets.masker();
    let mut out = Vec::new();
    masker.push(b"compiling shop hun\n", &mut out);
    assert_eq!(out, b"compiling shop ");
    masker.push(b"dreds of files\n", &mut out);
    assert_eq!(out, b"compiling shop hun\ndreds of files\n");
}

#[test]
fn memory_does_not_grow_with_the_stream() {
    let secrets = Secrets::new(["aaaa", "abcdefgh"]);
    let mut masker = secrets.masker();
    let mut out = Vec::new();
    for _ in 0..1000 {
        masker.push(&[b'a'; 4096], &mut out);
    }
    masker.push(&[b'\n'; 4096], &mut out);
    // One mask stands for all of it, and then come the lines.
    assert!(out.starts_with(b"***\n"));
    masker.finish(&mut out);
    assert_eq!(out.len(), 3 + 4096);
}
