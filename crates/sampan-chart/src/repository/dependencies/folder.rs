//! Files of charts, written so that a kill at any moment leaves the old or the new ones.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::chart::Chart;
use crate::compatibility::Compatibility;
use crate::repository::Error;

/// Packages on their way into the `charts` folder of a chart.
pub(super) struct Incoming {
    charts: PathBuf,
    /// Beside `charts`, removed in the end; `.helmignore` or not, it has gone before the chart is packed.
    folder: PathBuf,
    names: Vec<String>,
}

impl Incoming {
    pub(super) fn begin(chart: &Path) -> Result<Self, Error> {
        let charts = chart.join("charts");
        let folder = chart.join(format!("tmpcharts-{}", std::process::id()));
        for path in [&charts, &folder] {
            fs::create_dir_all(path).map_err(failed(path))?;
        }
        Ok(Self {
            charts,
            folder,
            names: Vec::new(),
        })
    }

    pub(super) fn add(&mut self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        write_synced(&self.folder.join(name), bytes)?;
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
            fs::rename(self.folder.join(name), &target).map_err(failed(&target))?;
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
        sync(&self.charts)?;
        removed.sort();
        Ok(removed)
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // What is left over there is of no use, and the next run does not look at it.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Writes a file as a whole, in place of the old one.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    if path.is_symlink() {
        let source = io::Error::other("it is a symbolic link");
        return Err(failed(path)(source));
    }
    let new = path.with_extension(format!("tmp-{}", std::process::id()));
    write_synced(&new, bytes)?;
    fs::rename(&new, path).map_err(failed(path))?;
    sync(path.parent().unwrap_or(Path::new(".")))
}

fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut file = File::create(path).map_err(failed(path))?;
    file.write_all(bytes).map_err(failed(path))?;
    file.sync_all().map_err(failed(path))
}

fn sync(folder: &Path) -> Result<(), Error> {
    let opened = File::open(folder).map_err(failed(folder))?;
    opened.sync_all().map_err(failed(folder))
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Write { path, source }
}
