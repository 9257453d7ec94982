//! An installation of its own with a base image and a context.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use sampan_build::{BuildError, BuildNetwork, BuildRequest, Builder, BuiltImage, Event, Outcome};
use sampan_container::{Overlay, Runtime, RuntimeConfig};
use sampan_oci::layer::{LayerOptions, from_directory};
use sampan_oci::{
    ContentStore, Descriptor, Image, ImageConfiguration, MediaType, RootFs, Snapshots,
};
use serde_json::{Value, json};

const TAG: &str = "app:1";

/// An installation, cleared up when dropped.
pub(crate) struct Site {
    folder: tempfile::TempDir,
    pub(crate) store: ContentStore,
    snapshots: Snapshots,
    runtime: Runtime,
}

impl Site {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("sb")
            .tempdir_in("/tmp")
            .unwrap();
        let data = folder.path().join("data");
        let test = std::env::current_exe().unwrap();
        let shim = test
            .parent()
            .unwrap()
            .parent()
            .unwrap()
            .join("examples/build_shim");
        let site = Self {
            store: ContentStore::open(&data).unwrap(),
            snapshots: Snapshots::open(&data).unwrap(),
            runtime: Runtime::new(RuntimeConfig { data, shim }),
            folder,
        };
        fs::create_dir(site.context()).unwrap();
        site.make_base();
        site
    }

    fn make_base(&self) {
        let root = self.folder.path().join("root");
        for path in ["bin", "etc", "tmp", "root", "proc", "sys", "dev"] {
            fs::create_dir_all(root.join(path)).unwrap();
        }
        fs::copy("/bin/busybox", root.join("bin/busybox")).unwrap();
        for applet in [
            "sh", "cat", "chmod", "cp", "echo", "false", "hostname", "id", "ln", "ls", "mkdir",
            "pwd", "rm", "sleep", "touch", "true", "vi",
        ] {
            symlink("busybox", root.join("bin").join(applet)).unwrap();
        }
        let users = "root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/:/bin/sh\n";
        fs::write(root.join("etc/passwd"), users).unwrap();
        fs::write(root.join("etc/group"), "root:x:0:\napp:x:1000:\n").unwrap();
        let options = LayerOptions {
            epoch: Some(0),
            ..LayerOptions::default()
        };
        let layer = from_directory(&self.store, &root, options).unwrap();
        let mut rootfs = RootFs::default();
        rootfs.set_diff_ids(vec![layer.diff_id.to_string()]);
        let mut config = ImageConfiguration::default();
        config.set_rootfs(rootfs);
        let config = self
            .store
            .put_json(MediaType::ImageConfig, &config)
            .unwrap();
        let manifest = json!({"schemaVersion": 2, "config": config, "layers": [layer.descriptor]});
        let descriptor = self
            .store
            .put_json(MediaType::ImageManifest, &manifest)
            .unwrap();
        self.store
            .tag(&"busybox".parse().unwrap(), &descriptor)
            .unwrap();
    }

    pub(crate) fn context(&self) -> PathBuf {
        self.folder.path().join("context")
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.context().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn chmod(&self, path: &str, mode: u32) {
        fs::set_permissions(self.context().join(path), fs::Permissions::from_mode(mode)).unwrap();
    }

    pub(crate) fn dockerfile(&self, text: &str) {
        fs::write(self.folder.path().join("Dockerfile"), text).unwrap();
    }

    pub(crate) fn request(&self) -> BuildRequest {
        BuildRequest {
            context: self.context(),
            dockerfile: Some(self.folder.path().join("Dockerfile")),
            tags: vec![TAG.parse().unwrap()],
            network: BuildNetwork::None,
            ..BuildRequest::default()
        }
    }

    pub(crate) fn try_request(&self, request: &BuildRequest) -> Result<BuiltImage, BuildError> {
        self.builder().build(request, &mut |_| {})
    }

    fn builder(&self) -> Builder {
        let data = self.folder.path().join("data");
        Builder::new(
            self.store.clone(),
            self.snapshots.clone(),
            self.runtime.clone(),
            data,
        )
    }

    pub(crate) fn build_request(&self, request: &BuildRequest) -> BuiltImage {
        let mut events = Vec::new();
        let built = self
            .builder()
            .build(request, &mut |event| events.push(event));
        built.unwrap_or_else(|error| panic!("{error:?}\n{events:#?}"))
    }

    /// Builds and hands every event to `report`.
    pub(crate) fn build_reporting(&self, report: &mut dyn FnMut(Event)) -> BuiltImage {
        self.builder().build(&self.request(), report).unwrap()
    }

    pub(crate) fn try_build(&self) -> Result<BuiltImage, BuildError> {
        self.try_request(&self.request())
    }

    pub(crate) fn build(&self) -> BuiltImage {
        self.build_request(&self.request())
    }

    pub(crate) fn build_as(&self, name: &str) {
        let request = BuildRequest {
            tags: vec![name.parse().unwrap()],
            ..self.request()
        };
        self.build_request(&request);
    }

    /// Builds and gives how each step of the Dockerfile ended.
    pub(crate) fn build_with_outcomes(&self) -> (BuiltImage, Vec<Outcome>) {
        let mut visible = Vec::new();
        let mut outcomes = Vec::new();
        let built = self
            .builder()
            .build(&self.request(), &mut |event| match event {
                Event::Started { step, name }
                    if name.starts_with('[') && !name.starts_with("[internal") =>
                {
                    visible.push(step);
                }
                Event::Finished { step, outcome, .. } if visible.contains(&step) => {
                    outcomes.push(outcome);
                }
                _ => {}
            });
        (built.unwrap(), outcomes)
    }

    pub(crate) fn tagged(&self) -> Option<Descriptor> {
        self.store.resolve(&TAG.parse().unwrap()).unwrap()
    }

    /// The image and its configuration as written.
    pub(crate) fn image(&self, built: &BuiltImage) -> (Image, Value) {
        let image = self.store.image(&built.descriptor).unwrap();
        let raw = self.store.read_json(image.manifest.config()).unwrap();
        (image, raw)
    }

    /// The files of an image, mounted from freshly unpacked layers.
    pub(crate) fn files(&self, image: &Image) -> Files {
        let folder = tempfile::Builder::new()
            .prefix("sf")
            .tempdir_in("/tmp")
            .unwrap();
        let snapshots = Snapshots::open(folder.path()).unwrap();
        let lower = snapshots.prepare(&self.store, image).unwrap();
        let root = folder.path().join("root");
        fs::create_dir(&root).unwrap();
        let mounted = Overlay {
            lower,
            upper: None,
            work: None,
        }
        .mount(&root)
        .unwrap();
        Files {
            _mounted: mounted,
            root,
            _folder: folder,
        }
    }

    /// Whether no container, no mount and no folder of a build is left.
    pub(crate) fn is_tidy(&self) -> bool {
        let work = self.folder.path().join("data/cache/build/work");
        let left = fs::read_dir(work).map_or(0, Iterator::count);
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        let folder = self.folder.path().display().to_string();
        left == 0 && !mounts.contains(&folder) && self.runtime.list().unwrap().is_empty()
    }
}

/// Runs a script that must succeed.
pub(crate) fn shell(script: &str) {
    let status = Command::new("sh").args(["-ec", script]).status().unwrap();
    assert!(status.success(), "{script}");
}

/// Waits until a file is old enough for its digest to be remembered.
pub(crate) fn wait_until_settled(path: &Path) {
    let changed = path.metadata().unwrap().ctime();
    while sampan_supervise::clock::now().as_second() <= changed + 3 {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

/// The mounted files of an image.
pub(crate) struct Files {
    // Unmounted before the folder is removed.
    _mounted: sampan_container::MountGuard,
    root: PathBuf,
    _folder: tempfile::TempDir,
}

impl Files {
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// All paths, relative to the root.
    pub(crate) fn list(&self) -> Vec<String> {
        let mut found = Vec::new();
        self.descend(Path::new(""), &mut found);
        found
    }

    fn descend(&self, folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(self.root.join(folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            found.push(path.display().to_string());
            if entry.file_type().unwrap().is_dir() {
                self.descend(&path, found);
            }
        }
    }
}
