//! `hashFiles` over the workspace of a job.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;

use ring::digest::{Context, SHA256};
use rustix::fs::{CWD, Dir, FileType, Mode, OFlags, ResolveFlags, openat, openat2};

use crate::github::context::Files;
use crate::glob::{Form, Glob};
use crate::run::stage_run::StageRun;

/// How deep folders are looked into.
const LIMIT_DEPTH: usize = 100;

/// The workspace of a job.
#[derive(Debug)]
pub(super) struct Workspace {
    folder: PathBuf,
}

impl Workspace {
    pub(super) fn of(run: &StageRun<'_>) -> Self {
        Self {
            folder: run.folders.workspace(),
        }
    }
}

impl Files for Workspace {
    fn hash(&self, patterns: &[Arc<str>]) -> io::Result<String> {
        let mut globs = Vec::new();
        for pattern in patterns.iter().flat_map(|pattern| pattern.lines()) {
            let (excludes, pattern) = match pattern.strip_prefix('!') {
                Some(pattern) => (true, pattern),
                None => (false, pattern),
            };
            let inside = pattern
                .strip_prefix("/github/workspace/")
                .or_else(|| pattern.strip_prefix("./"))
                .unwrap_or(pattern);
            let glob = Glob::new(inside, Form::DeepWithParent)
                .ok_or_else(|| io::Error::other(format!("`{pattern}` is no pattern")))?;
            globs.push((excludes, glob));
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = openat(CWD, &self.folder, flags, Mode::empty())?;
        let mut paths = Vec::new();
        list(&root, "", 0, &mut paths)?;
        // The last pattern that says something about a path decides.
        paths.retain(|path| {
            let last = globs.iter().rev().find(|(_, glob)| glob.matches(path));
            last.is_some_and(|(excludes, _)| !excludes)
        });
        paths.sort();
        let mut all = Context::new(&SHA256);
        for path in &paths {
            all.update(&hash(&root, path)?);
        }
        Ok(if paths.is_empty() {
            String::new()
        } else {
            hex::encode(all.finish())
        })
    }
}

fn list(folder: &OwnedFd, path: &str, depth: usize, paths: &mut Vec<String>) -> io::Result<()> {
    if depth > LIMIT_DEPTH {
        return Ok(());
    }
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let inner = format!("{path}{}", name.to_string_lossy());
        match entry.file_type() {
            FileType::Directory => {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let opened = openat(folder, name, flags, Mode::empty())?;
                list(&opened, &format!("{inner}/"), depth + 1, paths)?;
            }
            FileType::RegularFile => paths.push(inner),
            _ => {}
        }
    }
    Ok(())
}

fn hash(root: &OwnedFd, path: &str) -> io::Result<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    let mut file = File::from(openat2(root.as_fd(), path, flags, Mode::empty(), resolve)?);
    let mut context = Context::new(&SHA256);
    let mut chunk = vec![0; 64 * 1024];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(context.finish().as_ref().to_vec()),
            length => context.update(&chunk[..length]),
        }
    }
}
