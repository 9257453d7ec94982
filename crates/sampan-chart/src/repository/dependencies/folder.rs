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
    /// kept there by hand. Gives the names of what was removed.
    pub(super) fn finish(
        self,
        kept: &[&str],
        compatibility: Compatibility,
    ) -> Result<Vec<String>, Error> {
        for name in &self.names {
            let target = self.charts.join(name);
            fs::rename(self.folder.path().join(name), &target).map_err(failed(&target))?;
        }
        let mut removed = Vec::new();
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
            if !kept.contains(&chart.name()) {
                fs::remove_file(&path).map_err(failed(&path))?;
                removed.push(name);
            }
        }
        for folder in [&*self.charts, durable::directory_of(&self.charts)] {
            durable::sync_directory(folder).map_err(failed(folder))?;
        }
        removed.sort();
        Ok(removed)
    }
}

/// Writes a file as a whole, in place of the old one.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    if path.is_symlink() {
        let source = io::Error::other("it is a symbolic link");
        return Err(failed(path)(source));
    }
    durable::write(path, bytes).map_err(failed(path))
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Write { path, source }
}
