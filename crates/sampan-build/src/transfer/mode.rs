//! `--chmod`: an octal number, or changes as `chmod` takes them.

use crate::error::StepError;

/// A mode to give to copied files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mode {
    text: String,
    change: Change,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Change {
    Octal(u32),
    Symbolic(Vec<Clause>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Clause {
    /// The read, write and execute bits of whom it is about, set-id and sticky bits included.
    who: u32,
    operator: char,
    permissions: String,
}

impl Mode {
    pub(crate) fn parse(text: &str) -> Result<Self, StepError> {
        let change = match u32::from_str_radix(text, 8) {
            Ok(mode) if mode <= 0o7777 => Some(Change::Octal(mode)),
            Ok(_) => None,
            Err(_) => text
                .split(',')
                .map(clause)
                .collect::<Option<_>>()
                .map(Change::Symbolic),
        };
        match change {
            Some(change) => Ok(Self {
                text: text.to_owned(),
                change,
            }),
            None => Err(StepError::Mode {
                mode: text.to_owned(),
            }),
        }
    }

    /// The mode as written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The mode of a file that had `current`.
    pub(crate) fn apply(&self, current: u32, is_folder: bool) -> u32 {
        match &self.change {
            Change::Octal(mode) => *mode,
            Change::Symbolic(clauses) => clauses.iter().fold(current & 0o7777, |mode, clause| {
                clause.apply(mode, is_folder)
            }),
        }
    }
}

impl Clause {
    fn apply(&self, mode: u32, is_folder: bool) -> u32 {
        let executable = is_folder || mode & 0o111 != 0;
        let bits = self.permissions.chars().fold(0, |bits, permission| {
            bits | match permission {
                'r' => 0o444,
                'w' => 0o222,
                'x' => 0o111,
                'X' if executable => 0o111,
                's' => 0o6000,
                't' => 0o1000,
                _ => 0,
            }
        });
        let bits = bits & self.who;
        match self.operator {
            '+' => mode | bits,
            '-' => mode & !bits,
            _ => (mode & !self.who) | bits,
        }
    }
}

fn clause(text: &str) -> Option<Clause> {
    let operator_at = text.find(['+', '-', '='])?;
    let (who, rest) = text.split_at(operator_at);
    let mut who_bits = 0;
    for letter in who.chars() {
        who_bits |= match letter {
            'u' => 0o4700,
            'g' => 0o2070,
            'o' => 0o1007,
            'a' => 0o7777,
            _ => return None,
        };
    }
    let who = if who.is_empty() { 0o7777 } else { who_bits };
    let operator = rest.chars().next()?;
    let permissions = &rest[1..];
    permissions
        .chars()
        .all(|letter| "rwxXst".contains(letter))
        .then(|| Clause {
            who,
            operator,
            permissions: permissions.to_owned(),
        })
}

#[cfg(test)]
mod tests {
    use super::Mode;

    #[test]
    fn modes_change_what_they_name() {
        for (text, before, is_folder, after) in [
            ("755", 0o600, false, 0o755),
            ("u+x", 0o644, false, 0o744),
            ("go-rwx", 0o755, false, 0o700),
            ("a=r", 0o755, false, 0o444),
            ("u=rwX,go=rX", 0o600, true, 0o755),
            ("u=rwX,go=rX", 0o600, false, 0o644),
            ("+t", 0o755, true, 0o1755),
            ("u+s", 0o755, false, 0o4755),
        ] {
            let mode = Mode::parse(text).expect(text).apply(before, is_folder);
            assert_eq!(mode, after, "{text}: {mode:o}");
        }
        for text in ["", "8", "77777", "u", "z+x", "u+q", "u+x,"] {
            assert!(Mode::parse(text).is_err(), "{text}");
        }
    }
}
