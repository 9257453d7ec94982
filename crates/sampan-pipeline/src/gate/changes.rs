//! Which lines a change has put into files.

use std::collections::BTreeMap;
use std::ops::Range;

/// The lines that a change has put into files, by the files' paths from the root of the source tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    files: BTreeMap<String, Vec<Range<u32>>>,
}

impl Changes {
    /// Reads what `git diff --unified=0` writes. What is no diff says nothing: lines around it are passed over.
    #[must_use]
    pub fn of_diff(diff: &str) -> Self {
        let mut changes = Self::default();
        let mut file: Option<String> = None;
        // Lines of a hunk that are still to come; a line of code may look like a header.
        let mut left = (0, 0);
        for line in diff.lines() {
            match (line.as_bytes().first(), left) {
                (Some(b'-'), (removed, added)) if removed > 0 => left = (removed - 1, added),
                (Some(b'+'), (removed, added)) if added > 0 => left = (removed, added - 1),
                _ => {
                    if let Some(name) = line.strip_prefix("+++ ") {
                        file = path(name);
                    } else if let Some((removed, added)) = hunk(line) {
                        left = (removed, added.end - added.start);
                        if let Some(file) = &file
                            && !added.is_empty()
                        {
                            changes.files.entry(file.clone()).or_default().push(added);
                        }
                    }
                }
            }
        }
        changes
    }

    /// The lines of a file, as a tool names it: its path from the root, or one that ends or begins with that.
    pub(super) fn lines_of(&self, name: &str) -> &[Range<u32>] {
        if let Some(lines) = self.files.get(name) {
            return lines;
        }
        let ends_with = |whole: &str, end: &str| {
            whole
                .strip_suffix(end)
                .is_some_and(|front| front.ends_with('/'))
        };
        let name = name.trim_start_matches("./");
        let same = |path: &&String| *path == name || ends_with(name, path) || ends_with(path, name);
        // The longest is the one that has most in common.
        let path = self.files.keys().filter(same).max_by_key(|path| path.len());
        path.and_then(|path| self.files.get(path))
            .map_or(&[], Vec::as_slice)
    }
}

/// The path behind `+++ `: `b/src/x.rs`, in quotes when it has odd letters; nothing for a file that was removed.
fn path(name: &str) -> Option<String> {
    let name = name.split('\t').next().unwrap_or(name);
    let name = match name
        .strip_prefix('"')
        .and_then(|name| name.strip_suffix('"'))
    {
        Some(quoted) => unquoted(quoted)?,
        None => name.to_owned(),
    };
    (name != "/dev/null").then(|| name.strip_prefix("b/").unwrap_or(&name).to_owned())
}

/// A name as git quotes it: `\t`, `\"`, and bytes as three octal digits.
fn unquoted(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next()? {
            b't' => b'\t',
            b'n' => b'\n',
            first @ b'0'..=b'3' => {
                let octal = |byte: u8| byte.checked_sub(b'0').filter(|digit| *digit < 8);
                let (second, third) = (octal(rest.next()?)?, octal(rest.next()?)?);
                (first - b'0') * 64 + second * 8 + third
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

/// How many lines a hunk removes, and which it adds: `@@ -1,2 +3,4 @@`.
fn hunk(line: &str) -> Option<(u32, Range<u32>)> {
    let rest = line.strip_prefix("@@ -")?;
    let (removed, rest) = rest.split_once(" +")?;
    let (added, _) = rest.split_once(" @@")?;
    let (_, removed) = numbers(removed)?;
    let (first, count) = numbers(added)?;
    Some((removed, first..first.checked_add(count)?))
}

fn numbers(text: &str) -> Option<(u32, u32)> {
    match text.split_once(',') {
        Some((first, count)) => Some((first.parse().ok()?, count.parse().ok()?)),
        None => Some((text.parse().ok()?, 1)),
    }
}
