//! The volumes of a pod: directories and files of the host that its containers mount.

pub(crate) mod atomic;
mod ownership;
pub(crate) mod payload;
mod subpath;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::{EmptyDirVolumeSource, HostPathVolumeSource, PodSpec, Volume};
use nix::mount::{MntFlags, MsFlags};

use super::quantity;
use crate::controllers::claims;
pub(crate) use payload::Origin;
pub(crate) use subpath::Pins;

/// Why a volume cannot be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VolumeError {
    /// A config map or secret does not exist.
    #[error("{kind} \"{name}\" not found")]
    NoSource {
        /// `configmap`, `secret`, `serviceaccount` or `persistentvolumeclaim`.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// It does not have a key.
    #[error("{kind} \"{name}\" references non-existent config key: {key}")]
    NoKey {
        /// `configmap` or `secret`.
        kind: &'static str,
        /// Its name.
        name: String,
        /// The key.
        key: String,
    },
    /// A claim that has no folder yet.
    #[error("persistentvolumeclaim \"{0}\" is not bound")]
    Unbound(String),
    /// A field or resource that the downward API does not offer.
    #[error("unsupported field `{0}`")]
    NoField(String),
    /// A path that leaves the volume.
    #[error("the path `{0}` is not inside of the volume")]
    Path(String),
    /// A path of the host that is not what the volume says it is.
    #[error("hostPath type check failed: {path} is not a {expected}")]
    HostPath {
        /// The path.
        path: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A container mounts a volume that the pod does not have.
    #[error("volume \"{0}\" not found in the pod")]
    NoVolume(String),
    /// Something that is not offered here.
    #[error("{0} are not supported")]
    Unsupported(&'static str),
    /// The file system refused.
    #[error("cannot {operation} `{}`", path.display())]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// Turns an error of the file system into one of volumes.
fn failed<'a>(
    operation: &'static str,
    path: &'a Path,
) -> impl FnOnce(io::Error) -> VolumeError + use<'a> {
    move |source| VolumeError::Io {
        operation,
        path: path.to_owned(),
        source,
    }
}

/// A volume on the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Prepared {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Whether containers may only read it.
    pub(crate) read_only: bool,
}

/// Makes or updates all volumes of a pod below `folder`; blocks.
pub(crate) fn prepare(
    folder: &Path,
    data: &Path,
    origin: &Origin<'_>,
) -> Result<BTreeMap<String, Prepared>, VolumeError> {
    let spec = origin.pod.spec.clone().unwrap_or_default();
    let group = fs_group(&spec);
    let mut prepared = BTreeMap::new();
    for volume in spec.volumes.iter().flatten() {
        let path = folder.join("volumes").join(&volume.name);
        let volume_ready = if let Some(payload) = payload::of_volume(volume, origin)? {
            let changed = atomic::write(&path, &payload).map_err(failed("write", &path))?;
            if changed && let Some(group) = group {
                ownership::give(&path, group).map_err(failed("change the group of", &path))?;
            }
            Prepared {
                path,
                read_only: true,
            }
        } else {
            other(volume, path, data, origin, group)?
        };
        prepared.insert(volume.name.clone(), volume_ready);
    }
    Ok(prepared)
}

fn fs_group(spec: &PodSpec) -> Option<u32> {
    let group = spec.security_context.as_ref()?.fs_group?;
    u32::try_from(group).ok()
}

fn other(
    volume: &Volume,
    path: PathBuf,
    data: &Path,
    origin: &Origin<'_>,
    group: Option<u32>,
) -> Result<Prepared, VolumeError> {
    if let Some(source) = &volume.empty_dir {
        let made = empty_dir(&path, source)?;
        if made && let Some(group) = group {
            ownership::give(&path, group).map_err(failed("change the group of", &path))?;
        }
        return Ok(Prepared {
            path,
            read_only: false,
        });
    }
    if let Some(source) = &volume.host_path {
        return host_path(source);
    }
    if let Some(source) = &volume.persistent_volume_claim {
        let name = &source.claim_name;
        let Some(claim) = origin.sources.claims.get(name) else {
            let name = name.clone();
            return Err(VolumeError::NoSource {
                kind: "persistentvolumeclaim",
                name,
            });
        };
        let path = claims::folder(data, &claim.metadata);
        let bound = claim.status.as_ref().and_then(|s| s.phase.as_deref()) == Some("Bound");
        if !bound || !path.is_dir() {
            return Err(VolumeError::Unbound(name.clone()));
        }
        // Later on it would be a long way through files that are being worked with.
        if let Some(group) = group.filter(|_| !origin.begun) {
            ownership::give(&path, group).map_err(failed("change the group of", &path))?;
        }
        return Ok(Prepared {
            path,
            read_only: source.read_only == Some(true),
        });
    }
    Err(VolumeError::Unsupported(
        "volumes other than configMap, secret, downwardAPI, projected, emptyDir, hostPath and persistentVolumeClaim",
    ))
}

