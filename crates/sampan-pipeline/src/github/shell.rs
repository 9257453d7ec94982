//! How the script of a step is run.

use sampan_model::{Hint, shortened};

use super::container::words;

/// A program with arguments that runs a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// The program, found by the step's `PATH`.
    pub program: String,
    /// The program to take where the first is not there.
    pub otherwise: Option<String>,
    /// The arguments, in which `{0}` stands for the script's file.
    arguments: Vec<String>,
    /// How the name of the script's file ends, without the point.
    pub extension: &'static str,
}

/// Why a script cannot be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShellError {
    /// A command line without a place for the script.
    #[error("`{shell}` is no shell")]
    Unknown {
        /// The shell as written.
        shell: String,
    },
    /// A shell of Windows.
    #[error("the shell `{shell}` is not supported")]
    Unsupported {
        /// The shell.
        shell: String,
    },
}

impl Hint for ShellError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown { .. } => Some(
                "write bash, sh or python, or a command line in which `{0}` stands for the script's file"
                    .to_owned(),
            ),
            Self::Unsupported { shell } => Some(format!(
                "steps run on Linux; where the image has the program, write `shell: {shell} … {{0}}` with its arguments"
            )),
        }
    }
}

impl Invocation {
    /// How a script is run by a shell, or where nothing is said.
    ///
    /// # Errors
    /// [`ShellError`] when there is no such shell.
    pub fn of(shell: Option<&str>) -> Result<Self, ShellError> {
        let Some(shell) = shell.filter(|shell| !shell.is_empty()) else {
            return Ok(Self::new("bash", Some("sh"), &["-e", "{0}"], "sh"));
        };
        match &*shell.to_ascii_lowercase() {
            "bash" => {
                let arguments = ["--noprofile", "--norc", "-e", "-o", "pipefail", "{0}"];
                return Ok(Self::new("bash", None, &arguments, "sh"));
            }
            "sh" => return Ok(Self::new("sh", None, &["-e", "{0}"], "sh")),
            "python" => return Ok(Self::new("python", None, &["{0}"], "py")),
            name @ ("pwsh" | "powershell" | "cmd") => {
                return Err(ShellError::Unsupported {
                    shell: name.to_owned(),
                });
            }
            _ => {}
        }
        Self::custom(shell).ok_or_else(|| ShellError::Unknown {
            shell: shortened(shell, 80),
        })
    }

    /// A command line with a place for the script.
    fn custom(shell: &str) -> Option<Self> {
        let mut words = words(shell)?.into_iter();
        let program = words.next()?;
        let arguments: Vec<String> = words.collect();
        let extension = match &*program.to_ascii_lowercase() {
            "bash" | "sh" => "sh",
            "python" => "py",
            "pwsh" | "powershell" => "ps1",
            _ => "",
        };
        let has_place = arguments.iter().any(|argument| argument.contains("{0}"));
        has_place.then_some(Self {
            program,
            otherwise: None,
            arguments,
            extension,
        })
    }

    fn new(
        program: &str,
        otherwise: Option<&str>,
        arguments: &[&str],
        extension: &'static str,
    ) -> Self {
        Self {
            program: program.to_owned(),
            otherwise: otherwise.map(str::to_owned),
            arguments: arguments.iter().map(ToString::to_string).collect(),
            extension,
        }
    }

    /// The arguments with the script's file in its place; doubled braces are braces.
    #[must_use]
    pub fn arguments(&self, script: &str) -> Vec<String> {
        self.arguments
            .iter()
            .map(|argument| {
                let parts: Vec<_> = argument
                    .split("{0}")
                    .map(|part| part.replace("{{", "{").replace("}}", "}"))
                    .collect();
                parts.join(script)
            })
            .collect()
    }
}
