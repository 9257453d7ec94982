//! Problems in what steps say: which matchers look for them, and what comes of a match.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd as _;

use super::process::Told;
use super::{Job, JobError};
use crate::built_in::files::Root;
use crate::github::command::{Annotation, Command};
use crate::github::matcher::{LIMIT_BYTES, Matchers, Problem, Search};
use crate::run::limited::Limit;
use crate::run::log::Log;
use crate::run::message::What;
use crate::run::stage_run::StageRun;

/// The longest line in which problems are looked for.
const LIMIT_LINE_BYTES: usize = 64 << 10;

/// Looks for problems in one output.
#[derive(Debug, Default)]
pub(super) struct Scan {
    search: Search,
    is_active: bool,
    /// The beginning of a line that has not ended.
    begun: Vec<u8>,
    /// Whether the rest of the line is passed on as it is, because it is too long.
    passing: bool,
}

impl Job {
    /// Lets a process that begins be looked at, or one that runs by other matchers.
    pub(super) fn change_scans(&self, told: &mut Told) {
        let state = self.state();
        for scan in &mut told.scans {
            scan.search.change(&state.matchers);
            scan.is_active = !state.matchers.is_empty();
        }
    }

    /// Adds matchers, or takes some away, for this step and those after it.
    pub(super) fn change_matchers(
        &self,
        run: &StageRun<'_>,
        command: &Command,
        told: &mut Told,
    ) -> Result<(), JobError> {
        match command {
            Command::AddMatcher(path) => {
                let added = self.matchers(run, path)?;
                let added = self.state().matchers.add(added);
                added.map_err(|source| JobError::Matchers {
                    path: path.clone(),
                    source,
                })?;
            }
            Command::RemoveMatcher { owner, file } => {
                let owners: Vec<String> = match (owner, file) {
                    (Some(owner), _) => vec![owner.clone()],
                    (None, Some(path)) => {
                        let removed = self.matchers(run, path)?;
                        removed.owners().map(str::to_owned).collect()
                    }
                    (None, None) => Vec::new(),
                };
                let mut state = self.state();
                for owner in owners {
                    state.matchers.remove(&owner);
                }
            }
            _ => {}
        }
        self.change_scans(told);
        Ok(())
    }

    /// Reads a file of matchers by its path in the job's container.
    fn matchers(&self, run: &StageRun<'_>, path: &str) -> Result<Matchers, JobError> {
        let refused = |source: io::Error| JobError::NoMatchers {
            path: path.to_owned(),
            source,
        };
        let whole = absolute(&run.stage.workspace.path, path);
        let mut file = self.open_file(&whole).map_err(refused)?;
        let mut bytes = Vec::new();
        let limit = LIMIT_BYTES as u64 + 1;
        file.by_ref()
            .take(limit)
            .read_to_end(&mut bytes)
            .map_err(refused)?;
        let text = String::from_utf8_lossy(&bytes);
        Matchers::parse(&text).map_err(|source| JobError::Matchers {
            path: path.to_owned(),
            source,
        })
    }

    /// Opens a file as the job's container sees it. What a link leads to is looked for there, not on the machine.
    fn open_file(&self, path: &str) -> io::Result<File> {
        Root::of_container(self.container_root.as_fd())?.file(path.as_bytes())
    }

    /// Takes text of an output, and looks for problems in its lines.
    pub(super) fn text(
        &self,
        run: &StageRun<'_>,
        output: usize,
        bytes: &[u8],
        told: &mut Told,
        log: &mut Log,
    ) {
        let limit = told.limit;
        let scan = &mut told.scans[output];
        if !scan.is_active && scan.begun.is_empty() {
            log.push(output, bytes);
            return;
        }
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let ends = piece.ends_with(b"\n");
            if scan.passing {
                scan.passing = !ends;
                log.push(output, piece);
                continue;
            }
            scan.begun.extend_from_slice(piece);
            if ends {
                let line = std::mem::take(&mut scan.begun);
                self.line((run, &limit), output, &line, scan, log);
            } else if scan.begun.len() > LIMIT_LINE_BYTES {
                log.push(output, &std::mem::take(&mut scan.begun));
                scan.passing = true;
            }
        }
    }

    /// Takes the end of an output.
    pub(super) fn finish_text(
        &self,
        run: &StageRun<'_>,
        output: usize,
        told: &mut Told,
        log: &mut Log,
    ) {
        let limit = told.limit;
        let scan = &mut told.scans[output];
        let line = std::mem::take(&mut scan.begun);
        if !line.is_empty() && !told.is_withheld {
            self.line((run, &limit), output, &line, scan, log);
        }
    }

    fn line(
        &self,
        (run, limit): (&StageRun<'_>, &Limit),
        output: usize,
        line: &[u8],
        scan: &mut Scan,
        log: &mut Log,
    ) {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end_matches(['\r', '\n']);
        // Patterns may take long: a step that is to end does not wait for them.
        let found = scan.search.line(text, &|| !limit.is_over(run));
        if let Some(problem) = found {
            let severity = problem.annotation.severity.name();
            log.push(output, format!("{severity}: ").as_bytes());
            log.push(output, line);
            let step = log.step();
            let annotation = self.placed(run, problem);
            log.tell(What::Annotation { step, annotation });
        } else {
            log.push(output, line);
        }
    }

    /// A problem with its file as the source tree has it; without one when it is not there.
    fn placed(&self, run: &StageRun<'_>, problem: Problem) -> Annotation {
        let mut annotation = problem.annotation;
        let workspace = &run.stage.workspace;
        let Some(file) = annotation.file.take() else {
            return annotation;
        };
        let from = problem.from_path.as_deref().unwrap_or_default();
        let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
        let from = absolute(&workspace.path, folder);
        let whole = absolute(&from, &file);
        let there = self.open_file(&whole).is_ok();
        annotation.file = below(&whole, &workspace.path)
            .filter(|_| there)
            .map(str::to_owned);
        annotation
    }
}

/// A path as it is seen from a folder.
fn absolute(folder: &str, path: &str) -> String {
    if path.starts_with('/') {
        crate::path::join("/", path)
    } else {
        crate::path::join(folder, path)
    }
}

/// The rest of a path below a folder.
fn below<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    path.strip_prefix(folder)?.strip_prefix('/')
}
