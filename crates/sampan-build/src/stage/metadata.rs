//! Instructions that change the configuration of the image and none of its files.

use crate::dockerfile::error::SyntaxError;
use crate::dockerfile::instruction::{Argument, CommandLine, Form, Instruction};
use crate::dockerfile::statement::Pair;
use crate::error::StepError;
use crate::stage::StageBuilder;

/// The last signal that Linux has.
const LAST_SIGNAL: u32 = 64;

impl StageBuilder<'_, '_> {
    pub(super) fn metadata(&mut self, instruction: &Instruction) -> Result<(), StepError> {
        let created_by = match instruction {
            Instruction::Arg(arguments) => self.arg(arguments)?,
            Instruction::Env(pairs) => self.env(pairs)?,
            Instruction::Label(pairs) => self.label(pairs)?,
            Instruction::Cmd(command) => {
                self.has_cmd = true;
                let command = self.command_words(command);
                let shown = format!("CMD {command:?}");
                self.draft.cmd = Some(command);
                shown
            }
            Instruction::Entrypoint(command) => {
                let command = self.command_words(command);
                let shown = format!("ENTRYPOINT {command:?}");
                self.draft.entrypoint = Some(command).filter(|command| !command.is_empty());
                // The CMD of the base image was meant for the base image's ENTRYPOINT.
                if !self.has_cmd {
                    self.draft.cmd = None;
                }
                shown
            }
            Instruction::Expose(ports) => self.expose(ports)?,
            Instruction::Healthcheck(check) => {
                self.draft.set_healthcheck(check);
                format!("HEALTHCHECK {:?}", check.test)
            }
            Instruction::Maintainer(name) => {
                self.draft.author = Some(name.clone());
                format!("MAINTAINER {name}")
            }
            Instruction::Onbuild(trigger) => {
                self.draft.triggers.push(trigger.clone());
                format!("ONBUILD {trigger}")
            }
            Instruction::Shell(shell) => {
                self.draft.shell = Some(shell.clone());
                format!("SHELL {shell:?}")
            }
            Instruction::StopSignal(signal) => {
                let signal = self.expand(signal)?;
                check_signal(&signal)?;
                self.draft.stop_signal = Some(signal.clone());
                format!("STOPSIGNAL {signal}")
            }
            Instruction::User(user) => {
                self.draft.user = self.expand(user)?;
                format!("USER {}", self.draft.user)
            }
            Instruction::Volume(volumes) => {
                let volumes: Vec<String> = volumes
                    .iter()
                    .map(|path| self.expand(path))
                    .collect::<Result<_, _>>()?;
                let shown = format!("VOLUME {volumes:?}");
                self.draft.volumes.extend(volumes);
                shown
            }
            // These make layers, or begin stages, and are handled elsewhere.
            Instruction::Add(_)
            | Instruction::Copy(_)
            | Instruction::From(_)
            | Instruction::Run(_)
            | Instruction::Workdir(_) => return Ok(()),
        };
        self.draft
            .commit(created_by, None, self.session.request.epoch);
        Ok(())
    }

    /// The value given to the build goes before the default, and that before the value of an ARG in
    /// front of the first FROM.
    fn arg(&mut self, arguments: &[Argument]) -> Result<String, StepError> {
        let mut shown = Vec::new();
        for Argument { name, default } in arguments {
            let given = self
                .session
                .request
                .args
                .iter()
                .rev()
                .find(|(known, _)| known == name);
            let value = match (given, default) {
                (Some((_, value)), _) => Some(value.clone()),
                (None, Some(default)) => Some(self.expand(default)?),
                (None, None) => self.plan.globals.get(name).map(str::to_owned),
            };
            if let Some(value) = &value {
                self.environment.set(name, value);
            }
            if !self.arguments.contains(name) {
                self.arguments.push(name.clone());
            }
            shown.push(value.map_or_else(|| name.clone(), |value| format!("{name}={value}")));
        }
        Ok(format!("ARG {}", shown.join(" ")))
    }

    /// All values of one ENV are expanded before any of them is set.
    fn env(&mut self, pairs: &[Pair]) -> Result<String, StepError> {
        let expanded = self.expand_pairs(pairs)?;
        for (name, value) in &expanded {
            self.environment.set(name, value);
            self.draft.environment.set(name, value);
        }
        Ok(format!("ENV {}", join(&expanded)))
    }

    fn label(&mut self, pairs: &[Pair]) -> Result<String, StepError> {
        let expanded = self.expand_pairs(pairs)?;
        let shown = format!("LABEL {}", join(&expanded));
        self.draft.labels.extend(expanded);
        Ok(shown)
    }

    fn expand_pairs(&self, pairs: &[Pair]) -> Result<Vec<(String, String)>, StepError> {
        let expand = |pair: &Pair| Ok((self.expand(&pair.name)?, self.expand(&pair.value)?));
        pairs.iter().map(expand).collect()
    }

    pub(super) fn command_words(&self, command: &CommandLine) -> Vec<String> {
        match command.form {
            Form::Exec => command.words.clone(),
            Form::Shell if command.words.is_empty() => Vec::new(),
            Form::Shell => self
                .draft
                .shell()
                .into_iter()
                .chain(command.words.clone())
                .collect(),
        }
    }

    fn expose(&mut self, ports: &[String]) -> Result<String, StepError> {
        let mut shown = Vec::new();
        for written in ports {
            let words = self.plan.expander.words(written, &self.environment);
            for port in words.map_err(SyntaxError::from)? {
                self.draft.ports.extend(port_names(&port)?);
                shown.push(port);
            }
        }
        Ok(format!("EXPOSE {}", shown.join(" ")))
    }
}

fn join(pairs: &[(String, String)]) -> String {
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join(" ")
}

/// The ports of `8080`, `8080/udp` or `8000-8002/tcp`, each as `PORT/PROTOCOL`.
fn port_names(text: &str) -> Result<Vec<String>, SyntaxError> {
    let invalid = || SyntaxError::Port {
        port: text.to_owned(),
    };
    let (range, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let protocol = protocol.to_ascii_lowercase();
    if !["tcp", "udp", "sctp"].contains(&protocol.as_str()) {
        return Err(invalid());
    }
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let (Ok(first), Ok(last)) = (first.parse::<u16>(), last.parse::<u16>()) else {
        return Err(invalid());
    };
    if first == 0 || first > last {
        return Err(invalid());
    }
    Ok((first..=last)
        .map(|port| format!("{port}/{protocol}"))
        .collect())
}

/// A signal is a number or a name, with or without `SIG`.
fn check_signal(signal: &str) -> Result<(), SyntaxError> {
    let known = match signal.parse::<u32>() {
        Ok(number) => (1..=LAST_SIGNAL).contains(&number),
        Err(_) => signal.parse::<sampan_container::Signal>().is_ok() || is_real_time(signal),
    };
    if known {
        Ok(())
    } else {
        Err(SyntaxError::Signal {
            signal: signal.to_owned(),
        })
    }
}

fn is_real_time(signal: &str) -> bool {
    let name = signal.strip_prefix("SIG").unwrap_or(signal);
    name.starts_with("RTMIN") || name.starts_with("RTMAX")
}
