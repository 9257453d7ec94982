//! The files of problem matchers.

use sampan_model::shortened;
use serde::Deserialize;

use super::{Groups, LIMIT_PATTERNS, Matcher, MatcherError, Pattern, severity};

/// The longest file that is read.
pub const LIMIT_BYTES: usize = 1 << 20;

/// How many characters of what is wrong are shown.
const LIMIT_SHOWN: usize = 200;

#[derive(Deserialize)]
struct File {
    #[serde(rename = "problemMatcher", default)]
    matchers: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    #[serde(default)]
    owner: String,
    #[serde(default)]
    severity: String,
    #[serde(default)]
    from_path: String,
    #[serde(default)]
    pattern: Vec<WrittenPattern>,
}

#[derive(Deserialize)]
struct WrittenPattern {
    #[serde(default)]
    regexp: String,
    #[serde(flatten)]
    groups: Groups,
    #[serde(default, rename = "loop")]
    loops: bool,
}

/// Reads a file.
pub(super) fn parse(text: &str) -> Result<Vec<Matcher>, MatcherError> {
    if text.len() > LIMIT_BYTES {
        return Err(MatcherError::Long);
    }
    let text = text.trim_start_matches('\u{feff}');
    read(serde_json::from_str(&without_comments(text)).map_err(MatcherError::Json)?)
}

/// Reads what a file holds.
pub(super) fn read(json: serde_json::Value) -> Result<Vec<Matcher>, MatcherError> {
    let file: File = serde_json::from_value(json).map_err(MatcherError::Json)?;
    let mut matchers: Vec<Matcher> = Vec::new();
    let mut count = 0;
    for json in file.matchers {
        let written: Written = serde_json::from_value(json.clone()).map_err(MatcherError::Json)?;
        count += written.pattern.len();
        if count > LIMIT_PATTERNS {
            return Err(MatcherError::Many);
        }
        let matcher = matcher(written, json)?;
        let same = |known: &Matcher| known.owner.eq_ignore_ascii_case(&matcher.owner);
        if matchers.iter().any(same) {
            return Err(rule(&matcher.owner, "stands there twice"));
        }
        matchers.push(matcher);
    }
    Ok(matchers)
}

fn rule(owner: &str, problem: impl Into<String>) -> MatcherError {
    MatcherError::Rule {
        owner: shortened(owner, LIMIT_SHOWN),
        problem: problem.into(),
    }
}

fn matcher(written: Written, json: serde_json::Value) -> Result<Matcher, MatcherError> {
    let owner = written.owner;
    if owner.is_empty() {
        return Err(rule(&owner, "has no owner"));
    }
    if severity(&written.severity).is_none() {
        let problem = format!("has the severity `{}`, which is none", written.severity);
        return Err(rule(&owner, problem));
    }
    let Some(last) = written.pattern.len().checked_sub(1) else {
        return Err(rule(&owner, "has no patterns"));
    };
    let mut patterns: Vec<Pattern> = Vec::new();
    for (place, pattern) in written.pattern.into_iter().enumerate() {
        if pattern.loops && (place == 0 || place != last) {
            return Err(rule(
                &owner,
                "may have `loop` only in the last of several patterns",
            ));
        }
        if pattern.loops && pattern.groups.message.is_none() {
            return Err(rule(&owner, "lacks `message` in the pattern with `loop`"));
        }
        let pattern =
            Pattern::new(&pattern.regexp, pattern.groups, pattern.loops).map_err(|source| {
                MatcherError::Pattern {
                    owner: shortened(&owner, LIMIT_SHOWN),
                    pattern: shortened(&pattern.regexp, LIMIT_SHOWN),
                    source,
                }
            })?;
        for (name, group) in pattern.groups.all() {
            let Some(group) = group else { continue };
            if group >= pattern.group_count() {
                let problem = format!("has no group {group} for `{name}`");
                return Err(rule(&owner, problem));
            }
            let has = |before: &Pattern| {
                let mut all = before.groups.all().into_iter();
                all.any(|(other, group)| other == name && group.is_some())
            };
            if patterns.iter().any(has) {
                return Err(rule(&owner, format!("has `{name}` in several patterns")));
            }
        }
        patterns.push(pattern);
    }
    if patterns
        .iter()
        .all(|pattern| pattern.groups.message.is_none())
    {
        return Err(rule(&owner, "has no pattern with `message`"));
    }
    Ok(Matcher {
        owner,
        severity: written.severity,
        from_path: written.from_path,
        patterns,
        written: json,
    })
}

/// JSON without comments and without commas behind the last item, both of which the runner takes.
fn without_comments(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => string_length(rest),
            '/' if rest.starts_with("//") => {
                rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
                continue;
            }
            '/' if rest.starts_with("/*") => {
                rest = rest.find("*/").map_or("", |end| &rest[end + 2..]);
                continue;
            }
            '}' | ']' => {
                let kept = plain.trim_end();
                if let Some(kept) = kept.strip_suffix(',') {
                    plain.truncate(kept.len());
                }
                1
            }
            _ => first.len_utf8(),
        };
        plain.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    plain
}

/// The length of the string with which a text begins, its quotes included.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (place, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return place + 1,
            _ => {}
        }
    }
    text.len()
}
