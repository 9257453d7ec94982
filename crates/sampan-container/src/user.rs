//! Users and groups by name, as the image's own files know them.

use std::path::{Path, PathBuf};

use crate::{Error, Result, User};

/// Resolves `USER[:GROUP]`, names or numbers, through `/etc/passwd` and `/etc/group` of a root file system that
/// is given as directories, topmost first. Links are never followed. An empty text is root.
///
/// # Errors
/// When a name is in none of the files.
pub fn resolve(layers: &[PathBuf], text: &str) -> Result<User> {
    let (user, group) = match text.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (text, None),
    };
    let passwd = read(layers, Path::new("etc/passwd"))?;
    let groups = read(layers, Path::new("etc/group"))?;
    let mut resolved = find_user(&passwd, user)?;
    match group {
        Some(group) if !group.is_empty() => resolved.gid = find_group(&groups, group)?,
        _ => {
            if let Some(name) = name_of(&passwd, resolved.uid) {
                resolved.additional_gids = groups_of(&groups, name);
            }
        }
    }
    Ok(resolved)
}

fn find_user(passwd: &str, user: &str) -> Result<User> {
    if user.is_empty() {
        return Ok(User::default());
    }
    let number = user.parse::<u32>().ok();
    for line in passwd.lines() {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, _, uid, gid, ..] = fields.as_slice() else {
            continue;
        };
        let (Ok(uid), Ok(gid)) = (uid.parse::<u32>(), gid.parse::<u32>()) else {
            continue;
        };
        if *name == user || number == Some(uid) {
            return Ok(User {
                uid,
                gid,
                additional_gids: Vec::new(),
            });
        }
    }
    number
        .map(|uid| User {
            uid,
            gid: 0,
            additional_gids: Vec::new(),
        })
        .ok_or_else(|| Error::UnknownUser(user.to_owned()))
}

fn find_group(groups: &str, group: &str) -> Result<u32> {
    if let Ok(gid) = group.parse() {
        return Ok(gid);
    }
    groups
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .filter(|fields| fields.first() == Some(&group))
        .find_map(|fields| fields.get(2)?.parse().ok())
        .ok_or_else(|| Error::UnknownGroup(group.to_owned()))
}

fn name_of(passwd: &str, uid: u32) -> Option<&str> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then_some(name)
    })
}

fn groups_of(groups: &str, user: &str) -> Vec<u32> {
    groups
        .lines()
        .filter_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            let member = fields.get(3)?.split(',').any(|member| member == user);
            if member {
                fields.get(2)?.parse().ok()
            } else {
                None
            }
        })
        .collect()
}

/// Reads a file through the layers: the topmost layer that has the path decides; a whiteout, a link or anything
/// that is not a file counts as an empty file.
fn read(layers: &[PathBuf], path: &Path) -> Result<String> {
    for layer in layers {
        if let Some(found) = read_in(layer, path)? {
            return Ok(found);
        }
    }
    Ok(String::new())
}

fn read_in(layer: &Path, path: &Path) -> Result<Option<String>> {
    let mut current = layer.to_owned();
    for part in path {
        current.push(part);
        match std::fs::symlink_metadata(&current) {
            Ok(found) if found.is_dir() => {}
            Ok(found) if found.is_file() => {
                let bytes = std::fs::read(&current).map_err(Error::io("read", &current))?;
                return Ok(Some(String::from_utf8_lossy(&bytes).into_owned()));
            }
            Ok(_) => return Ok(Some(String::new())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("look at", &current)(error)),
        }
    }
    Ok(Some(String::new()))
}
