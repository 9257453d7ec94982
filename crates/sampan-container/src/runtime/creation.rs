//! Makes the directory of a new container and starts its shim.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sampan_supervise::clock;

use super::RuntimeConfig;
use crate::connection::Reply;
use crate::directory::{Directory, Record};
use crate::open_files;
use crate::runtime::removal::{delete, remove_all, sweep};
use crate::shim::Options;
use crate::{ContainerId, ContainerSpec, Error, MountKind, Network, Result, capabilities};

/// Directories that are being made start so; what starts so and is not locked was given up.
pub(super) const UNFINISHED: &str = ".new-";

/// The folder of names, in that of the containers.
pub(super) const NAMES: &str = ".names";

/// Creates a container.
pub(super) fn create(config: &RuntimeConfig, spec: &ContainerSpec) -> Result<ContainerId> {
    check(spec)?;
    let containers = config.data.join("containers");
    std::fs::create_dir_all(&containers).map_err(Error::io("create", &containers))?;
    sweep(&containers)?;
    let id = ContainerId::random()?;
    let path = containers.join(id.as_str());
    let made =
        lay_out(&containers, &id, spec).and_then(|lock| start_shim(config, &path, spec, lock));
    if let Err(error) = made {
        if path.exists() {
            delete(&Directory::at(&path))?;
        } else {
            if let Some(name) = &spec.name {
                free_name(&containers, name, &id)?;
            }
            remove_all(&unfinished(&containers, &id))?;
        }
        return Err(error);
    }
    Ok(id)
}

/// The directory of a container that is being made.
fn unfinished(containers: &Path, id: &ContainerId) -> PathBuf {
    containers.join(format!("{UNFINISHED}{id}"))
}

/// Refuses what would fail later in a way that is hard to understand.
fn check(spec: &ContainerSpec) -> Result<()> {
    if let Some(name) = &spec.name {
        let valid = name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name.len() <= 128
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
        if !valid {
            return Err(Error::InvalidName(name.clone()));
        }
    }
    capabilities::check(&spec.process.capabilities)?;
    for mount in &spec.mounts {
        if !mount.target.is_absolute() {
            return Err(Error::RelativeTarget(mount.target.clone()));
        }
        if matches!(mount.kind, MountKind::Bind | MountKind::Device) {
            std::fs::metadata(&mount.source).map_err(Error::io("mount", &mount.source))?;
        }
    }
    if let Network::Namespace(path) = &spec.network {
        std::fs::metadata(path).map_err(Error::io("join the network namespace", path))?;
    }
    Ok(())
}

/// Makes the directory under another name, so that it appears with its description and its lock. The shim holds
/// the lock through the file, which it inherits. The container's name is taken once the directory is there: a
/// name without one is free for others.
fn lay_out(containers: &Path, id: &ContainerId, spec: &ContainerSpec) -> Result<File> {
    let unfinished = unfinished(containers, id);
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(&unfinished)
        .map_err(Error::io("create", &unfinished))?;
    let directory = Directory::at(&unfinished);
    let lock = directory.new_lock()?;
    if let Some(name) = &spec.name {
        take_name(containers, name, id)?;
    }
    let record = Record {
        id: id.clone(),
        created_at: clock::now(),
        spec: spec.clone(),
    };
    directory.write_record(&record)?;
    let path = containers.join(id.as_str());
    std::fs::rename(&unfinished, &path).map_err(Error::io("create", &path))?;
    Ok(lock)
}

/// Executes the shim and waits for its answer.
fn start_shim(config: &RuntimeConfig, path: &Path, spec: &ContainerSpec, lock: File) -> Result<()> {
    let options = Options {
        terminal: spec.process.terminal,
        stdin: spec.process.stdin,
        stdin_once: spec.process.stdin_once,
        unlogged: spec.unlogged,
        log_limit_bytes: spec.log_limit_bytes,
        open_files: open_files::for_containers(),
    };
    let errors_path = path.join("shim.log");
    let errors = File::create(&errors_path).map_err(Error::io("create", &errors_path))?;
    let mut shim = Command::new(&config.shim)
        .arg("shim")
        .arg(path)
        .args(options.to_arguments())
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::from(lock))
        .stdout(Stdio::piped())
        .stderr(errors)
        .spawn()
        .map_err(Error::io("execute", &config.shim))?;
    let mut answer = Vec::new();
    let read = match shim.stdout.take() {
        Some(mut stdout) => stdout.read_to_end(&mut answer).map(drop),
        None => Ok(()),
    };
    // The process that was executed ends at once; the supervisor is its child.
    shim.wait()
        .and(read)
        .map_err(Error::system("wait for the supervisor"))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let reply: Reply = serde_json::from_slice(&answer)
        .map_err(|_| Error::NoAnswer(name.chars().take(12).collect()))?;
    reply.into_result(&name, Error::Create)
}

/// Takes a name. One whose container is gone is free.
fn take_name(containers: &Path, name: &str, id: &ContainerId) -> Result<()> {
    let names = containers.join(NAMES);
    std::fs::create_dir_all(&names).map_err(Error::io("create", &names))?;
    let path = names.join(name);
    // Two who find a name whose container is gone must not free each other's.
    let one_at_a_time = File::open(&names).map_err(Error::io("open", &names))?;
    one_at_a_time.lock().map_err(Error::io("lock", &names))?;
    loop {
        match std::os::unix::fs::symlink(id.as_str(), &path) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::io("create", path)(error)),
        }
        match named(containers, name) {
            Some(owner) => {
                return Err(Error::NameTaken {
                    name: name.to_owned(),
                    id: owner.short().to_owned(),
                });
            }
            None => unlink(&path)?,
        }
    }
}

/// Gives a name back, if it is this container's.
pub(super) fn free_name(containers: &Path, name: &str, id: &ContainerId) -> Result<()> {
    let path = containers.join(NAMES).join(name);
    match std::fs::read_link(&path) {
        Ok(owner) if owner == Path::new(id.as_str()) => unlink(&path),
        _ => Ok(()),
    }
}

fn unlink(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// The container of a name, if it exists.
pub(super) fn named(containers: &Path, name: &str) -> Option<ContainerId> {
    if name.is_empty() || name.contains('/') {
        return None;
    }
    let target: PathBuf = std::fs::read_link(containers.join(NAMES).join(name)).ok()?;
    let id: ContainerId = target.to_str()?.parse().ok()?;
    // In this order: the directory of one that is just being made moves from here to there.
    let exists = unfinished(containers, &id).exists() || containers.join(id.as_str()).exists();
    exists.then_some(id)
}
