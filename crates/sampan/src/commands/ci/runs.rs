//! Runs on the disk: `DATA/ci/runs/NUMBER`, with what was asked for and what came of it.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use sampan_pipeline::build::Build;
use sampan_pipeline::graph::Dialect;
use sampan_pipeline::plan::End;
use sampan_pipeline::run::{Outcome, StageOutcome, StepOutcome};
use serde::{Deserialize, Serialize};

use super::report::Report;
use crate::context::Context;
use crate::failure::{Exit, Failure, OrFail as _};

/// Of as many runs that went wrong the workspaces are kept.
const KEPT_WORKSPACES: usize = 5;

/// What a run was asked to do; secrets are not kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Order {
    /// The folder of the working tree.
    pub(super) tree: PathBuf,
    /// The name of the pipeline.
    pub(super) name: String,
    /// Its dialect.
    pub(super) dialect: String,
    /// Its files, by their paths from the tree.
    pub(super) files: Vec<PathBuf>,
    /// What happened.
    pub(super) build: Build,
    /// Variables of the project.
    pub(super) vars: BTreeMap<String, String>,
    /// Variables of all steps.
    pub(super) environment: BTreeMap<String, String>,
    /// The combinations of the matrix that were asked for.
    pub(super) matrix: Vec<(String, String)>,
    /// Whether the run may use the machine.
    pub(super) trusted: bool,
    /// The run that this one goes on with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) resumes: Option<u64>,
}

/// The runs of an installation.
#[derive(Debug, Clone)]
pub(super) struct Runs {
    folder: PathBuf,
}

/// One run.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) number: u64,
    pub(super) folder: PathBuf,
}

impl Runs {
    pub(super) fn of(context: &Context) -> Self {
        Self {
            folder: context.data().join("ci/runs"),
        }
    }

    /// A new run with a folder of its own. Logs may tell more than everybody should know.
    pub(super) fn begin(&self) -> Result<Kept, Failure> {
        let failed = || {
            format!(
                "cannot make a folder for the run in `{}`",
                self.folder.display()
            )
        };
        let mut private = fs::DirBuilder::new();
        private.mode(0o700);
        private
            .recursive(true)
            .create(&self.folder)
            .or_fail(failed())?;
        private.recursive(false);
        loop {
            let number = self.numbers()?.last().map_or(1, |last| last + 1);
            let folder = self.folder.join(number.to_string());
            match private.create(&folder) {
                Ok(()) => return Ok(Kept { number, folder }),
                // Another run began in this moment.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error).or_fail(failed()),
            }
        }
    }

    /// All runs, the oldest first.
    pub(super) fn all(&self) -> Result<Vec<Kept>, Failure> {
        let kept = |number: u64| Kept {
            number,
            folder: self.folder.join(number.to_string()),
        };
        Ok(self.numbers()?.into_iter().map(kept).collect())
    }

    /// The run of a number, or the last one.
    pub(super) fn find(&self, number: Option<u64>) -> Result<Kept, Failure> {
        let mut all = self.all()?.into_iter();
        let found = match number {
            Some(number) => all.find(|run| run.number == number),
            None => all.next_back(),
        };
        found.ok_or_else(|| {
            let what = match number {
                Some(number) => format!("there is no run {number}"),
                None => "there are no runs yet".to_owned(),
            };
            Failure::new(what)
                .with_hint("`sampan ci list` lists the runs, `sampan ci run` begins one")
                .with_exit(Exit::NotFound)
        })
    }

    fn numbers(&self) -> Result<Vec<u64>, Failure> {
        let failed = || format!("cannot list the runs in `{}`", self.folder.display());
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.or_fail(failed())?,
        };
        let mut numbers = Vec::new();
        for entry in entries {
            let name = entry.or_fail(failed())?.file_name();
            numbers.extend(name.to_str().and_then(|name| name.parse::<u64>().ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Removes the runs that are too old, and the workspaces of those that nobody will look at any more.
    pub(super) fn tidy(&self, keep: u32) -> Result<(), Failure> {
        let (live, mut ended): (Vec<_>, Vec<_>) = self.all()?.into_iter().partition(Kept::is_live);
        // Who goes on with a run has its folders below its own.
        let mut needed = Vec::new();
        for run in live {
            if let Some(order) = run.read("order.json")? {
                needed.extend(run.line(&order)?);
            }
        }
        ended.retain(|run| !needed.contains(&run.folder));
        let keep = usize::try_from(keep).unwrap_or(usize::MAX);
        let old = ended.len().saturating_sub(keep);
        for run in ended.drain(..old) {
            remove(&run.folder)?;
        }
        ended.retain(|run| run.folder.join("stages").exists());
        let old = ended.len().saturating_sub(KEPT_WORKSPACES);
        for run in &ended[..old] {
            remove(&run.folder.join("stages"))?;
        }
        Ok(())
    }
}

fn remove(folder: &Path) -> Result<(), Failure> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        outcome => outcome.or_fail(format!("cannot remove `{}`", folder.display())),
    }
}

impl Kept {
    /// What was asked for.
    pub(super) fn order(&self) -> Result<Order, Failure> {
        self.read("order.json")?.ok_or_else(|| self.unreadable())
    }

