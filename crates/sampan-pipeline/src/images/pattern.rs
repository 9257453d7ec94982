//! Patterns for names of images.

use std::fmt;

/// A pattern for names of images: `golang`, `golang:1.*`, `plugins/*`, `registry.example/**`.
///
/// Names are compared in full, so `redis` and `docker.io/library/redis` are one. `*` stands for anything within a part of
/// the name, `**` also across parts. A pattern without a tag is for every tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImagePattern {
    written: String,
    name: String,
    tag: Option<String>,
}

/// The name, the tag and the digest of an image.
struct Parts<'a> {
    name: &'a str,
    tag: Option<&'a str>,
    digest: Option<&'a str>,
}

impl ImagePattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence without a full stop.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let parts = split(text);
        if parts.digest.is_some() {
            return Err("a digest names one image and needs no pattern");
        }
        let fits =
            |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '[' | ']' | '{' | '}' | '\\');
        if parts.name.is_empty() || !text.chars().all(fits) {
            return Err(
                "write a name such as `golang`, `golang:1.21`, `plugins/*` or `docker.io/**`",
            );
        }
        Ok(Self {
            written: text.to_owned(),
            name: full(parts.name),
            tag: parts.tag.map(str::to_owned),
        })
    }

    /// Whether an image, or an action, is meant.
    #[must_use]
    pub fn matches(&self, image: &str) -> bool {
        self.captures(image).is_some()
    }

    /// How exact the pattern is, for comparisons only.
    pub(super) fn exactness(&self) -> (bool, bool, usize) {
        let is_plain = |text: &str| !text.contains('*');
        let letters = |text: &str| text.chars().filter(|c| *c != '*').count();
        let tag = self.tag.as_deref();
        (
            is_plain(&self.name),
            tag.is_some(),
            letters(&self.name) * 256 + tag.map_or(0, letters),
        )
    }

    /// What `target` says for an image that is meant: with what the stars stand for, and with the image's own tag and
    /// digest where it has none.
    pub(super) fn fill(&self, image: &str, target: &str) -> Option<String> {
        let captures = self.captures(image)?;
        let mut captures = captures.into_iter();
        let mut filled = String::new();
        let mut rest = target;
        while let Some(at) = rest.find('*') {
            filled.push_str(&rest[..at]);
            rest = rest[at..].trim_start_matches('*');
            filled.push_str(&captures.next().unwrap_or_default());
        }
        filled.push_str(rest);
        let said = split(&filled);
        if said.tag.is_none() && said.digest.is_none() {
            let own = split(image);
            if let Some(tag) = own.tag {
                filled = format!("{filled}:{tag}");
            }
            if let Some(digest) = own.digest {
                filled = format!("{filled}@{digest}");
            }
        }
        Some(filled)
    }

    /// What the stars of the name and the tag stand for in an image that is meant.
    fn captures(&self, image: &str) -> Option<Vec<String>> {
        let parts = split(image);
        let mut captures = captures(&self.name, &full(parts.name))?;
        if let Some(tag) = &self.tag {
            captures.extend(self::captures(tag, parts.tag.unwrap_or("latest"))?);
        }
        Some(captures)
    }
}

impl fmt::Display for ImagePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

/// The parts of a name; what stands behind an `@` may also be the version of an action.
fn split(image: &str) -> Parts<'_> {
    let (rest, digest) = match image.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (image, None),
    };
    // A colon before the last slash belongs to the port of the registry.
    let (name, tag) = match rest.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (rest, None),
    };
    Parts { name, tag, digest }
}

/// The name with its registry, as Docker fills it in.
fn full(name: &str) -> String {
    let Some((first, rest)) = name.split_once('/') else {
        return if name.starts_with("**") {
            name.to_owned()
        } else {
            format!("docker.io/library/{name}")
        };
    };
    match first {
        "docker.io" | "index.docker.io" | "registry-1.docker.io" => {
            let library = if rest.contains('/') || rest.starts_with("**") {
                ""
            } else {
                "library/"
            };
            format!("docker.io/{library}{rest}")
        }
        _ if first.contains(['.', ':']) || first == "localhost" || first.starts_with("**") => {
            name.to_owned()
        }
        _ => format!("docker.io/{name}"),
    }
}

/// The longest name that is compared; registries allow less.
const LIMIT_NAME: usize = 1_024;

