//! Parser directives: `# syntax=…`, `# escape=…`, `# check=…` before anything else in the file.

use super::error::SyntaxError;

/// Reads directives line by line until the first line that is none.
#[derive(Debug, Default)]
pub(super) struct Directives {
    seen: Vec<Directive>,
    over: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Directive {
    /// Names the frontend of BuildKit; Sampan has one frontend, so it has no effect here.
    Syntax,
    /// Sets the escape character.
    Escape(char),
    /// Configures BuildKit's build checks; it has no effect here.
    Check,
}

impl Directives {
    /// The directive on `line`, when directives are still possible and it is one.
    pub(super) fn read(&mut self, line: &str) -> Result<Option<Directive>, SyntaxError> {
        if self.over {
            return Ok(None);
        }
        let Some((name, value)) = split(line) else {
            self.over = true;
            return Ok(None);
        };
        let directive = match name.to_ascii_lowercase().as_str() {
            "syntax" => Directive::Syntax,
            "check" => Directive::Check,
            "escape" => match value {
                "\\" => Directive::Escape('\\'),
                "`" => Directive::Escape('`'),
                other => {
                    return Err(SyntaxError::EscapeToken {
                        token: other.to_owned(),
                    });
                }
            },
            _ => {
                self.over = true;
                return Ok(None);
            }
        };
        let same =
            |seen: &Directive| std::mem::discriminant(seen) == std::mem::discriminant(&directive);
        if self.seen.iter().any(same) {
            return Err(SyntaxError::RepeatedDirective {
                name: name.to_ascii_lowercase(),
            });
        }
        self.seen.push(directive.clone());
        Ok(Some(directive))
    }
}

/// `# name = value`: the name is a letter followed by letters and digits, the value is not empty.
fn split(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.strip_prefix('#')?.trim_start().split_once('=')?;
    let name = name.trim_end();
    let value = value.trim();
    let well_formed = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name
            .chars()
            .all(|character| character.is_ascii_alphanumeric());
    (well_formed && !value.is_empty()).then_some((name, value))
}
