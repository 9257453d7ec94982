//! `.helmignore`: what a folder holds that does not belong to its chart.
//!
//! It looks like `.gitignore` and is not: the first rule that matches decides, `**` is refused, and `!pattern` drops
//! everything that does *not* match the pattern.

use super::Error;
use super::pattern::Pattern;

/// The rules of a folder, in their order.
#[derive(Debug)]
pub(crate) struct Rules(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    pattern: Pattern,
    /// What does not match is dropped.
    negated: bool,
    /// Folders only.
    folders: bool,
    /// Only the last part of a path is compared.
    by_name: bool,
}

impl Rules {
    /// The rules that hold for every chart: hidden files in `templates`.
    pub(crate) fn none() -> Self {
        let mut rules = Self(Vec::new());
        rules.add_defaults();
        rules
    }

    /// Reads a `.helmignore`.
    pub(crate) fn parse(content: &[u8]) -> Result<Self, Error> {
        let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
        let mut rules = Self(Vec::new());
        for line in String::from_utf8_lossy(content).lines() {
            rules.add(line.trim())?;
        }
        rules.add_defaults();
        Ok(rules)
    }

    fn add_defaults(&mut self) {
        // The pattern is a good one.
        let _ = self.add("templates/.?*");
    }

    fn add(&mut self, text: &str) -> Result<(), Error> {
        if text.is_empty() || text.starts_with('#') {
            return Ok(());
        }
        if text.contains("**") {
            return Err(Error::Ignore(
                "double-star (**) syntax is not supported".to_owned(),
            ));
        }
        let bad = |error: super::pattern::BadPattern| Error::Ignore(error.to_string());
        Pattern::parse(text).map_err(bad)?;
        let (negated, text) = text
            .strip_prefix('!')
            .map_or((false, text), |rest| (true, rest));
        let (folders, text) = text
            .strip_suffix('/')
            .map_or((false, text), |rest| (true, rest));
        let by_name = !text.contains('/');
        // A pattern with a good end may be a bad one without it: it matches nothing.
        let text = text.strip_prefix('/').unwrap_or(text);
        if let Ok(pattern) = Pattern::parse(text) {
            self.0.push(Rule {
                pattern,
                negated,
                folders,
                by_name,
            });
        }
        Ok(())
    }

    /// Whether a file or folder is left out; the path is relative to the chart.
    pub(crate) fn ignores(&self, path: &str, is_folder: bool) -> bool {
        for rule in &self.0 {
            let name = if rule.by_name {
                path.rsplit('/').next().unwrap_or(path)
            } else {
                path
            };
            let matches = rule.pattern.matches(name);
            if rule.negated {
                if (rule.folders && !is_folder) || !matches {
                    return true;
                }
            } else if (is_folder || !rule.folders) && matches {
                return true;
            }
        }
        false
    }
}