/// Makes an empty directory, in memory if asked for; tells whether it was made just now.
fn empty_dir(path: &Path, source: &EmptyDirVolumeSource) -> Result<bool, VolumeError> {
    let in_memory = source.medium.as_deref() == Some("Memory");
    let exists = path.is_dir();
    if exists && (!in_memory || is_mounted(path).map_err(failed("look at", path))?) {
        return Ok(false);
    }
    fs::create_dir_all(path).map_err(failed("create", path))?;
    if in_memory {
        let size = source
            .size_limit
            .as_ref()
            .and_then(quantity::units)
            .filter(|size| *size > 0);
        let options = size.map_or_else(
            || "mode=0777".to_owned(),
            |size| format!("mode=0777,size={size}"),
        );
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
        nix::mount::mount(
            Some("tmpfs"),
            path,
            Some("tmpfs"),
            flags,
            Some(options.as_str()),
        )
        .map_err(io::Error::from)
        .map_err(failed("mount memory at", path))?;
    } else {
        fs::set_permissions(path, fs::Permissions::from_mode(0o777))
            .map_err(failed("open up", path))?;
    }
    Ok(true)
}

/// Whether something is mounted on a directory: it lies on another file system than the one above it.
fn is_mounted(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let parent = path.parent().unwrap_or(Path::new("/"));
    Ok(fs::metadata(path)?.dev() != fs::metadata(parent)?.dev())
}

fn host_path(source: &HostPathVolumeSource) -> Result<Prepared, VolumeError> {
    let path = PathBuf::from(&source.path);
    let metadata = fs::metadata(&path);
    let mismatch = |expected| {
        Err(VolumeError::HostPath {
            path: source.path.clone(),
            expected,
        })
    };
    match (source.type_.as_deref().unwrap_or_default(), metadata) {
        ("DirectoryOrCreate", Err(_)) => {
            fs::create_dir_all(&path).map_err(failed("create", &path))?;
        }
        ("FileOrCreate", Err(_)) => drop(fs::File::create(&path).map_err(failed("create", &path))?),
        ("Directory" | "DirectoryOrCreate", Ok(found)) if found.is_dir() => {}
        ("File" | "FileOrCreate", Ok(found)) if found.is_file() => {}
        ("Socket", Ok(found)) if found.file_type().is_socket() => {}
        ("CharDevice", Ok(found)) if found.file_type().is_char_device() => {}
        ("BlockDevice", Ok(found)) if found.file_type().is_block_device() => {}
        ("", Ok(_)) => {}
        // As other runtimes do, what is not there becomes a directory.
        ("", Err(_)) => fs::create_dir_all(&path).map_err(failed("create", &path))?,
        ("File" | "FileOrCreate", _) => return mismatch("file"),
        ("Socket", _) => return mismatch("socket"),
        ("CharDevice", _) => return mismatch("character device"),
        ("BlockDevice", _) => return mismatch("block device"),
        _ => return mismatch("directory"),
    }
    Ok(Prepared {
        path,
        read_only: false,
    })
}

/// Removes all that is below a pod's folder; blocks.
pub(crate) fn remove(folder: &Path) -> Result<(), VolumeError> {
    subpath::release_all(folder)?;
    let volumes = folder.join("volumes");
    if let Ok(entries) = fs::read_dir(&volumes) {
        for entry in entries {
            let path = entry.map_err(failed("list", &volumes))?.path();
            if path.is_dir() && is_mounted(&path).map_err(failed("look at", &path))? {
                nix::mount::umount2(&path, MntFlags::MNT_DETACH)
                    .map_err(io::Error::from)
                    .map_err(failed("unmount", &path))?;
            }
        }
    }
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(failed("remove", folder)(error))
        }
        _ => Ok(()),
    }
}
