//! `${NAME}` with the string operations of drone/envsubst, over the raw text of a file.
//!
//! Drone and Woodpecker substitute before they parse, all of them with the first major version of that library. `$$`
//! stands for `$`, `\\` for `\` and `\/` for `/`, also outside of substitutions; a variable that is not there is empty, and a
//! `${` that is no substitution is an error, because it would reach nobody. Operations: `${x}`, `${#x}`, `${x^}`,
//! `${x^^}`, `${x,}`, `${x,,}`, `${x:1}`, `${x:1:2}`, `${x#p}`, `${x##p}`, `${x%p}`, `${x%%p}`, `${x/a/b}`, `${x//a/b}`,
//! `${x/#a/b}`, `${x/%a/b}`, `${x=d}`, `${x:=d}`, `${x:-d}` (and `:?`, `:+`, which do the same); arguments may be
//! substitutions themselves.

use std::collections::BTreeSet;

use sampan_model::yaml::Location;

use crate::PipelineError;

mod operation;
mod pattern;

use operation::Operation;

/// How deep substitutions may stand within each other.
const LIMIT_DEPTH: usize = 16;
/// How long the result may be.
const LIMIT_BYTES: usize = sampan_model::yaml::LIMIT_BYTES;

/// How much work the substitutions of a text may take, in characters that are compared: the length of a value times that
/// of a pattern.
const LIMIT_WORK: usize = 20_000_000;

/// A text after substitution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Substituted {
    /// The text.
    pub text: String,
    /// The names that are not there and for which the text has no default.
    pub missing: BTreeSet<String>,
}

/// Replaces all substitutions of a text.
///
/// # Errors
/// [`PipelineError::Substitution`] when a `${` begins none, or the result would be larger than any file.
pub fn substitute(
    file: &str,
    text: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Substituted, PipelineError> {
    let mut scanner = Scanner {
        text,
        position: 0,
        variable,
        missing: BTreeSet::new(),
        work: LIMIT_WORK,
    };
    let text = scanner
        .document()
        .map_err(|(offset, problem)| located(file, text, offset, problem))?;
    Ok(Substituted {
        text,
        missing: scanner.missing,
    })
}

fn located(file: &str, text: &str, offset: usize, problem: String) -> PipelineError {
    let before = &text[..offset];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    let rest = &text[offset..];
    let end = rest.find(['\n', '}']).map_or(rest.len(), |end| {
        end + usize::from(rest[end..].starts_with('}'))
    });
    PipelineError::Substitution {
        location: Location {
            file: file.into(),
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
        },
        problem,
        source_text: rest[..end].chars().take(80).collect(),
    }
}

/// A problem with the place of the outermost substitution.
type Problem = (usize, String);

struct Scanner<'a> {
    text: &'a str,
    position: usize,
    variable: &'a dyn Fn(&str) -> Option<String>,
    missing: BTreeSet<String>,
    /// How much work may still be done.
    work: usize,
}

