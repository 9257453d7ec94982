//! Whether stages and steps run, and why.

use sampan_model::yaml::Location;
use serde::Serialize;

use super::Expression;

/// Whether something runs as far as it is known before the run, with the conditions that were looked at.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Verdict {
    /// The conditions that do not hold; without any, it runs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub against: Vec<Reason>,
    /// The conditions that were looked at and hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub for_it: Vec<Reason>,
}

/// A condition with what was found, as `sampan ci explain` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Reason {
    /// Where the condition stands; `None` when it is no line of a file, like `[skip ci]` in a commit's message.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "option_as_text"
    )]
    pub location: Option<Location>,
    /// What was found, as a sentence without a full stop: "the branch `x` is none of `main`, `release/*`".
    pub text: String,
}

impl Verdict {
    /// Whether nothing speaks against it.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.against.is_empty()
    }

    /// Notes a condition.
    pub fn note(&mut self, holds: bool, location: Option<&Location>, text: String) {
        let reason = Reason {
            location: location.cloned(),
            text,
        };
        if holds {
            self.for_it.push(reason);
        } else {
            self.against.push(reason);
        }
    }
}

/// How what comes before must have ended for something to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunWhen {
    /// By the state of what came before.
    Status {
        /// It runs when all is well so far.
        success: bool,
        /// It runs when something has failed.
        failure: bool,
    },
    /// By an expression that is evaluated when its turn has come, and that says itself what happens after a failure.
    Expression(Expression),
}

impl RunWhen {
    /// It runs when all is well so far.
    pub const SUCCESS: Self = Self::Status {
        success: true,
        failure: false,
    };

    /// Whether it is the rule that holds where a file says nothing.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::SUCCESS
    }
}

impl Default for RunWhen {
    fn default() -> Self {
        Self::SUCCESS
    }
}

#[expect(
    clippy::ref_option,
    reason = "the signature is given by `serialize_with`"
)]
fn option_as_text<S: serde::Serializer>(
    location: &Option<Location>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match location {
        Some(location) => serializer.collect_str(location),
        None => serializer.serialize_none(),
    }
}
