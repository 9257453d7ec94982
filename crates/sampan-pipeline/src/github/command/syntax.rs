//! The two notations of commands.

use super::{Annotation, Command, CommandError, Severity};

/// A command as it is written.
#[derive(Debug)]
pub(super) struct Written {
    name: String,
    properties: Vec<(String, String)>,
    data: String,
}

const NAMES: [&str; 15] = [
    "add-mask",
    "add-matcher",
    "add-path",
    "debug",
    "echo",
    "endgroup",
    "error",
    "group",
    "notice",
    "remove-matcher",
    "save-state",
    "set-env",
    "set-output",
    "stop-commands",
    "warning",
];

/// Whether a line has what every command has.
pub(super) fn may_be_command(line: &[u8]) -> bool {
    let start = line.iter().position(|byte| !byte.is_ascii_whitespace());
    start.is_some_and(|start| line[start..].starts_with(b"::") || line[start] >= 0x80)
        || memchr::memmem::find(line, b"##[").is_some()
}

/// As much of the beginning of a line is looked at to tell whether a command stands there.
const HEAD_BYTES: usize = 256;

/// How much of the beginning of a line is text whatever follows.
pub(super) fn text_before(line: &[u8], has_begun: bool) -> usize {
    if !has_begun && may_become_command(&line[..line.len().min(HEAD_BYTES)]) {
        return 0;
    }
    if let Some(begin) = memchr::memmem::find(line, b"##[") {
        return begin;
    }
    let marks = line.iter().rev().take_while(|byte| **byte == b'#').count();
    line.len() - marks.min(2)
}

/// Whether a line that begins so may be a command with colons.
fn may_become_command(head: &[u8]) -> bool {
    let (text, may_go_on) = match std::str::from_utf8(head) {
        Ok(text) => (text, true),
        Err(error) => {
            let valid = &head[..error.valid_up_to()];
            // A character that has not come whole may still be white space.
            let is_open = error.error_len().is_none();
            (std::str::from_utf8(valid).unwrap_or_default(), is_open)
        }
    };
    match text.trim_start() {
        "" => may_go_on && head.len() < HEAD_BYTES,
        rest => "::".starts_with(rest) || rest.starts_with("::"),
    }
}

/// The command of a line. A name that is none is text; the token of `stop-commands` counts as one.
pub(super) fn parse(line: &str, token: Option<&str>) -> Option<Written> {
    let known = |name: &str| {
        NAMES.iter().any(|known| known.eq_ignore_ascii_case(name))
            || token.is_some_and(|token| token.eq_ignore_ascii_case(name))
    };
    colons(line, known).or_else(|| brackets(line, known))
}

/// `::name property=value,property=value::data`.
fn colons(line: &str, known: impl Fn(&str) -> bool) -> Option<Written> {
    let rest = line.trim_start().strip_prefix("::")?;
    let (head, data) = rest.split_once("::")?;
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    known(name).then(|| Written {
        name: name.to_ascii_lowercase(),
        properties: pairs(properties.trim(), ',', |value| {
            unescape(
                value,
                &[
                    ("%0D", "\r"),
                    ("%0A", "\n"),
                    ("%3A", ":"),
                    ("%2C", ","),
                    ("%25", "%"),
                ],
            )
        }),
        data: unescape(data, &[("%0D", "\r"), ("%0A", "\n"), ("%25", "%")]),
    })
}

/// `##[name property=value;property=value]data`, after any text.
fn brackets(line: &str, known: impl Fn(&str) -> bool) -> Option<Written> {
    let (_, rest) = line.split_once("##[")?;
    let (head, data) = rest.split_once(']')?;
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let unescape = |value: &str| {
        unescape(
            value,
            &[
                ("%3B", ";"),
                ("%0D", "\r"),
                ("%0A", "\n"),
                ("%5D", "]"),
                ("%25", "%"),
            ],
        )
    };
    known(name).then(|| Written {
        name: name.to_ascii_lowercase(),
        properties: pairs(properties, ';', unescape),
        data: unescape(data),
    })
}