impl Scanner<'_> {
    fn document(&mut self) -> Result<String, Problem> {
        let mut result = String::with_capacity(self.text.len());
        while self.position < self.text.len() {
            result.push_str(&self.escaped(|_| true));
            let begin = self.position;
            if self.skip("${") {
                let value = self.call(0).map_err(|problem| (begin, problem))?;
                result.push_str(&value);
            }
            if result.len() > LIMIT_BYTES {
                return Err((begin, format!("more than {LIMIT_BYTES} bytes of text")));
            }
        }
        Ok(result)
    }

    /// A substitution after its `${`.
    fn call(&mut self, depth: usize) -> Result<String, String> {
        if depth > LIMIT_DEPTH {
            return Err(format!("more than {LIMIT_DEPTH} levels"));
        }
        if self.peek() == Some('#') {
            self.skip("#");
            let name = self.name("no name")?;
            self.close()?;
            return Ok(self.value(&name, true).len().to_string());
        }
        let name = self.name("no name")?;
        let operation = match self.peek() {
            Some('}') => Operation::Value,
            Some(':' | '=' | ',' | '^' | '/' | '#' | '%') => self.operation(),
            _ => return Err("no closing brace after the name".to_owned()),
        };
        let arguments = self.arguments(operation, depth)?;
        let value = self.value(&name, operation != Operation::Default);
        let cost = operation.cost(&value, &arguments);
        self.work = self
            .work
            .checked_sub(cost)
            .ok_or("more work over long values than a text may cause")?;
        operation.apply(value, &arguments)
    }

    fn value(&mut self, name: &str, expected: bool) -> String {
        match (self.variable)(name) {
            // A value of several lines would break the document that it is put into.
            Some(value) if value.contains('\n') => crate::quote::quoted(&value),
            Some(value) => value,
            None => {
                if expected {
                    self.missing.insert(name.to_owned());
                }
                String::new()
            }
        }
    }

    fn operation(&mut self) -> Operation {
        let rest = &self.text[self.position..];
        let (length, operation) = Operation::at_beginning_of(rest);
        self.position += length;
        operation
    }

    /// The arguments up to and with the closing brace.
    fn arguments(&mut self, operation: Operation, depth: usize) -> Result<Vec<String>, String> {
        let mut arguments = Vec::new();
        match operation {
            Operation::Value | Operation::Case(_) => {}
            Operation::Default => {
                while self.peek() != Some('}') {
                    arguments.push(self.argument(depth, false, |c| c != '}')?);
                }
            }
            Operation::Trim(_) => arguments.push(self.argument(depth, false, |c| c != '}')?),
            Operation::Part => {
                arguments.push(self.argument(depth, false, |c| c != ':' && c != '}')?);
                if self.peek() == Some(':') {
                    while self.skip(":") {}
                    arguments.push(self.argument(depth, false, |c| c != '}')?);
                }
            }
            Operation::Replace(_) => {
                arguments.push(self.argument(depth, true, |c| c != '/')?);
                if !self.skip("/") {
                    return Err("no `/` after the text to replace".to_owned());
                }
                while self.skip("/") {}
                if self.peek() != Some('}') {
                    arguments.push(self.argument(depth, true, |c| c != '}')?);
                }
            }
        }
        self.close()?;
        Ok(arguments)
    }

    fn argument(
        &mut self,
        depth: usize,
        escapes: bool,
        accept: impl Fn(char) -> bool,
    ) -> Result<String, String> {
        if self.skip("${") {
            return self.call(depth + 1);
        }
        let begin = self.position;
        let text = if escapes {
            self.escaped(accept)
        } else {
            self.plain(accept)
        };
        if self.position == begin {
            return Err("an argument is missing".to_owned());
        }
        Ok(text)
    }

    /// Text up to `${` or a character that is not accepted, without escapes.
    fn plain(&mut self, accept: impl Fn(char) -> bool) -> String {
        let rest = &self.text[self.position..];
        let end = rest
            .char_indices()
            .find(|(index, c)| !accept(*c) || rest[*index..].starts_with("${"))
            .map_or(rest.len(), |(index, _)| index);
        self.position += end;
        rest[..end].to_owned()
    }

    /// Text up to `${` or a character that is not accepted; what is escaped is taken as it is.
    fn escaped(&mut self, accept: impl Fn(char) -> bool) -> String {
        let mut result = String::new();
        while let Some(c) = self.peek() {
            let rest = &self.text[self.position..];
            if rest.starts_with("${") {
                break;
            }
            if ["$$", r"\\", r"\/"].iter().any(|two| rest.starts_with(two)) {
                result.push_str(&rest[1..2]);
                self.position += 2;
            } else if accept(c) {
                result.push(c);
                self.position += c.len_utf8();
            } else {
                break;
            }
        }
        result
    }

    fn name(&mut self, problem: &str) -> Result<String, String> {
        let rest = &self.text[self.position..];
        let end = rest
            .find(|c: char| !(c.is_alphabetic() || c.is_numeric() || c == '_'))
            .unwrap_or(rest.len());
        if end == 0 {
            return Err(problem.to_owned());
        }
        self.position += end;
        Ok(rest[..end].to_owned())
    }

    fn close(&mut self) -> Result<(), String> {
        if self.skip("}") {
            Ok(())
        } else {
            Err("no closing brace".to_owned())
        }
    }

    fn peek(&self) -> Option<char> {
        self.text[self.position..].chars().next()
    }

    fn skip(&mut self, expected: &str) -> bool {
        let found = self.text[self.position..].starts_with(expected);
        if found {
            self.position += expected.len();
        }
        found
    }
}