    /// What came of it so far.
    pub(super) fn outcome(&self) -> Result<Outcome, Failure> {
        Ok(self.read("state.json")?.unwrap_or_default())
    }

    /// What was found besides; nothing before its end.
    pub(super) fn report(&self) -> Result<Option<Report>, Failure> {
        self.read("report.json")
    }

    pub(super) fn keep_order(&self, order: &Order) -> Result<(), Failure> {
        self.write("order.json", order)
    }

    /// Says how the run ended, where others than its steps decide.
    pub(super) fn keep_outcome(&self, outcome: &Outcome) -> Result<(), Failure> {
        self.write("state.json", outcome)
    }

    pub(super) fn keep_report(&self, report: &Report) -> Result<(), Failure> {
        self.write("report.json", report)
    }

    /// The log of a step.
    pub(super) fn log(&self, stage: &StageOutcome, step: &StepOutcome) -> PathBuf {
        let folder = self.folder.join("logs").join(&stage.folder);
        folder.join(format!("{}.log", step.log))
    }

    /// Whether it goes on: the executor holds a lock as long as it does.
    pub(super) fn is_live(&self) -> bool {
        let lock = fs::File::open(self.folder.join("lock"));
        lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(fs::TryLockError::WouldBlock)))
    }

    /// The folders of this run and of those that it goes on with, the newest first.
    pub(super) fn line(&self, order: &Order) -> Result<Vec<PathBuf>, Failure> {
        let mut folders = vec![self.folder.clone()];
        let mut earlier = order.resumes;
        while let Some(number) = earlier {
            let kept = Self {
                number,
                folder: self.folder.with_file_name(number.to_string()),
            };
            // It may be too old to be kept.
            let order: Option<Order> = kept.read("order.json")?;
            folders.push(kept.folder);
            // Runs only go on with older ones.
            earlier = order
                .and_then(|order| order.resumes)
                .filter(|older| *older < number);
        }
        Ok(folders)
    }

    /// How it stands, in words.
    pub(super) fn status(&self, outcome: &Outcome) -> &'static str {
        match outcome.end {
            None if self.is_live() => "runs",
            None => "was killed",
            Some(End::Success) => "went well",
            Some(End::Failure(_)) => "failed",
            Some(End::Cancelled) => "was cancelled",
        }
    }

    /// Takes away what is there of it.
    pub(super) fn remove(&self) -> Result<(), Failure> {
        remove(&self.folder)
    }

    /// Takes the workspaces away.
    pub(super) fn remove_workspaces(&self) -> Result<(), Failure> {
        remove(&self.folder.join("stages"))
    }

    fn unreadable(&self) -> Failure {
        Failure::new(format!("run {} did not begin", self.number))
            .with_hint("`sampan ci list` lists the runs")
            .with_exit(Exit::NotFound)
    }

    fn read<T: for<'de> Deserialize<'de>>(&self, name: &str) -> Result<Option<T>, Failure> {
        let path = self.folder.join(name);
        let shown = path.display();
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .or_fail(format!("`{shown}` cannot be understood")),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).or_fail(format!("cannot read `{shown}`")),
        }
    }

    /// Whole or not at all, also over a power cut.
    fn write(&self, name: &str, value: &impl Serialize) -> Result<(), Failure> {
        let path = self.folder.join(name);
        let failed = || format!("cannot write `{}`", path.display());
        let text = serde_json::to_vec(value).or_fail(failed())?;
        let mut file = tempfile::NamedTempFile::new_in(&self.folder).or_fail(failed())?;
        std::io::Write::write_all(&mut file, &text).or_fail(failed())?;
        file.as_file().sync_all().or_fail(failed())?;
        file.persist(&path).or_fail(failed())?;
        let folder = fs::File::open(&self.folder).or_fail(failed())?;
        folder.sync_all().or_fail(failed())
    }
}

/// The dialect, as it is written down.
pub(super) fn dialect_name(dialect: Dialect) -> String {
    let name = serde_json::to_value(dialect).unwrap_or_default();
    name.as_str().unwrap_or_default().to_owned()
}
