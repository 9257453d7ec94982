//! Constraints on versions, as the library Masterminds/semver has them: `^1.2`, `>= 1.2, < 2 || 3.x`, `1.2 - 1.5`.

use std::sync::LazyLock;

use regex_automata::meta::Regex;
use regex_automata::util::captures::Captures;

use super::{Version, compare_prereleases};

/// A text that is no constraint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConstraintError {
    /// It does not have the form of one.
    #[error("improper constraint: {0}")]
    Form(String),
    /// It has the form, but with parts that no version can have.
    #[error("constraint Parser Error")]
    Version,
}

/// Alternatives, each of which may have several conditions.
#[derive(Debug, Clone)]
pub struct Constraint {
    alternatives: Vec<Vec<Condition>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    Tilde,
    Caret,
}

/// What of a condition's version is left open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Nothing,
    Patch,
    Minor,
    Major,
}

#[derive(Debug, Clone)]
struct Condition {
    operator: Operator,
    version: Version,
    open: Open,
}

struct Patterns {
    /// `1.2 - 1.5`, with both versions.
    range: Regex,
    /// A condition anywhere.
    condition: Regex,
    /// A condition alone: its operator, its version, the parts of that.
    parts: Regex,
    /// Conditions with blanks or commas between them.
    conditions: Regex,
}

static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| {
    const BLANK: &str = r"[\t\n\f\r ]";
    let operator = r"(?:=||!=|>|<|>=|=>|<=|=<|~|~>|\^)";
    let number = r"[0-9|xX*]+";
    let names = r"[0-9A-Za-z\-]+(?:\.[0-9A-Za-z\-]+)*";
    let parts = format!(r"v?({number})(\.{number})?(\.{number})?(-{names})?(?:\+{names})?");
    let version = parts.replace('(', "(?:").replace("(?:?:", "(?:");
    let condition = format!("{operator}{BLANK}*{version}");
    let compile = |pattern: &str| Regex::new(pattern).expect("the patterns are fixed");
    Patterns {
        range: compile(&format!(
            "{BLANK}*({version}){BLANK}+-{BLANK}+({version}){BLANK}*"
        )),
        condition: compile(&condition),
        parts: compile(&format!("^{BLANK}*({operator}){BLANK}*({parts}){BLANK}*$")),
        conditions: compile(&format!(
            "^{BLANK}*{condition}{BLANK}*(?:(?:{BLANK}+|,{BLANK}*){condition}{BLANK}*)*$"
        )),
    }
});

impl Constraint {
    /// Reads a constraint.
    ///
    /// # Errors
    /// Fails on what is none, with the words of the library.
    pub fn parse(text: &str) -> Result<Self, ConstraintError> {
        let text = without_ranges(text);
        let alternatives = text.split("||").map(|text| {
            if !PATTERNS.conditions.is_match(text) {
                return Err(ConstraintError::Form(text.to_owned()));
            }
            let found = PATTERNS.condition.find_iter(text);
            found
                .map(|found| Condition::parse(&text[found.range()]))
                .collect()
        });
        let alternatives = alternatives.collect::<Result<_, _>>()?;
        Ok(Self { alternatives })
    }

    /// Whether a version is allowed. A pre-release is only where each condition names one.
    #[must_use]
    pub fn allows(&self, version: &Version) -> bool {
        let allowed =
            |condition: &Condition| condition.admits(version) && condition.allows(version);
        self.alternatives.iter().any(|all| all.iter().all(allowed))
    }

    /// The same as the library's later releases have it, and Helm 4: one condition that names a pre-release is enough for
    /// those that stand beside it.
    #[must_use]
    pub fn allows_together(&self, version: &Version) -> bool {
        self.alternatives.iter().any(|all| {
            let names_one = all
                .iter()
                .any(|condition| !condition.version.prerelease.is_empty());
            (version.prerelease.is_empty() || names_one)
                && all.iter().all(|condition| condition.allows(version))
        })
    }
}

fn group<'a>(text: &'a str, captures: &Captures, index: usize) -> &'a str {
    captures
        .get_group(index)
        .map_or("", |group| &text[group.range()])
}

/// Ranges by a hyphen, as two conditions.
fn without_ranges(text: &str) -> String {
    let mut rewritten = text.to_owned();
    for captures in PATTERNS.range.captures_iter(text) {
        let part = |index| group(text, &captures, index);
        let conditions = format!(">= {}, <= {} ", part(1), part(2));
        rewritten = rewritten.replacen(part(0), &conditions, 1);
    }
    rewritten
}

