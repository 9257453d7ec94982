//! Files of charts, written so that a kill at any moment leaves the old or the new ones.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sampan_oci::durable::{self, PartialFolder};

use crate::chart::Chart;
use crate::compatibility::Compatibility;
use crate::repository::Error;

/// Packages on their way into the `charts` folder of a chart.
pub(super) struct Incoming {
    charts: PathBuf,
    /// Beside `charts`; those who load the chart do not see what a kill may leave of it.
    folder: PartialFolder,
    names: Vec<String>,
}

impl Incoming {
    pub(super) fn begin(chart: &Path) -> Result<Self, Error> {
        let charts = chart.join("charts");
        fs::create_dir_all(&charts).map_err(failed(&charts))?;
        let folder = PartialFolder::create(&charts).map_err(failed(&charts))?;
        Ok(Self {
            charts,
            folder,
            names: Vec::new(),
        })
    }

    pub(super) fn add(&mut self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let written = self.folder.write(Path::new(name), bytes);
        written.map_err(failed(&self.folder.path().join(name)))?;
        // Dependencies with other names may be the same chart.
        if !self.names.iter().any(|known| known == name) {
            self.names.push(name.to_owned());
        }
        Ok(())
    }

    /// Moves all into `charts` and removes the packages there that are not among them, except those of charts that are
    /// kept there by hand. Gives the names of what was removed. What a kill leaves has all of the old packages or all of
    /// the new ones, maybe both; what fails is undone.
    pub(super) fn finish(
        self,
        kept: &[String],
        compatibility: Compatibility,
    ) -> Result<Vec<String>, Error> {
        let mut removed = self.unneeded(kept, compatibility)?;
        removed.sort();
        let aside = self.folder.path().join("aside");
        fs::create_dir(&aside).map_err(failed(&aside))?;
        let mut swap = Swap {
            charts: &self.charts,
            aside,
            done: Vec::new(),
        };
        let swapped = swap.run(self.folder.path(), &self.names, &removed);
        if let Err(error) = swapped {
            swap.undo();
            return Err(error);
        }
        Ok(removed)
    }

    /// Packages in `charts` that nobody needs any more.
    fn unneeded(
        &self,
        kept: &[String],
        compatibility: Compatibility,
    ) -> Result<Vec<String>, Error> {
        let mut unneeded = Vec::new();
        for entry in fs::read_dir(&self.charts).map_err(failed(&self.charts))? {
            let entry = entry.map_err(failed(&self.charts))?;
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy().into_owned();
            if path.is_dir() || self.names.contains(&name) {
                continue;
            }
            // Only what is a chart was put there by somebody like us.
            let Ok(chart) = Chart::load(&path, compatibility) else {
                continue;
            };
            if !kept.iter().any(|kept| kept == chart.name()) {
                unneeded.push(name);
            }
        }
        Ok(unneeded)
    }
}

/// What has been done to `charts`, to be undone when the rest fails.
struct Swap<'a> {
    charts: &'a Path,
    /// Where files are as long as they may come back.
    aside: PathBuf,
    done: Vec<Done>,
}

enum Done {
    /// A file is there that was not.
    Added(String),
    /// A file is there in place of another one, or is gone; the other one is aside.
    Taken(String),
}

impl Swap<'_> {
    fn run(&mut self, from: &Path, new: &[String], old: &[String]) -> Result<(), Error> {
        for name in new {
            let target = self.charts.join(name);
            let is_there = keep(&target, &self.aside.join(name)).map_err(failed(&target))?;
            fs::rename(from.join(name), &target).map_err(failed(&target))?;
            self.done.push(if is_there {
                Done::Taken(name.clone())
            } else {
                Done::Added(name.clone())
            });
        }
        for name in old {
            let path = self.charts.join(name);
            fs::rename(&path, self.aside.join(name)).map_err(failed(&path))?;
            self.done.push(Done::Taken(name.clone()));
        }
        for folder in [self.charts, durable::directory_of(self.charts)] {
            durable::sync_directory(folder).map_err(failed(folder))?;
        }
        Ok(())
    }

    /// Puts everything back; what cannot be is said, for the error that led here is told to the user.
    fn undo(&self) {
        for done in self.done.iter().rev() {
            let (path, result) = match done {
                Done::Added(name) => {
                    let path = self.charts.join(name);
                    let result = fs::remove_file(&path);
                    (path, result)
                }
                Done::Taken(name) => {
                    let path = self.charts.join(name);
                    let result = fs::rename(self.aside.join(name), &path);
                    (path, result)
                }
            };
            if let Err(error) = result {
                tracing::warn!(path = %path.display(), %error, "a package could not be put back");
            }
        }
    }
}

/// Gives a file a second name, so that it is there at any moment; says whether there is one. Some file systems have no
/// second names.
fn keep(file: &Path, aside: &Path) -> io::Result<bool> {
    if !file.try_exists()? {
        return Ok(false);
    }
    if fs::hard_link(file, aside).is_err() {
        fs::copy(file, aside)?;
    }
    Ok(true)
}

/// A file that was written in place of an old one.
pub(super) struct Replaced {
    path: PathBuf,
    before: Option<Vec<u8>>,
}

impl Replaced {
    /// Writes a file as a whole.
    pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<Self, Error> {
        if path.is_symlink() {
            let source = io::Error::other("it is a symbolic link");
            return Err(failed(path)(source));
        }
        let before = match fs::read(path) {
            Ok(before) => Some(before),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(path)(error)),
        };
        durable::write(path, bytes).map_err(failed(path))?;
        Ok(Self {
            path: path.to_owned(),
            before,
        })
    }

    /// Puts the old one back.
    pub(super) fn undo(self) {
        let result = match self.before {
            Some(before) => durable::write(&self.path, &before),
            None => fs::remove_file(&self.path),
        };
        if let Err(error) = result {
            let path = self.path.display();
            tracing::warn!(%path, %error, "the lock file could not be put back");
        }
    }
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Write { path, source }
}
