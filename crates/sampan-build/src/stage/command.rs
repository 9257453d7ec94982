//! RUN: what its command is, sees and depends on.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use sampan_container::{Mount, MountKind, Network, user};
use sampan_oci::Digest;

use crate::cache::Made;
use crate::dockerfile::Heredoc;
use crate::dockerfile::instruction::{Form, Run, RunNetwork, Step};
use crate::error::{IoError, StepError};
use crate::event::Outcome;
use crate::fingerprint::Fingerprint;
use crate::request::BuildNetwork;
use crate::run::Command;
use crate::session::Started;
use crate::stage::{Failure, StageBuilder, mounts};

/// Where a script that the Dockerfile holds is mounted.
const SCRIPTS: &str = "/dev/pipes";

/// A variable by which tools learn the time that reproducible output carries.
pub(crate) const EPOCH_VARIABLE: &str = "SOURCE_DATE_EPOCH";

/// What a RUN executes.
struct Invocation {
    args: Vec<String>,
    /// A script that the command is: its name and text.
    script: Option<(String, String)>,
}

impl StageBuilder<'_, '_> {
    pub(super) fn run(&mut self, step: &Step, command: &Run) -> Result<(), Failure> {
        let started = self.start(&step.original);
        let result = self.ran(command, started);
        self.session.progress.fail_on_error(started, result)
    }

    fn ran(&mut self, command: &Run, started: Started) -> Result<(), Failure> {
        let invocation = self.invocation(command);
        let network = self.network(command.network);
        let mounts = self.mounts(&command.mounts)?;
        let created_by = self.created_by(&invocation.args);
        let key = self.run_key(&invocation, &network, &mounts);
        if let Some(Made { layer }) = self.cached(&key) {
            self.commit(started, Outcome::Cached, created_by, layer);
            return Ok(());
        }
        let lower = self.session.lower(&self.draft)?;
        let scratch = self.session.workspace()?.scratch()?;
        // Held until the command has ended.
        let claims = mounts::claim(self.session, &mounts)?;
        let mut mounted = mounts::prepare(self.session, &mounts, &claims, &scratch)?;
        mounted.extend(script_mount(&invocation, &scratch.path("script"))?);
        let user = user::resolve(&lower, &self.draft.user)?;
        let command = Command {
            args: invocation.args,
            env: self.run_environment(),
            cwd: self.draft.workdir.clone(),
            user,
            network,
            mounts: mounted,
            image: self.plan.stages[self.index].label.clone(),
        };
        self.session.execute(&scratch, &lower, command, started)?;
        drop(claims);
        let layer = self.session.layer(&self.draft, &scratch)?;
        self.session.cache.put(&key, layer.as_ref())?;
        self.commit(started, Outcome::Done, created_by, layer);
        Ok(())
    }

    /// The arguments to execute. A heredoc that is the whole command is the script itself; one that
    /// is part of a command is handed to the shell.
    fn invocation(&self, command: &Run) -> Invocation {
        let words = &command.command.words;
        let (Form::Shell, [heredoc, ..], [line]) = (
            command.command.form,
            command.heredocs.as_slice(),
            words.as_slice(),
        ) else {
            return Invocation {
                args: self.command_words(&command.command),
                script: None,
            };
        };
        if !matches!(Heredoc::parse(line), Ok(Some(_))) {
            let bodies = command
                .heredocs
                .iter()
                .map(|doc| format!("\n{}{}", doc.content, doc.name));
            return self.shell(std::iter::once(line.clone()).chain(bodies).collect());
        }
        let text = heredoc.text();
        if heredoc.is_script() {
            let path = format!("{SCRIPTS}/{}", heredoc.name);
            return Invocation {
                args: vec![path],
                script: Some((heredoc.name.clone(), text)),
            };
        }
        self.shell(text)
    }

    fn shell(&self, text: String) -> Invocation {
        Invocation {
            args: self.draft.shell().into_iter().chain([text]).collect(),
            script: None,
        }
    }

    fn network(&self, wanted: RunNetwork) -> Network {
        let default = match self.session.request.network {
            BuildNetwork::Bridge => Network::Bridge { ports: Vec::new() },
            BuildNetwork::Host => Network::Host,
            BuildNetwork::None => Network::None,
        };
        match wanted {
            RunNetwork::Default => default,
            RunNetwork::None => Network::None,
            RunNetwork::Host => Network::Host,
        }
    }

    /// Proxies are left out: they say how something is reached, not what it is.
    fn run_key(
        &self,
        invocation: &Invocation,
        network: &Network,
        mounts: &[mounts::Planned],
    ) -> Digest {
        let network = match network {
            Network::Host => "host",
            Network::None => "none",
            Network::Bridge { .. } | Network::Namespace(_) => "bridge",
        };
        Fingerprint::new("run, 1")
            .field(self.parent())
            .list(&invocation.args)
            .list(
                invocation
                    .script
                    .iter()
                    .flat_map(|(name, text)| [name, text]),
            )
            .list(self.environment.entries())
            .field(self.session.request.epoch.to_le_bytes())
            .field(&self.draft.workdir)
            .field(&self.draft.user)
            .field(network)
            .list(mounts.iter().map(|mount| mount.key.to_string()))
            .finish()
    }

    fn run_environment(&self) -> Vec<String> {
        let mut environment = self.environment.clone();
        let request = self.session.request;
        let is_proxy = |name: &str| name.to_ascii_lowercase().ends_with("_proxy");
        let given = request.args.iter().filter(|(name, _)| is_proxy(name));
        for (name, value) in request.proxies.iter().chain(given) {
            if self.environment.get(name).is_none() {
                environment.set(name, value);
            }
        }
        if environment.get(EPOCH_VARIABLE).is_none() {
            environment.set(EPOCH_VARIABLE, &request.epoch.to_string());
        }
        environment.entries()
    }

    /// The command in the history, with the ARGs that it saw.
    fn created_by(&self, args: &[String]) -> String {
        let values = self.arguments.iter().map(|name| {
            let value = self.environment.get(name).unwrap_or_default();
            format!("{name}={value}")
        });
        let values: Vec<String> = values.collect();
        let count = (!values.is_empty()).then(|| format!("|{}", values.len()));
        let words: Vec<String> = count
            .into_iter()
            .chain(values)
            .chain(args.iter().cloned())
            .collect();
        format!("RUN {} # sampan", words.join(" "))
    }
}

fn script_mount(invocation: &Invocation, file: &Path) -> Result<Option<Mount>, StepError> {
    let Some((name, text)) = &invocation.script else {
        return Ok(None);
    };
    fs::write(file, text).map_err(IoError::new("write", file))?;
    fs::set_permissions(file, fs::Permissions::from_mode(0o755))
        .map_err(IoError::new("chmod", file))?;
    Ok(Some(Mount {
        source: file.to_owned(),
        target: Path::new(SCRIPTS).join(name),
        read_only: true,
        kind: MountKind::Bind,
    }))
}