impl Condition {
    fn parse(text: &str) -> Result<Self, ConstraintError> {
        let mut captures = PATTERNS.parts.create_captures();
        PATTERNS.parts.captures(text, &mut captures);
        if !captures.is_match() {
            return Err(ConstraintError::Form(text.to_owned()));
        }
        let part = |index| group(text, &captures, index);
        let operator = match part(1) {
            "!=" => Operator::NotEqual,
            ">" => Operator::Greater,
            "<" => Operator::Less,
            ">=" | "=>" => Operator::GreaterOrEqual,
            "<=" | "=<" => Operator::LessOrEqual,
            "~" | "~>" => Operator::Tilde,
            "^" => Operator::Caret,
            _ => Operator::Equal,
        };
        let (major, minor, patch, prerelease) = (part(3), part(4), part(5), part(6));
        let is_open = |part: &str| matches!(part.trim_start_matches('.'), "" | "x" | "X" | "*");
        let (open, version) = if is_open(major) {
            (Open::Major, format!("0.0.0{prerelease}"))
        } else if is_open(minor) {
            (Open::Minor, format!("{major}.0.0{prerelease}"))
        } else if is_open(patch) {
            (Open::Patch, format!("{major}{minor}.0{prerelease}"))
        } else {
            (Open::Nothing, part(2).to_owned())
        };
        let version = Version::parse(&version).map_err(|_| ConstraintError::Version)?;
        Ok(Self {
            operator,
            version,
            open,
        })
    }

    /// Whether a pre-release may be looked at: if the condition names one, too, or excludes one version only.
    fn admits(&self, version: &Version) -> bool {
        version.prerelease.is_empty()
            || !self.version.prerelease.is_empty()
            || (self.operator == Operator::NotEqual && self.open == Open::Nothing)
    }

    fn allows(&self, version: &Version) -> bool {
        let own = &self.version;
        let is_exact = self.open == Open::Nothing;
        let order = version.compare(own);
        match self.operator {
            Operator::NotEqual => self.differs(version),
            Operator::Greater => self.is_below(version),
            Operator::Less => order.is_lt(),
            Operator::GreaterOrEqual => order.is_ge(),
            Operator::LessOrEqual if is_exact => order.is_le(),
            Operator::LessOrEqual => {
                let is_minor_beyond = version.major == own.major && version.minor > own.minor;
                version.major <= own.major && !(is_minor_beyond && self.open != Open::Minor)
            }
            Operator::Equal if is_exact => order.is_eq(),
            Operator::Equal | Operator::Tilde => self.is_close_to(version),
            Operator::Caret => self.is_compatible_with(version),
        }
    }

    fn differs(&self, version: &Version) -> bool {
        let own = &self.version;
        match self.open {
            _ if self.open != Open::Nothing && version.major != own.major => true,
            Open::Minor => false,
            Open::Patch | Open::Major if version.minor != own.minor => true,
            Open::Patch => {
                let has_prerelease = !version.prerelease.is_empty() || !own.prerelease.is_empty();
                has_prerelease && compare_prereleases(&version.prerelease, &own.prerelease).is_ne()
            }
            Open::Major if version.patch != own.patch => true,
            Open::Nothing | Open::Major => version.compare(own).is_ne(),
        }
    }

    fn is_below(&self, version: &Version) -> bool {
        let own = &self.version;
        match self.open {
            Open::Nothing => version.compare(own).is_gt(),
            _ if version.major != own.major => version.major > own.major,
            Open::Minor => false,
            Open::Patch => version.minor > own.minor,
            Open::Major => version.compare(own).is_gt(),
        }
    }

    fn is_close_to(&self, version: &Version) -> bool {
        let own = &self.version;
        if version.compare(own).is_lt() {
            return false;
        }
        let is_zero = (own.major, own.minor, own.patch) == (0, 0, 0);
        if is_zero && matches!(self.open, Open::Nothing | Open::Major) {
            return true;
        }
        version.major == own.major && (self.open == Open::Minor || version.minor == own.minor)
    }

    fn is_compatible_with(&self, version: &Version) -> bool {
        let own = &self.version;
        if version.compare(own).is_lt() {
            return false;
        }
        if own.major > 0 || self.open == Open::Minor || version.major > 0 {
            return version.major == own.major;
        }
        if own.minor > 0 || self.open == Open::Patch || version.minor > 0 {
            return version.minor == own.minor;
        }
        version.patch == own.patch
    }
}
