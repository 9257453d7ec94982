//! Whose turn it is where runs exclude each other: tickets in `DATA/ci/groups`, by which all processes see each other.
//!
//! ```text
//! ci/groups/lock         held while tickets are looked at or changed
//! ci/groups/ID/N.waits   a ticket whose owner waits; it says who that is
//! ci/groups/ID/N.runs    one whose owner has its turn
//! ci/groups/ID/N.ends    that owner was asked to end; it says by whom
//! ```
//!
//! Owners keep their tickets locked as long as they live. The kernel lets go of the lock of a process that is killed, so a
//! ticket that nobody holds counts no more.

use std::fs::{self, File, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use ring::digest::{SHA256, digest};
use sampan_model::Causes;

use super::RunError;
use crate::graph::{Dialect, Queue};

/// How often those who wait look whether their turn has come, and those who run whether they are to end.
pub(super) const PAUSE: Duration = Duration::from_millis(100);

/// Those who exclude each other.
#[derive(Debug, Clone)]
pub(super) struct Group {
    folder: PathBuf,
    name: String,
    limit: usize,
    queue: Queue,
}

/// A place among those who exclude each other; given back when dropped.
#[derive(Debug)]
pub(super) struct Ticket {
    group: Group,
    number: u64,
    runs: bool,
    /// Locked, which tells others that its owner lives.
    _file: File,
}

/// How a ticket stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Turn {
    /// It is not its turn yet; who is before.
    Waits(String),
    /// It is its turn.
    Came,
    /// Its owner is to end, or not to begin at all; why.
    Ends(String),
}

/// The ticket of somebody else.
#[derive(Debug)]
struct Other {
    number: u64,
    runs: bool,
    /// Whether it was asked to end.
    ends: bool,
    who: String,
}

impl Group {
    /// The group of a name in one repository.
    pub(super) fn new(data: &Path, repository: &str, name: &Name<'_>) -> Self {
        let (kind, text) = match name.dialect {
            // Names are the same in any case.
            Dialect::GitHub => ("github", name.group.to_lowercase()),
            Dialect::Woodpecker if name.own => ("woodpecker-workflow", name.group.to_owned()),
            Dialect::Woodpecker => ("woodpecker", name.group.to_owned()),
            Dialect::Drone | Dialect::Drone08 => ("drone", name.group.to_owned()),
        };
        let id = digest(&SHA256, format!("{kind}\0{repository}\0{text}").as_bytes());
        let groups = data.join("ci").join("groups");
        Self {
            folder: groups.join(hex::encode(&id.as_ref()[..16])),
            name: name.group.to_owned(),
            limit: usize::try_from(name.limit).unwrap_or(usize::MAX).max(1),
            queue: name.queue,
        }
    }

    /// Whether two are the same.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.folder == other.folder
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Takes a place behind all others. Those whose place it takes are asked to end: who waits where only one may, and who
    /// runs where the newcomer `cancels`. `None` when there is no room to wait.
    pub(super) fn enter(&self, who: &str, cancels: bool) -> Result<Option<Ticket>, RunError> {
        let _all = self.lock()?;
        fs::create_dir_all(&self.folder).map_err(RunError::io("make", &self.folder))?;
        let mut others = self.others(0)?;
        // Whose turn has come runs, even if it has not looked since.
        let running = others.iter().filter(|other| other.runs).count();
        let waiting = others.iter_mut().filter(|other| !other.runs && !other.ends);
        for next in waiting.take(self.limit.saturating_sub(running)) {
            next.runs = true;
        }
        let waiting = others.iter().filter(|other| !other.runs && !other.ends);
        if let Queue::UpTo(most) = self.queue
            && waiting.count() >= most as usize
        {
            return Ok(None);
        }
        let number = others.iter().map(|other| other.number).max().unwrap_or(0) + 1;
        // Who had this number may have been killed while it gave it back.
        remove(&self.file(number, "ends"))?;
        let path = self.file(number, "waits");
        let mut file = File::create_new(&path).map_err(RunError::io("make", &path))?;
        file.lock().map_err(RunError::io("lock", &path))?;
        file.write_all(who.as_bytes())
            .map_err(RunError::io("write", &path))?;
        let ticket = Ticket {
            group: self.clone(),
            number,
            runs: false,
            _file: file,
        };
        for other in others {
            let is_displaced = if other.runs {
                cancels
            } else {
                self.queue == Queue::Newest
            };
            if is_displaced && !other.ends {
                let path = self.file(other.number, "ends");
                fs::write(&path, who).map_err(RunError::io("write", path))?;
            }
        }
        Ok(Some(ticket))
    }

    fn file(&self, number: u64, state: &str) -> PathBuf {
        self.folder.join(format!("{number}.{state}"))
    }

    /// Keeps all others from looking at tickets of any group.
    fn lock(&self) -> Result<File, RunError> {
        let groups = self.folder.parent().unwrap_or(&self.folder);
        fs::create_dir_all(groups).map_err(RunError::io("make", groups))?;
        lock(groups)
    }

