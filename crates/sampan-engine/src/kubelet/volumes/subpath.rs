//! A part of a volume (`subPath`). Programs in the volume may exchange directories for links at any moment, so
//! a part is opened without ever leaving the volume, and what was opened is bound to a place of its own, a pin,
//! that a container mounts.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat, openat2};
use nix::mount::{MntFlags, MsFlags};
use nix::sys::stat::{Mode, fchmod, fstat, mkdirat};
use nix::unistd::{Gid, fchown};

use super::{VolumeError, failed};

/// The directory of the pins in a pod's folder.
const FOLDER: &str = "subpaths";
/// How often a part is looked for while others rename directories on the way to it.
const LOOKS: usize = 16;

/// The pins of one container. They are taken away when this is dropped: the container has its own mounts by then.
#[derive(Debug)]
pub(crate) struct Pins {
    folder: PathBuf,
    container: String,
    made: Vec<PathBuf>,
}

impl Pins {
    /// No pins yet, for a container of the pod with this folder.
    pub(crate) fn new(pod: &Path, container: &str) -> Self {
        Self {
            folder: pod.join(FOLDER),
            container: container.to_owned(),
            made: Vec::new(),
        }
    }

    /// Where a part of a volume can be mounted from; it is made as a directory when it is not there.
    pub(crate) fn pin(&mut self, volume: &Path, part: &str) -> Result<PathBuf, VolumeError> {
        let part = open(volume, part)?;
        let pin = self
            .folder
            .join(format!("{}-{}", self.container, self.made.len()));
        // A kill may have left one.
        release(&pin)?;
        fs::create_dir_all(&self.folder).map_err(failed("create", &self.folder))?;
        let opened = PathBuf::from(format!("/proc/self/fd/{}", part.as_raw_fd()));
        if opened.is_dir() {
            fs::create_dir(&pin).map_err(failed("create", &pin))?;
        } else {
            drop(File::create(&pin).map_err(failed("create", &pin))?);
        }
        self.made.push(pin.clone());
        nix::mount::mount(
            Some(&opened),
            &pin,
            None::<&str>,
            MsFlags::MS_BIND,
            None::<&str>,
        )
        .map_err(io::Error::from)
        .map_err(failed("mount a part of a volume at", &pin))?;
        Ok(pin)
    }
}

impl Drop for Pins {
    fn drop(&mut self) {
        for pin in &self.made {
            if let Err(error) = release(pin) {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a part of a volume stays mounted until its pod is removed"
                );
            }
        }
    }
}

/// Takes away all pins of a pod.
pub(super) fn release_all(pod: &Path) -> Result<(), VolumeError> {
    let folder = pod.join(FOLDER);
    // Most pods have none.
    let Ok(entries) = fs::read_dir(&folder) else {
        return Ok(());
    };
    for entry in entries {
        release(&entry.map_err(failed("list", &folder))?.path())?;
    }
    Ok(())
}

/// Takes away a pin, never what is in the volume behind it.
fn release(pin: &Path) -> Result<(), VolumeError> {
    loop {
        match nix::mount::umount2(pin, MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW) {
            Ok(()) => {}
            // Nothing is mounted there any more.
            Err(Errno::EINVAL | Errno::ENOENT) => break,
            Err(error) => return Err(failed("unmount", pin)(error.into())),
        }
    }
    let removed = match fs::symlink_metadata(pin) {
        Ok(found) if found.is_dir() => fs::remove_dir(pin),
        Ok(_) => fs::remove_file(pin),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", pin)(error)),
        _ => Ok(()),
    }
}

/// Opens a part of a volume, made as a directory when it is not there.
fn open(volume: &Path, part: &str) -> Result<OwnedFd, VolumeError> {
    let outside = || VolumeError::Path(part.to_owned());
    let relative = Path::new(part);
    if !relative
        .components()
        .all(|c| matches!(c, Component::Normal(_) | Component::CurDir))
    {
        return Err(outside());
    }
    let refused = |error| match error {
        Errno::EXDEV | Errno::ELOOP => outside(),
        error => failed("open", &volume.join(relative))(error.into()),
    };
    let flags = OFlag::O_PATH | OFlag::O_CLOEXEC;
    let root = nix::fcntl::open(volume, flags, Mode::empty())
        .map_err(io::Error::from)
        .map_err(failed("open", volume))?;
    let mut reached = PathBuf::from(".");
    let mut place = resolve(&root, &reached).map_err(refused)?;
    for component in relative.components() {
        reached.push(component);
        place = match resolve(&root, &reached) {
            Err(Errno::ENOENT) => {
                make(&root, &place, component.as_os_str()).map_err(refused)?;
                resolve(&root, &reached).map_err(refused)?
            }
            found => found.map_err(refused)?,
        };
    }
    Ok(place)
}

/// Opens what a path leads to, which has to be in the volume.
fn resolve(root: &OwnedFd, path: &Path) -> Result<OwnedFd, Errno> {
    let how = OpenHow::new()
        .flags(OFlag::O_PATH | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_MAGICLINKS);
    for _ in 1..LOOKS {
        match openat2(root.as_fd(), path, how) {
            Err(Errno::EAGAIN) => {}
            outcome => return outcome,
        }
    }
    openat2(root.as_fd(), path, how)
}