/// What the stars of a pattern stand for, each as much as it can; nothing when the text does not fit.
fn captures(pattern: &str, text: &str) -> Option<Vec<String>> {
    if text.len() > LIMIT_NAME {
        return None;
    }
    let tokens = tokens(pattern);
    let bytes = text.as_bytes();
    // Whether the tokens from one on fit the bytes from one on, from the ends backwards: the work is the product of
    // both lengths, whatever the pattern.
    let mut fits = vec![vec![false; bytes.len() + 1]; tokens.len() + 1];
    fits[tokens.len()][bytes.len()] = true;
    for (place, token) in tokens.iter().enumerate().rev() {
        for at in (0..=bytes.len()).rev() {
            let next = bytes.get(at);
            fits[place][at] = match token {
                Token::Byte(byte) => next == Some(byte) && fits[place + 1][at + 1],
                Token::Star { slashes } => {
                    let takes = next.is_some_and(|next| *slashes || *next != b'/');
                    fits[place + 1][at] || (takes && fits[place][at + 1])
                }
            };
        }
    }
    if !fits[0][0] {
        return None;
    }
    let mut found = Vec::new();
    let mut at = 0;
    for (place, token) in tokens.iter().enumerate() {
        match token {
            Token::Byte(_) => at += 1,
            Token::Star { slashes } => {
                let from = at;
                let takes = |at: usize| bytes.get(at).is_some_and(|next| *slashes || *next != b'/');
                while takes(at) && fits[place][at + 1] {
                    at += 1;
                }
                found.push(text[from..at].to_owned());
            }
        }
    }
    Some(found)
}

enum Token {
    Byte(u8),
    Star {
        /// Whether it stands for slashes too.
        slashes: bool,
    },
}

fn tokens(pattern: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = pattern.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        if *byte != b'*' {
            tokens.push(Token::Byte(*byte));
            rest = after;
            continue;
        }
        let stars = rest.iter().take_while(|byte| **byte == b'*').count();
        tokens.push(Token::Star { slashes: stars > 1 });
        rest = &rest[stars..];
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::ImagePattern;

    #[test]
    fn names_are_compared_in_full() {
        for (pattern, image, expected) in [
            ("redis", "docker.io/library/redis:7", true),
            ("redis", "redis@sha256:00", true),
            ("redis", "bitnami/redis", false),
            ("redis:7", "redis:7", true),
            ("redis:7", "redis", false),
            ("redis:latest", "redis", true),
            ("redis:7.*", "redis:7.2-alpine", true),
            ("plugins/*", "plugins/docker:18", true),
            ("plugins/*", "index.docker.io/plugins/docker", true),
            ("plugins/*", "gcr.io/plugins/docker", false),
            ("docker.io/**", "redis", true),
            ("docker.io/**", "gcr.io/a/b", false),
            ("**", "gcr.io/a/b:c", true),
            ("localhost:5000/*", "localhost:5000/a:b", true),
            ("localhost:5000/*", "localhost:5000/a/b", false),
            ("actions/*", "actions/checkout@v4", true),
        ] {
            let pattern = ImagePattern::parse(pattern).expect("it is a pattern");
            assert_eq!(pattern.matches(image), expected, "{pattern} {image}");
        }
    }

    #[test]
    fn stars_are_put_in_and_tags_are_kept() {
        for (pattern, image, target, expected) in [
            ("golang", "golang:1.21", "r:1/go", "r:1/go:1.21"),
            ("golang", "golang", "r:1/go", "r:1/go"),
            ("golang", "golang:1.21", "r:1/go:2", "r:1/go:2"),
            ("golang:1.*", "golang:1.21", "r:1/go:one-*", "r:1/go:one-21"),
            (
                "docker.io/**",
                "redis:7",
                "r:1/hub/**",
                "r:1/hub/library/redis:7",
            ),
            ("**", "gcr.io/a/b", "r:1/**", "r:1/gcr.io/a/b"),
            (
                "plugins/*",
                "plugins/a@sha256:00",
                "r:1/p-*",
                "r:1/p-a@sha256:00",
            ),
            ("*/*", "a/b:c", "r:1/**_*", "r:1/a_b:c"),
        ] {
            let pattern = ImagePattern::parse(pattern).expect("it is a pattern");
            assert_eq!(pattern.fill(image, target).as_deref(), Some(expected));
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in ["", ":1", "a b", "a?", "[a]", "a@sha256:00", "ä"] {
            ImagePattern::parse(text).expect_err(text);
        }
    }
}
