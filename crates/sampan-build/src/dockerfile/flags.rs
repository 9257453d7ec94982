//! The `--name[=value]` flags of an instruction.

use sampan_model::nearest;

use super::error::SyntaxError;

/// How a flag of an instruction takes values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `--flag`, `--flag=true` or `--flag=false`.
    Switch,
    /// `--flag=value`, once.
    Value,
    /// `--flag=value`, any number of times.
    Values,
}

/// The flags that an instruction was given, checked against those that it has.
pub(super) struct Flags {
    given: Vec<(&'static str, String)>,
}

impl Flags {
    pub(super) fn read(
        keyword: &'static str,
        words: &[String],
        known: &[(&'static str, Kind)],
    ) -> Result<Self, SyntaxError> {
        let mut given: Vec<(&'static str, String)> = Vec::new();
        for word in words {
            let word = word.strip_prefix("--").unwrap_or(word);
            let (flag, value) = match word.split_once('=') {
                Some((flag, value)) => (flag, Some(value)),
                None => (word, None),
            };
            let Some(&(name, kind)) = known.iter().find(|(name, _)| *name == flag) else {
                let suggestion = nearest(flag, known.iter().map(|(name, _)| *name));
                return Err(SyntaxError::UnknownFlag {
                    keyword,
                    flag: flag.to_owned(),
                    suggestion,
                });
            };
            if kind != Kind::Values && given.iter().any(|(seen, _)| *seen == name) {
                return Err(SyntaxError::RepeatedFlag {
                    flag: name.to_owned(),
                });
            }
            given.push((name, checked_value(name, kind, value)?));
        }
        Ok(Self { given })
    }

    pub(super) fn value(&self, flag: &str) -> Option<String> {
        self.values(flag).pop()
    }

    pub(super) fn values(&self, flag: &str) -> Vec<String> {
        let given = self.given.iter().filter(|(name, _)| *name == flag);
        given.map(|(_, value)| value.clone()).collect()
    }

    pub(super) fn switch(&self, flag: &str) -> Option<bool> {
        self.value(flag).map(|value| value == "true")
    }
}

fn checked_value(flag: &str, kind: Kind, value: Option<&str>) -> Result<String, SyntaxError> {
    let wrong = |expected| SyntaxError::FlagValue {
        flag: flag.to_owned(),
        value: value.unwrap_or_default().to_owned(),
        expected,
    };
    match (kind, value) {
        (Kind::Switch, None) => Ok("true".to_owned()),
        (Kind::Switch, Some(value)) => match value.to_ascii_lowercase().as_str() {
            lower @ ("true" | "false") => Ok(lower.to_owned()),
            _ => Err(wrong("`true` or `false`")),
        },
        (_, None) => Err(wrong("a value")),
        (_, Some(value)) => Ok(value.to_owned()),
    }
}