/// Makes a directory that those who may use the volume may use.
fn make(root: &OwnedFd, parent: &OwnedFd, name: &OsStr) -> Result<(), Errno> {
    match mkdirat(parent, name, Mode::S_IRWXU) {
        // Somebody else was faster.
        Err(Errno::EEXIST) => return Ok(()),
        made => made?,
    }
    let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let directory = openat(parent, name, flags, Mode::empty())?;
    let wanted = fstat(root)?;
    fchown(&directory, None, Some(Gid::from_raw(wanted.st_gid)))?;
    fchmod(&directory, Mode::from_bits_truncate(wanted.st_mode))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};

    use sampan_container::{Mount, MountKind};

    use super::*;
    use crate::kubelet::fixture::Fixture;
    use crate::kubelet::probes::check::Outcome;

    /// A volume in a pod's folder. Binding needs root.
    fn volume() -> (tempfile::TempDir, PathBuf) {
        let pod = tempfile::tempdir().unwrap();
        let volume = pod.path().join("volumes/data");
        fs::create_dir_all(volume.join("inside")).unwrap();
        (pod, volume)
    }

    #[test]
    fn a_part_never_leaves_its_volume() {
        let (pod, volume) = volume();
        symlink("/etc", volume.join("out")).unwrap();
        symlink("../..", volume.join("up")).unwrap();
        symlink("inside", volume.join("in")).unwrap();
        let mut pins = Pins::new(pod.path(), "web");
        let same = |pin: &Path, part: &str| {
            let (pin, part) = (fs::metadata(pin), fs::metadata(volume.join(part)));
            pin.unwrap().ino() == part.unwrap().ino()
        };
        assert!(same(&pins.pin(&volume, "a/b").unwrap(), "a/b"));
        assert!(same(&pins.pin(&volume, "in").unwrap(), "inside"));
        for part in ["../x", "/etc", "out", "out/passwd", "up", "up/x"] {
            assert!(
                matches!(pins.pin(&volume, part), Err(VolumeError::Path(_))),
                "{part}"
            );
        }
    }

    #[test]
    fn what_was_pinned_stays_and_the_pin_goes() {
        let (pod, volume) = volume();
        fs::write(volume.join("inside/file"), "1").unwrap();
        let mut pins = Pins::new(pod.path(), "web");
        let pin = pins.pin(&volume, "inside").unwrap();
        let file = pins.pin(&volume, "inside/file").unwrap();
        // What a program in the volume does meanwhile changes nothing.
        fs::rename(volume.join("inside"), volume.join("aside")).unwrap();
        symlink("/etc", volume.join("inside")).unwrap();
        assert_eq!(fs::read_to_string(pin.join("file")).unwrap(), "1");
        assert_eq!(fs::read_to_string(&file).unwrap(), "1");
        drop(pins);
        assert!(!pin.exists() && !file.exists());
        assert_eq!(fs::read_to_string(volume.join("aside/file")).unwrap(), "1");
    }

    #[test]
    fn a_pin_that_a_kill_has_left_is_taken_away_with_the_pod() {
        let (pod, volume) = volume();
        fs::write(volume.join("inside/file"), "1").unwrap();
        let mut pins = Pins::new(pod.path(), "web");
        let pin = pins.pin(&volume, "inside").unwrap();
        std::mem::forget(pins);
        let mut again = Pins::new(pod.path(), "web");
        assert_eq!(again.pin(&volume, "inside").unwrap(), pin);
        std::mem::forget(again);
        release_all(pod.path()).unwrap();
        assert!(!pin.exists());
        assert!(volume.join("inside/file").exists());
    }

    #[test]
    fn a_new_part_belongs_to_those_who_have_the_volume() {
        let (pod, volume) = volume();
        chown(&volume, None, Some(4321)).unwrap();
        fs::set_permissions(&volume, fs::Permissions::from_mode(0o2770)).unwrap();
        let mut pins = Pins::new(pod.path(), "web");
        pins.pin(&volume, "new/part").unwrap();
        for part in ["new", "new/part"] {
            let made = fs::metadata(volume.join(part)).unwrap();
            assert_eq!((made.mode() & 0o7777, made.gid()), (0o2770, 4321), "{part}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_container_keeps_the_part_when_the_pin_has_gone() {
        let (pod, volume) = volume();
        fs::write(volume.join("inside/file"), "1").unwrap();
        let mut pins = Pins::new(pod.path(), "web");
        let mount = |source, target: &str| Mount {
            source,
            target: target.into(),
            read_only: false,
            kind: MountKind::Bind,
        };
        let parts = vec![
            mount(pins.pin(&volume, "inside").unwrap(), "/part"),
            mount(pins.pin(&volume, "inside/file").unwrap(), "/etc/file"),
        ];
        let fixture = Fixture::create(parts);
        drop(pins);
        let fixture = fixture.start();
        let look = r#"test "$(cat /part/file /etc/file)" = 11 && echo -n 2 > /part/new"#;
        let (outcome, _) = fixture.run(look, 10).await;
        assert_eq!(outcome, Outcome::Success);
        assert_eq!(fs::read_to_string(volume.join("inside/new")).unwrap(), "2");
        fixture.stop();
    }
}
