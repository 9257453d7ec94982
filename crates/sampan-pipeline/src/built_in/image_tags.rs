//! The tags that plugins give to images by themselves.

/// The tags for a reference: `latest` for a branch, and for a tag `v1.2.3` all of `1`, `1.2` and `1.2.3`. A version
/// before the first has no tag of its major number alone, one before its release has only itself. `None` for a tag that
/// is no version.
pub(super) fn of_reference(reference: &str, suffix: &str, latest: &str) -> Option<Vec<String>> {
    let tags = match reference.strip_prefix("refs/tags/") {
        None => vec![latest.to_owned()],
        Some(tag) => of_version(tag.strip_prefix('v').unwrap_or(tag))?,
    };
    if suffix.is_empty() {
        return Some(tags);
    }
    let with_suffix = |tag: String| {
        if tag == latest {
            suffix.to_owned()
        } else {
            format!("{tag}-{suffix}")
        }
    };
    Some(tags.into_iter().map(with_suffix).collect())
}

fn of_version(version: &str) -> Option<Vec<String>> {
    let core_end = version.find(['-', '+']).unwrap_or(version.len());
    let (core, rest) = version.split_at(core_end);
    let numbers: Vec<&str> = core.split('.').collect();
    let is_number = |text: &&str| {
        !text.is_empty() && text.len() < 19 && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let [major, minor, patch] = numbers[..] else {
        return None;
    };
    if !numbers.iter().all(is_number) {
        return None;
    }
    if !rest.is_empty() {
        let plain = |number: &str| number.parse::<u64>().unwrap_or_default();
        return Some(vec![format!(
            "{}.{}.{}{rest}",
            plain(major),
            plain(minor),
            plain(patch)
        )]);
    }
    let mut tags = vec![
        format!("{major}.{minor}"),
        format!("{major}.{minor}.{patch}"),
    ];
    if major.bytes().any(|digit| digit != b'0') {
        tags.insert(0, major.to_owned());
    }
    Some(tags)
}

/// Whether the reference is one that is tagged at all: a tag, or the branch that clones get.
pub(super) fn applies(reference: &str, default_branch: &str) -> bool {
    reference.starts_with("refs/tags/")
        || reference.strip_prefix("refs/heads/").unwrap_or(reference) == default_branch
}

#[cfg(test)]
mod tests {
    use super::{applies, of_reference};

    #[test]
    fn tags_follow_from_the_reference() {
        for (reference, suffix, expected) in [
            ("", "", Some(vec!["latest"])),
            ("refs/heads/master", "", Some(vec!["latest"])),
            ("refs/tags/0.9.0", "", Some(vec!["0.9", "0.9.0"])),
            ("refs/tags/1.0.0", "", Some(vec!["1", "1.0", "1.0.0"])),
            ("refs/tags/v1.0.0", "", Some(vec!["1", "1.0", "1.0.0"])),
            ("refs/tags/v1.0.0+1", "", Some(vec!["1.0.0+1"])),
            ("refs/tags/v1.0.0-alpha.1", "", Some(vec!["1.0.0-alpha.1"])),
            (
                "refs/tags/v18.06.0",
                "",
                Some(vec!["18", "18.06", "18.06.0"]),
            ),
            ("refs/tags/x1.0.0", "", None),
            ("refs/tags/20190203", "", None),
            ("refs/tags/v1.2", "", None),
            (
                "refs/heads/master",
                "linux-amd64",
                Some(vec!["linux-amd64"]),
            ),
            (
                "refs/tags/v1.0.0",
                "linux",
                Some(vec!["1-linux", "1.0-linux", "1.0.0-linux"]),
            ),
        ] {
            let tags = of_reference(reference, suffix, "latest");
            let expected =
                expected.map(|tags| tags.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(tags, expected, "{reference}");
        }
    }

    #[test]
    fn other_branches_are_not_tagged() {
        assert!(applies("refs/tags/v1", "master"));
        assert!(applies("refs/heads/master", "master"));
        assert!(!applies("refs/heads/develop", "master"));
    }
}
