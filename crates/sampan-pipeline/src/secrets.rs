//! Secrets: what they hold and who may have them.
//!
//! A step gets a secret when it names it and the secret's [`Rule`] lets it through. Without a word about it, no secret goes
//! to pull requests, because those who open them write the pipeline that runs. Names may be written in any case, as in
//! all dialects.
//!
//! This module opens no files: where values come from is told by a [`Source`], which the caller reads.

mod ask;
mod called;
mod error;
mod file;
mod named;
mod rule;
mod value;

use std::collections::BTreeMap;
use std::path::PathBuf;

use sampan_model::nearest;

pub use ask::Asker;
pub use called::{Evaluate, secrets_in_call};
pub use error::{SecretError, SecretProblem};
pub(crate) use file::is_name;
pub use file::{SecretFileError, parse_file};
pub use named::{Named, named};
pub(crate) use rule::EVENT_WORDS;
pub use rule::{Events, Rule};
pub use value::SecretValue;

/// A secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub value: SecretValue,
    /// Who may have it.
    pub rule: Rule,
}

/// Where a secret's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// It is written out.
    Value(SecretValue),
    /// A file; one line break at its end is no part of the value.
    File(PathBuf),
    /// A variable of the program's environment.
    Environment(String),
}

/// All secrets of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Secrets {
    /// By their names in small letters.
    entries: BTreeMap<String, Secret>,
}

impl Secrets {
    /// Secrets by their names that the user gave for this very run: every step that names one gets it.
    #[must_use]
    pub fn new(values: BTreeMap<String, String>) -> Self {
        let secrets = values.into_iter().map(|(name, value)| Secret {
            name,
            value: value.into(),
            rule: Rule::for_this_run(),
        });
        secrets.collect()
    }

    /// Adds a secret, in place of one with the same name.
    pub fn add(&mut self, secret: Secret) {
        self.entries.insert(secret.name.to_lowercase(), secret);
    }

    /// What the secret of a name holds, whoever asks; see [`Self::of`].
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        Some(self.secret(name)?.value.expose())
    }

    /// The secret of a name.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<&Secret> {
        self.entries.get(&name.to_lowercase())
    }

    /// All secrets in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Secret> {
        self.entries.values()
    }

    /// The names of all secrets.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|secret| secret.name.as_str())
    }

    /// Everything that must not be seen in what steps say.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|secret| secret.value.expose())
    }

    /// What a secret holds, for one that may have it.
    ///
    /// # Errors
    /// [`SecretError`] with the reason when there is no such secret, or the asker may not have it.
    pub fn grant(&self, name: &str, asker: &Asker<'_>) -> Result<&SecretValue, SecretError> {
        let Some(secret) = self.secret(name) else {
            return Err(SecretError::Unknown {
                name: name.to_owned(),
                nearest: nearest(name, self.names()).map(str::to_owned),
            });
        };
        secret.rule.admits(&secret.name, asker)?;
        Ok(&secret.value)
    }

    /// The secrets that one who asks may have. A step gets those of them that it names.
    #[must_use]
    pub fn of(&self, asker: &Asker<'_>) -> Self {
        let admitted = self
            .iter()
            .filter(|secret| secret.rule.admits(&secret.name, asker).is_ok());
        admitted.cloned().collect()
    }

    /// GitHub's context `secrets`: by names in capital letters.
    #[must_use]
    pub fn context(&self) -> BTreeMap<String, String> {
        self.iter()
            .map(|secret| {
                let value = secret.value.expose().to_owned();
                (secret.name.to_uppercase(), value)
            })
            .collect()
    }
}

impl FromIterator<Secret> for Secrets {
    fn from_iter<I: IntoIterator<Item = Secret>>(secrets: I) -> Self {
        let mut all = Self::default();
        for secret in secrets {
            all.add(secret);
        }
        all
    }
}
