//! Paths inside of containers, as text.

/// Joins two paths and takes out `.`, `..` and empty parts; the second counts below the first even when it begins
/// with `/`.
pub(crate) fn join(base: &str, path: &str) -> String {
    let absolute = base.starts_with('/') || (base.is_empty() && path.starts_with('/'));
    let mut parts: Vec<&str> = Vec::new();
    for part in base.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    if absolute {
        format!("/{joined}")
    } else {
        joined
    }
}

/// The folder of the source tree below the workspace: `src/HOST/OWNER/NAME`.
pub(crate) fn source_path(link: &str) -> String {
    let rest = link.split_once("://").map_or(link, |(_, rest)| rest);
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.rsplit('@').next().unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default();
    join(&format!("src/{host}"), path)
}

#[cfg(test)]
mod tests {
    use super::{join, source_path};

    #[test]
    fn paths_are_joined_and_cleaned() {
        for (base, path, expected) in [
            ("/drone", "src/a", "/drone/src/a"),
            ("/drone", "/src//a/", "/drone/src/a"),
            ("/a/b", "../../../c", "/c"),
            ("/a", "", "/a"),
            ("a", "./b", "a/b"),
            ("", "/b", "/b"),
        ] {
            assert_eq!(join(base, path), expected, "{base} {path}");
        }
    }

    #[test]
    fn the_source_tree_lies_by_the_address_of_its_repository() {
        for (link, expected) in [
            ("https://git.example/team/shop", "src/git.example/team/shop"),
            ("http://user@git.example:3000/shop/", "src/git.example/shop"),
            ("", "src"),
        ] {
            assert_eq!(source_path(link), expected, "{link}");
        }
    }
}
