//! The small part of Go's templates that plugins are given: fields, functions with texts, and `if`.
//!
//! `{{ .Name }}`, `{{ .Repo.Name }}`, `{{ checksum "go.sum" }}`, `{{ if eq .Status "success" }} … {{ else if … }} …
//! {{ else }} … {{ end }}`, with `eq`, `ne`, `not`, `and` and `or`; `{{-` and `-}}` take white space away.
//! Anything else is an error that shows it.

use std::borrow::Cow;

/// How deep `if` may stand within each other.
const LIMIT_DEPTH: usize = 32;
/// How long the text may be.
const LIMIT_BYTES: usize = 1 << 20;

/// Gives what a function makes of its parameters; `None` when there is no such function.
pub(super) type Function<'a> = dyn Fn(&str, &[String]) -> Option<Result<String, String>> + 'a;

/// Renders a template. Fields are asked for by their way without the first dot, functions by name and parameters.
///
/// # Errors
/// What is wrong, as a sentence without a full stop.
pub(super) fn render(
    template: &str,
    field: &dyn Fn(&str) -> Option<String>,
    function: &Function<'_>,
) -> Result<String, String> {
    let mut rendering = Rendering {
        pieces: pieces(template)?,
        next: 0,
        field,
        function,
        result: String::new(),
    };
    match rendering.block(true, 0)? {
        End::Template => Ok(rendering.result),
        End::Else(_) | End::OfBlock => {
            Err("an `else` or `end` stands outside of any `if`".to_owned())
        }
    }
}

enum Piece<'a> {
    Text(&'a str),
    Action(&'a str),
}

/// How a part of a template ended.
enum End {
    Template,
    OfBlock,
    /// The condition behind `else`, empty without one.
    Else(String),
}

fn pieces(template: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut pieces = Vec::new();
    let mut rest = template;
    let mut trims = false;
    while let Some(open) = rest.find("{{") {
        let mut text = &rest[..open];
        if trims {
            text = text.trim_start();
        }
        let inner = &rest[open + 2..];
        let end = inner.find("}}").ok_or("a `{{` is not closed")?;
        let mut action = &inner[..end];
        if let Some(trimmed) = action.strip_prefix("- ") {
            text = text.trim_end();
            action = trimmed;
        }
        trims = action.ends_with(" -");
        action = action.strip_suffix(" -").unwrap_or(action);
        pieces.push(Piece::Text(text));
        pieces.push(Piece::Action(action.trim()));
        rest = &inner[end + 2..];
    }
    pieces.push(Piece::Text(if trims { rest.trim_start() } else { rest }));
    Ok(pieces)
}

struct Rendering<'a> {
    pieces: Vec<Piece<'a>>,
    next: usize,
    field: &'a dyn Fn(&str) -> Option<String>,
    function: &'a Function<'a>,
    result: String,
}

impl Rendering<'_> {
    /// Renders up to the next `else` or `end`, or passes it by.
    fn block(&mut self, is_shown: bool, depth: usize) -> Result<End, String> {
        if depth > LIMIT_DEPTH {
            return Err("it is nested too deeply".to_owned());
        }
        while let Some(piece) = self.pieces.get(self.next) {
            self.next += 1;
            let action = match piece {
                Piece::Text(text) => {
                    if is_shown {
                        self.result.push_str(text);
                    }
                    continue;
                }
                Piece::Action(action) => (*action).to_owned(),
            };
            if self.result.len() > LIMIT_BYTES {
                return Err("the text is too long".to_owned());
            }
            let (word, rest) = action
                .split_once(char::is_whitespace)
                .unwrap_or((&action, ""));
            match word {
                "end" => return Ok(End::OfBlock),
                "else" => {
                    let rest = rest.trim();
                    let condition = rest.strip_prefix("if ").unwrap_or(rest);
                    return Ok(End::Else(condition.trim().to_owned()));
                }
                "if" => self.choice(rest, is_shown, depth)?,
                _ if action.starts_with("/*") => {}
                _ if is_shown => {
                    let value = self.value(&action)?;
                    self.result.push_str(&value);
                }
                _ => {}
            }
        }
        Ok(End::Template)
    }

    fn choice(&mut self, condition: &str, is_shown: bool, depth: usize) -> Result<(), String> {
        let mut condition = condition.trim().to_owned();
        let mut is_open = is_shown;
        loop {
            let holds = is_open && (condition.is_empty() || is_true(&self.value(&condition)?));
            match self.block(holds, depth + 1)? {
                End::OfBlock => return Ok(()),
                End::Template => return Err("an `if` has no `end`".to_owned()),
                End::Else(next) => condition = next,
            }
            is_open = is_open && !holds;
        }
    }

    fn value(&self, expression: &str) -> Result<Cow<'static, str>, String> {
        let words = words(expression)?;
        let mut parts = words.into_iter();
        let unknown = || format!("`{{{{ {expression} }}}}` is not supported");
        let first = parts.next().ok_or_else(unknown)?;
        let values: Vec<String> = parts
            .map(|word| self.word(&word).ok_or_else(unknown))
            .collect::<Result<_, _>>()?;
        let truth = |holds: bool| Ok(Cow::Borrowed(if holds { "true" } else { "false" }));
        let name = match first {
            Word::Name(name) => name,
            literal if values.is_empty() => {
                return self.word(&literal).map(Cow::Owned).ok_or_else(unknown);
            }
            _ => return Err(unknown()),
        };
        match (name.as_str(), values.as_slice()) {
            ("eq", [first, rest @ ..]) if !rest.is_empty() => truth(rest.contains(first)),
            ("ne", [first, second]) => truth(first != second),
            ("not", [value]) => truth(!is_true(value)),
            ("and", [.., _]) => Ok(Cow::Owned(
                values
                    .iter()
                    .find(|value| !is_true(value))
                    .or(values.last())
                    .cloned()
                    .unwrap_or_default(),
            )),
            ("or", [.., _]) => Ok(Cow::Owned(
                values
                    .iter()
                    .find(|value| is_true(value))
                    .or(values.last())
                    .cloned()
                    .unwrap_or_default(),
            )),
            (name, values) => (self.function)(name, values)
                .ok_or_else(unknown)?
                .map(Cow::Owned),
        }
    }

    fn word(&self, word: &Word) -> Option<String> {
        match word {
            Word::Field(way) => (self.field)(way),
            Word::Text(text) => Some(text.clone()),
            Word::Name(name) if matches!(name.as_str(), "true" | "false") => Some(name.clone()),
            Word::Name(name) => name.parse::<i64>().ok().map(|number| number.to_string()),
        }
    }
}