fn pairs(text: &str, separator: char, unescape: impl Fn(&str) -> String) -> Vec<(String, String)> {
    text.split(separator)
        .filter_map(|pair| pair.trim_start_matches('=').split_once('='))
        .map(|(name, value)| (name.to_owned(), unescape(value.trim_start_matches('='))))
        .filter(|(_, value)| !value.is_empty())
        .collect()
}

fn unescape(text: &str, replacements: &[(&str, &str)]) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    replacements
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

impl Written {
    /// Whether the command has this name.
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// Whether the line is seen in the log: where the step asked for it, but never what is secret or shown by itself.
    pub(super) fn shown(&self, echo: bool) -> bool {
        echo && !matches!(
            &*self.name,
            "add-mask" | "debug" | "warning" | "error" | "notice"
        )
    }

    /// A property; the last counts where it comes twice.
    fn property(&self, name: &str) -> Option<&str> {
        self.properties
            .iter()
            .rev()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// What the command asks for.
    pub(super) fn understand(self, unsecure: bool) -> Command {
        self.try_understand(unsecure)
            .unwrap_or_else(Command::Refused)
    }

    fn named(&self, command: &'static str) -> Result<(String, String), CommandError> {
        let name = self.property("name").ok_or(CommandError::Missing {
            command,
            property: "name",
        })?;
        Ok((name.to_owned(), self.data.clone()))
    }

    fn try_understand(self, unsecure: bool) -> Result<Command, CommandError> {
        let missing = |command, property| CommandError::Missing { command, property };
        Ok(match &*self.name {
            "set-output" => {
                let (name, value) = self.named("set-output")?;
                Command::SetOutput { name, value }
            }
            "save-state" => {
                let (name, value) = self.named("save-state")?;
                Command::SaveState { name, value }
            }
            "set-env" if !unsecure => return Err(CommandError::Disabled { command: "set-env" }),
            "set-env" => {
                let (name, value) = self.named("set-env")?;
                Command::SetEnvironment { name, value }
            }
            "add-path" if !unsecure => {
                return Err(CommandError::Disabled {
                    command: "add-path",
                });
            }
            "add-path" if self.data.is_empty() => return Err(missing("add-path", "path")),
            "add-path" => Command::AddPath(self.data),
            "add-mask" if self.data.trim().is_empty() => {
                return Err(missing("add-mask", "text"));
            }
            "add-mask" => Command::AddMask(self.data),
            "debug" => Command::Debug(self.data),
            "error" => self.annotation(Severity::Error),
            "warning" => self.annotation(Severity::Warning),
            "notice" => self.annotation(Severity::Notice),
            "group" => Command::Group(self.data),
            "endgroup" => Command::EndGroup,
            "echo" => Command::Echo(echo(&self.data)?),
            "add-matcher" if self.data.is_empty() => return Err(missing("add-matcher", "file")),
            "add-matcher" => Command::AddMatcher(self.data),
            "remove-matcher" => {
                let owner = self.property("owner").map(str::to_owned);
                let file = Some(self.data.clone()).filter(|file| !file.is_empty());
                if owner.is_some() == file.is_some() {
                    return Err(CommandError::RemoveMatcher);
                }
                Command::RemoveMatcher { owner, file }
            }
            _ => Command::Stop(stop_token(self.data)?),
        })
    }

    fn annotation(&self, severity: Severity) -> Command {
        let number = |name| {
            self.property(name)
                .and_then(|text| text.trim().parse().ok())
        };
        Command::Annotation(
            Annotation {
                severity,
                message: self.data.clone(),
                title: self.property("title").map(str::to_owned),
                file: self.property("file").map(str::to_owned),
                line: number("line"),
                end_line: number("endLine"),
                column: number("col"),
                end_column: number("endColumn"),
            }
            .consistent(),
        )
    }
}

fn echo(value: &str) -> Result<bool, CommandError> {
    match &*value.trim().to_ascii_lowercase() {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(CommandError::Echo {
            value: value.to_owned(),
        }),
    }
}

fn stop_token(token: String) -> Result<String, CommandError> {
    let is_command = NAMES
        .iter()
        .chain(&["pause-logging"])
        .any(|known| known.eq_ignore_ascii_case(&token));
    if token.is_empty() || is_command {
        return Err(CommandError::StopToken);
    }
    Ok(token)
}
