//! Writes the files of a volume so that readers see either all old or all new ones.
//!
//! As in Kubernetes: the files live in a directory with a name of its own, `..data` is a link to it, and each
//! visible name is a link through `..data`. Swapping that one link by a rename changes everything at once.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::payload::Payload;

const DATA: &str = "..data";
const DATA_NEXT: &str = "..data_tmp";

/// Makes a directory hold exactly this payload; tells whether anything had to be changed.
pub(crate) fn write(volume: &Path, payload: &Payload) -> io::Result<bool> {
    fs::create_dir_all(volume)?;
    fs::set_permissions(volume, fs::Permissions::from_mode(0o755))?;
    let old = match fs::read_link(volume.join(DATA)) {
        Ok(target) => Some(target),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if old.is_some() && holds(&volume.join(DATA), payload)? {
        link_names(volume, payload)?;
        return Ok(false);
    }
    let next = format!("..{}", uuid::Uuid::new_v4().simple());
    write_files(&volume.join(&next), payload)?;
    let temporary = volume.join(DATA_NEXT);
    remove_if_there(&temporary)?;
    symlink(&next, &temporary)?;
    fs::rename(&temporary, volume.join(DATA))?;
    link_names(volume, payload)?;
    remove_strays(volume, &next)?;
    Ok(true)
}

fn write_files(directory: &Path, payload: &Payload) -> io::Result<()> {
    fs::create_dir(directory)?;
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755))?;
    for (path, file) in payload {
        let path = directory.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, &file.content)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(file.mode))?;
    }
    Ok(())
}

/// Whether a directory holds exactly the payload.
fn holds(directory: &Path, payload: &Payload) -> io::Result<bool> {
    let mut found = BTreeSet::new();
    collect(directory, "", &mut found)?;
    if !found.iter().eq(payload.keys()) {
        return Ok(false);
    }
    for (path, file) in payload {
        let path = directory.join(path);
        let mode = fs::metadata(&path)?.permissions().mode() & 0o777;
        if fs::read(&path)? != file.content || mode & 0o707 != file.mode & 0o707 {
            return Ok(false);
        }
    }
    Ok(true)
}

fn collect(directory: &Path, prefix: &str, found: &mut BTreeSet<String>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{name}/"), found)?;
        } else {
            found.insert(name);
        }
    }
    Ok(())
}

/// Sees to it that each first part of a path is a link through `..data`, and that no other link is there.
fn link_names(volume: &Path, payload: &Payload) -> io::Result<()> {
    let names: BTreeSet<&str> = payload
        .keys()
        .filter_map(|path| path.split('/').next())
        .collect();
    for name in &names {
        let link = volume.join(name);
        match symlink(Path::new(DATA).join(name), &link) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    for entry in fs::read_dir(volume)? {
        let name = entry?.file_name();
        let text = name.to_string_lossy();
        if !text.starts_with("..") && !names.contains(text.as_ref()) {
            remove_if_there(&volume.join(&name))?;
        }
    }
    Ok(())
}

fn remove_strays(volume: &Path, keep: &str) -> io::Result<()> {
    for entry in fs::read_dir(volume)? {
        let entry = entry?;
        let name = entry.file_name();
        let text = name.to_string_lossy();
        if text.starts_with("..") && text != DATA && text != keep && entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubelet::volumes::payload::File;

    fn payload(files: &[(&str, &str)]) -> Payload {
        files
            .iter()
            .map(|(path, content)| {
                (
                    (*path).to_owned(),
                    File {
                        content: content.as_bytes().to_vec(),
                        mode: 0o640,
                    },
                )
            })
            .collect()
    }

    struct Folder(std::path::PathBuf);

    impl Folder {
        fn new() -> Self {
            let name = format!("sampan-atomic-{}", uuid::Uuid::new_v4().simple());
            Self(std::env::temp_dir().join(name))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).expect("the folder was made by the test");
        }
    }

    #[test]
    fn an_update_replaces_all_files_and_leaves_nothing_of_the_old_ones() {
        let folder = Folder::new();
        let read = |name: &str| fs::read_to_string(folder.0.join(name));
        assert!(write(&folder.0, &payload(&[("a", "1"), ("deep/b", "2")])).unwrap());
        assert_eq!(
            (read("a").unwrap(), read("deep/b").unwrap()),
            ("1".into(), "2".into())
        );
        let before = fs::read_link(folder.0.join(DATA)).unwrap();
        assert!(!write(&folder.0, &payload(&[("a", "1"), ("deep/b", "2")])).unwrap());
        assert_eq!(
            fs::read_link(folder.0.join(DATA)).unwrap(),
            before,
            "nothing was written"
        );

        assert!(write(&folder.0, &payload(&[("a", "3"), ("c", "4")])).unwrap());
        assert_eq!(
            (read("a").unwrap(), read("c").unwrap()),
            ("3".into(), "4".into())
        );
        assert!(read("deep/b").is_err());
        let left = fs::read_dir(&folder.0).unwrap().count();
        assert_eq!(left, 4, "..data, one directory, two links");
    }
}
