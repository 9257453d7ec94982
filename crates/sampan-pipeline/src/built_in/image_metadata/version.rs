//! Versions in tags of git.

/// The part of a text that a pattern finds: the whole match, or a group of it.
pub(super) fn group(pattern: &str, text: &str, group: usize) -> Option<String> {
    let pattern = pattern
        .strip_prefix('/')
        .and_then(|pattern| pattern.strip_suffix('/'))
        .unwrap_or(pattern);
    let regex = regex_automata::meta::Builder::new()
        .configure(regex_automata::meta::Config::new().nfa_size_limit(Some(1 << 20)))
        .build(pattern)
        .ok()?;
    let mut captures = regex.create_captures();
    regex.captures(text, &mut captures);
    captures
        .get_group(group)
        .map(|span| text[span.range()].to_owned())
}

/// The tag that a rule makes of a version, and whether it counts as the latest; `None` when the text is none.
pub(super) fn tag(kind: &str, text: &str, pattern: &str, number: &str) -> Option<(String, bool)> {
    if kind == "match" {
        let number = if number.is_empty() {
            0
        } else {
            number.parse().ok()?
        };
        return group(pattern, text, number).map(|tag| (tag, true));
    }
    let text = text.replace('/', "-");
    let version = match kind {
        "semver" => semver(&text)?,
        _ => pep440(&text)?,
    };
    let is_raw = pattern.replace(' ', "") == "{{raw}}";
    if version.is_before_release {
        // A version before its release changes often: it never gets the tags of the release.
        return Some((if is_raw { text } else { version.whole }, false));
    }
    let [major, minor, patch] = &version.numbers;
    let mut tag = pattern.to_owned();
    for (name, value) in [
        ("raw", &text),
        ("version", &version.whole),
        ("major", major),
        ("minor", minor),
        ("patch", patch),
    ] {
        for form in [format!("{{{{{name}}}}}"), format!("{{{{ {name} }}}}")] {
            tag = tag.replace(&form, value);
        }
    }
    Some((tag, true))
}

struct Version {
    whole: String,
    numbers: [String; 3],
    is_before_release: bool,
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.len() <= 16 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Semantic versioning; `v` may stand in front.
fn semver(text: &str) -> Option<Version> {
    let text = text.trim_start_matches(['v', '=']);
    let (text, _build) = text.split_once('+').unwrap_or((text, ""));
    let (core, before) = match text.split_once('-') {
        Some((core, before)) => (core, Some(before)),
        None => (text, None),
    };
    let parts: Vec<&str> = core.split('.').collect();
    let [major, minor, patch] = parts.as_slice() else {
        return None;
    };
    let is_plain = |part: &&&str| is_number(part) && (part.len() == 1 || !part.starts_with('0'));
    if !parts.iter().all(|part| is_plain(&part)) {
        return None;
    }
    if let Some(before) = before {
        let is_identifier = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if !before.split('.').all(is_identifier) {
            return None;
        }
    }
    Some(Version {
        whole: text.to_owned(),
        numbers: [major, minor, patch].map(|part| (*part).to_owned()),
        is_before_release: before.is_some(),
    })
}

/// The versions of Python, as far as tags have them: numbers, and what comes before or after a release.
fn pep440(text: &str) -> Option<Version> {
    let text = text.trim_start_matches('v').to_lowercase();
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(text.len());
    let (core, rest) = text.split_at(end);
    let core = core.trim_end_matches('.');
    let parts: Vec<&str> = core.split('.').collect();
    if !parts.iter().all(|part| is_number(part)) {
        return None;
    }
    let rest = rest.trim_start_matches(['.', '-', '_']);
    let (word, number) = rest.split_at(
        rest.find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len()),
    );
    let number = if number.is_empty() { "0" } else { number };
    let ending = match word.trim_end_matches(['.', '-', '_']) {
        "" if rest.is_empty() => String::new(),
        "a" | "alpha" => format!("a{number}"),
        "b" | "beta" => format!("b{number}"),
        "rc" | "c" | "pre" | "preview" => format!("rc{number}"),
        "post" | "rev" | "r" => format!(".post{number}"),
        "dev" => format!(".dev{number}"),
        _ => return None,
    };
    if !is_number(number) {
        return None;
    }
    let part = |index: usize| parts.get(index).map_or("0", |part| part).to_owned();
    Some(Version {
        whole: format!("{core}{ending}"),
        numbers: [part(0), part(1), part(2)],
        is_before_release: !ending.is_empty(),
    })
}

#[cfg(test)]
mod tests {
    use super::tag;

    #[test]
    #[expect(clippy::too_many_lines, reason = "it is a table")]
    fn tags_are_those_of_the_documents() {
        for (kind, text, pattern, number, expected) in [
            ("semver", "v1.2.3", "{{raw}}", "", Some(("v1.2.3", true))),
            ("semver", "v1.2.3", "{{version}}", "", Some(("1.2.3", true))),
            (
                "semver",
                "v1.2.3",
                "{{major}}.{{minor}}",
                "",
                Some(("1.2", true)),
            ),
            ("semver", "v1.2.3", "v{{major}}", "", Some(("v1", true))),
            ("semver", "v1.2.3", "{{patch}}", "", Some(("3", true))),
            (
                "semver",
                "v2.0.8-beta.67",
                "{{raw}}",
                "",
                Some(("v2.0.8-beta.67", false)),
            ),
            (
                "semver",
                "v2.0.8-beta.67",
                "{{major}}",
                "",
                Some(("2.0.8-beta.67", false)),
            ),
            ("semver", "20200110", "{{version}}", "", None),
            ("pep440", "v1.2.3", "{{version}}", "", Some(("1.2.3", true))),
            (
                "pep440",
                "1.2.3rc2",
                "{{version}}",
                "",
                Some(("1.2.3rc2", false)),
            ),
            (
                "pep440",
                "1.2.3post1",
                "{{major}}.{{minor}}",
                "",
                Some(("1.2.3.post1", false)),
            ),
            (
                "pep440",
                "1.2.3beta2",
                "{{major}}.{{minor}}",
                "",
                Some(("1.2.3b2", false)),
            ),
            (
                "pep440",
                "1.0dev4",
                "{{major}}.{{minor}}",
                "",
                Some(("1.0.dev4", false)),
            ),
            ("match", "v1.2.3", r"\d.\d.\d", "0", Some(("1.2.3", true))),
            (
                "match",
                "v2.0.8-beta.67",
                "v(.*)",
                "1",
                Some(("2.0.8-beta.67", true)),
            ),
            (
                "match",
                "20200110-RC2",
                r"\d+",
                "",
                Some(("20200110", true)),
            ),
            ("match", "x", r"\d+", "", None),
        ] {
            let found = tag(kind, text, pattern, number);
            let expected = expected.map(|(tag, latest)| (tag.to_owned(), latest));
            assert_eq!(found, expected, "{kind} {text} {pattern}");
        }
    }
}
