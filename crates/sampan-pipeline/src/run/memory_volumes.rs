//! Temporary volumes in memory: mounted once, and shared by the containers of a stage.

use sampan_container::mounts::MemoryFolder;

use super::RunError;
use super::description::StageFolders;
use super::step::StepError;
use crate::graph::{Stage, VolumeSource};

/// Mounts the volumes of a stage that lie in memory.
pub(super) fn mount(folders: &StageFolders, stage: &Stage) -> Result<Vec<MemoryFolder>, StepError> {
    let mut mounted = Vec::new();
    for volume in &stage.volumes {
        let VolumeSource::Temporary {
            in_memory: true,
            size_bytes,
        } = &volume.source
        else {
            continue;
        };
        let path = folders.volume(&volume.name);
        std::fs::create_dir_all(&path).map_err(RunError::io("make", &path))?;
        let size_bytes = size_bytes.filter(|size| *size > 0);
        mounted.push(MemoryFolder::mount(&path, size_bytes)?);
    }
    Ok(mounted)
}
