//! `[skip ci]` in the message of a commit.

use crate::build::{Build, Event};
use crate::graph::Verdict;

/// Notes when the author asked for no run; only pushes, pull requests and, in some dialects, tags are skipped this way.
pub(crate) fn check(build: &Build, tags: bool, verdict: &mut Verdict) {
    // Who runs a working tree by hand wants it run.
    let asked_for = build.local
        || !(build.event.is_pull_request()
            || build.event == Event::Push
            || tags && build.event == Event::Tag);
    if asked_for {
        return;
    }
    let title = build
        .pull_request
        .as_ref()
        .map(|request| request.title.as_str());
    for text in [Some(build.commit.message.as_str()), title]
        .into_iter()
        .flatten()
    {
        if let Some(found) = sign(text) {
            let text = format!("the message of the commit has `{found}`");
            verdict.note(false, None, text);
            return;
        }
    }
}

/// The sign in a text, as it is written there.
fn sign(text: &str) -> Option<&str> {
    let mut from = 0;
    while let Some(open) = text[from..].find('[') {
        let begin = from + open;
        let end = begin + text[begin..].find(']')?;
        let inside = text[begin + 1..end].to_ascii_lowercase();
        let words: Vec<_> = [("ci", "skip"), ("skip", "ci")]
            .iter()
            .filter_map(|(first, second)| inside.strip_prefix(first)?.strip_suffix(second))
            .collect();
        if words
            .iter()
            .any(|between| between.trim_matches(' ').is_empty())
        {
            return Some(&text[begin..=end]);
        }
        from = begin + 1;
    }
    let marker = "***no_ci***";
    let at = text.to_ascii_lowercase().find(marker)?;
    Some(&text[at..at + marker.len()])
}

#[cfg(test)]
mod tests {
    use super::sign;

    #[test]
    fn signs_are_found_in_any_case() {
        for (text, expected) in [
            ("fix [skip ci]", Some("[skip ci]")),
            ("[a] [CI SKIP] b", Some("[CI SKIP]")),
            ("[skipci]", Some("[skipci]")),
            ("x ***NO_CI***", Some("***NO_CI***")),
            ("[[skip ci]", Some("[skip ci]")),
            ("skip ci", None),
            ("[skip-ci]", None),
            ("[ skip ci", None),
        ] {
            assert_eq!(sign(text), expected, "{text}");
        }
    }
}
