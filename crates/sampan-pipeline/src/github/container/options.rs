//! `options` of a container: what `docker create` takes.

use std::time::Duration;

use sampan_model::nearest;
use sampan_model::yaml::Location;

use crate::PipelineError;

/// Options of `docker create` that were read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// How the container is asked whether it is well.
    pub health: HealthCheck,
    /// The other options with their values, in their order: `--cpus` with `2`, `--privileged` without one.
    pub others: Vec<(String, Option<String>)>,
}

/// How a container is asked whether it is well.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HealthCheck {
    /// A command of the shell; it is well when that exits with 0.
    pub command: Option<String>,
    /// The time between two questions.
    pub interval: Option<Duration>,
    /// How long an answer may take.
    pub timeout: Option<Duration>,
    /// How many wrong answers in a row make it unwell.
    pub retries: Option<u32>,
    /// The time at the beginning in which wrong answers do not count.
    pub start_period: Option<Duration>,
    /// The time between two questions in the beginning.
    pub start_interval: Option<Duration>,
    /// Whether the image's own question is not asked.
    pub disabled: bool,
}

/// Options of `docker create` that take a value.
const WITH_VALUE: &[&str] = &[
    "--add-host",
    "--blkio-weight",
    "--cap-add",
    "--cap-drop",
    "--cpu-period",
    "--cpu-quota",
    "--cpu-shares",
    "--cpus",
    "--cpuset-cpus",
    "--device",
    "--dns",
    "--dns-option",
    "--dns-search",
    "--domainname",
    "--entrypoint",
    "--env",
    "--env-file",
    "--expose",
    "--gpus",
    "--group-add",
    "--health-cmd",
    "--health-interval",
    "--health-retries",
    "--health-start-interval",
    "--health-start-period",
    "--health-timeout",
    "--hostname",
    "--ip",
    "--ipc",
    "--isolation",
    "--label",
    "--log-driver",
    "--log-opt",
    "--mac-address",
    "--memory",
    "--memory-reservation",
    "--memory-swap",
    "--memory-swappiness",
    "--mount",
    "--name",
    "--network-alias",
    "--oom-score-adj",
    "--pid",
    "--pids-limit",
    "--platform",
    "--publish",
    "--pull",
    "--restart",
    "--runtime",
    "--security-opt",
    "--shm-size",
    "--stop-signal",
    "--stop-timeout",
    "--storage-opt",
    "--sysctl",
    "--tmpfs",
    "--ulimit",
    "--user",
    "--userns",
    "--uts",
    "--volume",
    "--volumes-from",
    "--workdir",
];
const WITHOUT_VALUE: &[&str] = &[
    "--init",
    "--interactive",
    "--no-healthcheck",
    "--oom-kill-disable",
    "--privileged",
    "--publish-all",
    "--read-only",
    "--rm",
    "--tty",
];
const SHORT: &[(&str, &str)] = &[
    ("-c", "--cpu-shares"),
    ("-e", "--env"),
    ("-h", "--hostname"),
    ("-i", "--interactive"),
    ("-l", "--label"),
    ("-m", "--memory"),
    ("-p", "--publish"),
    ("-P", "--publish-all"),
    ("-t", "--tty"),
    ("-u", "--user"),
    ("-v", "--volume"),
    ("-w", "--workdir"),
];

impl Options {
    /// Reads options as a shell would split them.
    ///
    /// # Errors
    /// [`PipelineError`] for an option that there is not, and one that GitHub does not allow (`--network`).
    pub fn parse(text: &str, location: &Location) -> Result<Self, PipelineError> {
        let invalid = |value: &str, hint: String| PipelineError::InvalidValue {
            location: location.clone(),
            what: "option of a container".to_owned(),
            value: value.to_owned(),
            hint: Some(hint),
        };
        let words = words(text).ok_or_else(|| invalid(text, "a quote is not closed".to_owned()))?;
        let mut options = Self::default();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let (name, given) = match word.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (word.clone(), None),
            };
            let name = SHORT
                .iter()
                .find(|(short, _)| *short == name)
                .map_or(name, |(_, long)| (*long).to_owned());
            if matches!(&*name, "--network" | "--net") {
                return Err(PipelineError::Unsupported {
                    location: location.clone(),
                    what: format!("the option `{name}` of a container"),
                    hint: Some("containers of a job share the job's own network".to_owned()),
                });
            }
            if WITHOUT_VALUE.contains(&&*name) {
                options
                    .set(&name, given)
                    .map_err(|hint| invalid(&word, hint))?;
            } else if WITH_VALUE.contains(&&*name) {
                let value = given
                    .or_else(|| words.next())
                    .ok_or_else(|| invalid(&word, "it takes a value".to_owned()))?;
                options
                    .set(&name, Some(value))
                    .map_err(|hint| invalid(&word, hint))?;
            } else {
                let known = WITH_VALUE.iter().chain(WITHOUT_VALUE).copied();
                let hint = match nearest(&name, known) {
                    Some(nearest) => format!("did you mean `{nearest}`?"),
                    None => "options are those of `docker create`".to_owned(),
                };
                return Err(invalid(&word, hint));
            }
        }
        Ok(options)
    }

    fn set(&mut self, name: &str, value: Option<String>) -> Result<(), String> {
        let duration = |value: Option<String>| {
            let text = value.unwrap_or_default();
            go_duration(&text)
                .map(Some)
                .ok_or_else(|| format!("`{text}` is no time such as `10s` or `1m30s`"))
        };
        match name {
            "--health-cmd" => self.health.command = value,
            "--health-interval" => self.health.interval = duration(value)?,
            "--health-timeout" => self.health.timeout = duration(value)?,
            "--health-start-period" => self.health.start_period = duration(value)?,
            "--health-start-interval" => self.health.start_interval = duration(value)?,
            "--health-retries" => {
                let text = value.unwrap_or_default();
                let number = text.parse();
                self.health.retries =
                    Some(number.map_err(|_| format!("`{text}` is no whole number"))?);
            }
            "--no-healthcheck" => self.health.disabled = true,
            _ => self.others.push((name.to_owned(), value)),
        }
        Ok(())
    }
}

/// The words of a line as a shell splits them; nothing when a quote is not closed.
pub(crate) fn words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            c if c.is_whitespace() => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        '"' => break,
                        '\\' => match characters.next()? {
                            c @ ('"' | '\\' | '$' | '`') => word.push(c),
                            c => word.extend(['\\', c]),
                        },
                        c => word.push(c),
                    }
                }
            }
            '\\' => word.get_or_insert_default().extend(characters.next()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Some(words)
}

/// A time as Go writes it: `1m30s`, `500ms`, `1.5h`.
fn go_duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        rest = &rest[end..];
        let end = rest
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(rest.len());
        let seconds = match &rest[..end] {
            "ns" => 1e-9,
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        total = total.checked_add(Duration::try_from_secs_f64(number * seconds).ok()?)?;
        rest = &rest[end..];
    }
    (!text.is_empty()).then_some(total)
}