    /// The tickets of others whose owners live. Those of the dead are taken away.
    fn others(&self, own: u64) -> Result<Vec<Other>, RunError> {
        let mut found = Vec::new();
        let entries = fs::read_dir(&self.folder).map_err(RunError::io("list", &self.folder))?;
        for entry in entries {
            let entry = entry.map_err(RunError::io("list", &self.folder))?;
            let Some((number, runs)) = entry.file_name().to_str().and_then(ticket) else {
                continue;
            };
            if number == own {
                continue;
            }
            let path = entry.path();
            if is_dead(&path)? {
                remove(&self.file(number, "ends"))?;
                remove(&path)?;
                continue;
            }
            found.push(Other {
                number,
                runs,
                ends: self.file(number, "ends").exists(),
                who: fs::read_to_string(&path).map_err(RunError::io("read", &path))?,
            });
        }
        found.sort_by_key(|other| other.number);
        Ok(found)
    }
}

/// What a group is known by, and its rules.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name<'a> {
    pub(super) dialect: Dialect,
    pub(super) group: &'a str,
    /// Whether it is the name of the stage, for want of another.
    pub(super) own: bool,
    pub(super) limit: u32,
    pub(super) queue: Queue,
}

impl Ticket {
    /// Looks how the ticket stands, and takes its turn when that has come.
    pub(super) fn look(&mut self) -> Result<Turn, RunError> {
        let ends = self.group.file(self.number, "ends");
        if self.runs && !ends.exists() {
            return Ok(Turn::Came);
        }
        let _all = self.group.lock()?;
        if ends.exists() {
            let by = fs::read_to_string(&ends).map_err(RunError::io("read", &ends))?;
            return Ok(Turn::Ends(format!(
                "{by} came after it in the concurrency group `{}`",
                self.group.name
            )));
        }
        let others = self.group.others(self.number)?;
        let mut before = others
            .into_iter()
            .filter(|other| other.runs || (other.number < self.number && !other.ends));
        let first = before.next();
        if let Some(first) = first
            && before.count() + 1 >= self.group.limit
        {
            return Ok(Turn::Waits(format!(
                "{} in the concurrency group `{}`",
                first.who, self.group.name
            )));
        }
        let waits = self.group.file(self.number, "waits");
        let runs = self.group.file(self.number, "runs");
        fs::rename(&waits, runs).map_err(RunError::io("rename", waits))?;
        self.runs = true;
        Ok(Turn::Came)
    }

    /// Keeps the ticket until `over` says something or nobody is left to say it, and tells whenever it stands otherwise.
    pub(super) fn keep(mut self, over: &Receiver<()>, tell: &mut dyn FnMut(Turn)) {
        let mut told = None;
        loop {
            let turn = self.look().unwrap_or_else(|error| {
                // Who cannot see the others must not go on as if there were none.
                Turn::Ends(Causes(&error).to_string())
            });
            if told.as_ref() != Some(&turn) {
                tell(turn.clone());
                told = Some(turn);
            }
            match over.recv_timeout(PAUSE) {
                Err(RecvTimeoutError::Timeout) => {}
                _ => return,
            }
        }
    }

    fn give_back(&self) -> Result<(), RunError> {
        let _all = self.group.lock()?;
        for state in ["ends", "waits", "runs"] {
            remove(&self.group.file(self.number, state))?;
        }
        forget(&self.group.folder)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Err(error) = self.give_back() {
            // It counts no more when this process has ended.
            tracing::warn!(%error, "cannot give back the place in a concurrency group");
        }
    }
}

/// Takes away the tickets of processes that were killed.
pub(super) fn clean(data: &Path) -> Result<(), RunError> {
    let groups = data.join("ci").join("groups");
    if !groups.exists() {
        return Ok(());
    }
    let _all = lock(&groups)?;
    for entry in fs::read_dir(&groups).map_err(RunError::io("list", &groups))? {
        let folder = entry.map_err(RunError::io("list", &groups))?.path();
        if folder.is_dir() {
            let group = Group {
                folder,
                name: String::new(),
                limit: 1,
                queue: Queue::All,
            };
            group.others(0)?;
            forget(&group.folder)?;
        }
    }
    Ok(())
}

fn lock(groups: &Path) -> Result<File, RunError> {
    let path = groups.join("lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(RunError::io("open", &path))?;
    file.lock().map_err(RunError::io("lock", path))?;
    Ok(file)
}

/// The number of a ticket, and whether its owner has its turn.
fn ticket(name: &str) -> Option<(u64, bool)> {
    let (number, state) = name.split_once('.')?;
    let runs = match state {
        "runs" => true,
        "waits" => false,
        _ => return None,
    };
    Some((number.parse().ok()?, runs))
}

/// Whether nobody holds the lock of a ticket.
fn is_dead(path: &Path) -> Result<bool, RunError> {
    let file = File::open(path).map_err(RunError::io("open", path))?;
    match file.try_lock_shared() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(RunError::io("lock", path)(error)),
    }
}

fn remove(path: &Path) -> Result<(), RunError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(RunError::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// Removes the folder of a group in which nobody is.
fn forget(folder: &Path) -> Result<(), RunError> {
    match fs::remove_dir(folder) {
        Ok(()) => Ok(()),
        Err(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::DirectoryNotEmpty
            ) =>
        {
            Ok(())
        }
        Err(error) => Err(RunError::io("remove", folder)(error)),
    }
}