/// What Go takes for false: nothing, zero, false.
fn is_true(value: &str) -> bool {
    !matches!(value, "" | "0" | "false")
}

enum Word {
    Field(String),
    Text(String),
    Name(String),
}

fn words(expression: &str) -> Result<Vec<Word>, String> {
    let mut words = Vec::new();
    let mut rest = expression.trim_start();
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '"' | '`' => {
                let end = rest[1..]
                    .find(first)
                    .ok_or("a text in quotes is not closed")?
                    + 1;
                words.push(Word::Text(rest[1..end].replace("\\n", "\n")));
                end + 1
            }
            '(' | ')' | '|' | '$' | ':' => {
                return Err(format!("`{{{{ {expression} }}}}` is not supported"));
            }
            _ => {
                let end = rest
                    .find(|c: char| c.is_whitespace() || "()|\"`".contains(c))
                    .unwrap_or(rest.len());
                let word = &rest[..end];
                words.push(match word.strip_prefix('.') {
                    Some(way) => Word::Field(way.to_owned()),
                    None => Word::Name(word.to_owned()),
                });
                end
            }
        };
        rest = rest[taken..].trim_start();
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::render;

    #[test]
    fn the_usual_templates_are_rendered() {
        let field = |way: &str| match way {
            "Status" => Some("success".to_owned()),
            "Repo.Name" => Some("hello".to_owned()),
            "Tag" => Some(String::new()),
            _ => None,
        };
        let function = |name: &str, values: &[String]| match (name, values) {
            ("arch", []) => Some(Ok("amd64".to_owned())),
            ("checksum", [file]) => Some(Ok(format!("<{file}>"))),
            ("fail", _) => Some(Err("it fails".to_owned())),
            _ => None,
        };
        let render = |template: &str| render(template, &field, &function);
        for (template, expected) in [
            (
                "{{ .Repo.Name }}-{{ checksum \"go.sum\" }}_{{arch}}",
                "hello-<go.sum>_amd64",
            ),
            ("{{if eq .Status \"success\" }}a{{else}}b{{end}}", "a"),
            (
                "{{if ne .Status \"success\"}}a{{else if .Tag}}b{{else}}c{{end}}",
                "c",
            ),
            ("{{if not .Tag}}{{if .Tag}}x{{else}}y{{end}}{{end}}", "y"),
            ("a {{- .Status -}} b", "asuccessb"),
            ("{{or .Tag .Status}} {{and .Tag .Status}}.", "success ."),
            ("{{/* note */}}x", "x"),
        ] {
            assert_eq!(render(template).as_deref(), Ok(expected), "{template}");
        }
        for template in [
            "{{ .Other }}",
            "{{ fail }}",
            "{{ x | y }}",
            "{{",
            "{{if .Tag}}",
            "{{end}}",
            "{{ range .Tag }}",
        ] {
            assert!(render(template).is_err(), "{template}");
        }
    }
}
