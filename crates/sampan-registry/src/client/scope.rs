//! What a request wants to do, in the words of token authorities.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Rights on repositories, such as `repository:team/app:pull,push`; several are needed for a mount.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Scopes(BTreeMap<String, BTreeSet<String>>);

impl Scopes {
    pub(super) fn pull(repository: &str) -> Self {
        Self::default().with(repository, &["pull"])
    }

    pub(super) fn push(repository: &str) -> Self {
        Self::default().with(repository, &["pull", "push"])
    }

    /// The same rights and that to read from `repository`.
    #[must_use]
    pub(super) fn and_pull(self, repository: &str) -> Self {
        self.with(repository, &["pull"])
    }

    fn with(mut self, repository: &str, actions: &[&str]) -> Self {
        let entry = self
            .0
            .entry(format!("repository:{repository}"))
            .or_default();
        entry.extend(actions.iter().map(|action| (*action).to_owned()));
        self
    }

    /// Adds what a challenge asks for: scopes separated by blanks.
    pub(super) fn add(&mut self, text: &str) {
        for scope in text.split_ascii_whitespace() {
            if let Some((resource, actions)) = scope.rsplit_once(':') {
                let entry = self.0.entry(resource.to_owned()).or_default();
                entry.extend(actions.split(',').map(str::to_owned));
            }
        }
    }

    /// Each resource with its actions, as a token authority takes them.
    pub(super) fn texts(&self) -> Vec<String> {
        let text = |(resource, actions): (&String, &BTreeSet<String>)| {
            let actions: Vec<_> = actions.iter().map(String::as_str).collect();
            format!("{resource}:{}", actions.join(","))
        };
        self.0.iter().map(text).collect()
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.texts().join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_and_what_is_asked_for_come_together() {
        let mut scopes = Scopes::push("team/app").and_pull("team/base");
        scopes.add("repository:team/app:pull registry:catalog:*");
        let wanted = "registry:catalog:* repository:team/app:pull,push repository:team/base:pull";
        assert_eq!(scopes.to_string(), wanted);
    }
}
