//! An installation of its own with one image, in which pipelines run.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::channel;

use sampan_container::{Runtime, RuntimeConfig};
use sampan_oci::layer::{LayerOptions, from_directory};
use sampan_oci::{
    ContentStore, Descriptor, ImageConfiguration, MediaType, Reference, RootFs, Snapshots,
};
use sampan_pipeline::build::{Build, Commit, Repository};
use sampan_pipeline::dialect::{self, SourceFile};
use sampan_pipeline::graph::Graph;
use sampan_pipeline::run::{
    Deployment, Event, Executor, HttpRequest, HttpResponse, ImageBuild, ImagePublish, ImageRequest,
    Interrupt, Mail, Options, Outcome, PortError, Ports, Run, RunError, Source, SourceTarget,
    SourceTree,
};
use sampan_pipeline::secrets::{Secret, Secrets};
use sampan_pipeline::trust::Trust;
use serde_json::json;

/// An installation, cleared up when dropped.
pub(crate) struct Site {
    folder: tempfile::TempDir,
    pub(crate) runtime: Runtime,
    store: ContentStore,
    pub(crate) executor: Executor,
    pub(crate) secrets: BTreeMap<String, String>,
    /// Secrets with rules, beside those for all steps.
    pub(crate) kept: Vec<Secret>,
    pub(crate) options: Options,
    pub(crate) interrupt: Interrupt,
    pub(crate) trust: Trust,
    pub(crate) number: u64,
}

/// What a run told, and how it ended.
pub(crate) struct Ran {
    pub(crate) outcome: Outcome,
    /// The events as lines, outputs left out.
    pub(crate) events: Vec<String>,
    /// What the steps said together, by stage and step.
    pub(crate) said: BTreeMap<(String, String), String>,
}

impl Ran {
    /// What a step said.
    pub(crate) fn said(&self, stage: &str, step: &str) -> &str {
        self.said
            .get(&(stage.to_owned(), step.to_owned()))
            .map_or("", String::as_str)
    }

    /// The order in which the events came.
    pub(crate) fn place(&self, event: &str) -> usize {
        let found = self.events.iter().position(|line| line == event);
        found.unwrap_or_else(|| panic!("no `{event}` in {:#?}", self.events))
    }
}

impl Site {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("sp")
            .tempdir_in("/tmp")
            .unwrap();
        let data = folder.path().join("data");
        let test = std::env::current_exe().unwrap();
        let programs = test.parent().unwrap().parent().unwrap();
        let runtime = Runtime::new(RuntimeConfig {
            data: data.clone(),
            shim: programs.join("examples/pipeline_shim"),
        });
        let store = ContentStore::open(&data).unwrap();
        let snapshots = Snapshots::open(&data).unwrap();
        let executor = Executor::new(runtime.clone(), store.clone(), snapshots, data);
        let site = Self {
            folder,
            runtime,
            store,
            executor,
            secrets: BTreeMap::new(),
            kept: Vec::new(),
            options: Options::default(),
            interrupt: Interrupt::default(),
            trust: Trust::FULL,
            number: 0,
        };
        site.make_image();
        fs::create_dir(site.tree()).unwrap();
        site.write("README", "the tree\n");
        site
    }

    fn make_image(&self) {
        let root = self.folder.path().join("root");
        for path in ["bin", "etc", "tmp", "root", "proc", "sys", "dev"] {
            fs::create_dir_all(root.join(path)).unwrap();
        }
        fs::copy("/bin/busybox", root.join("bin/busybox")).unwrap();
        for applet in [
            "sh", "cat", "chmod", "cp", "date", "echo", "env", "false", "grep", "head", "hostname",
            "httpd", "id", "ln", "ls", "mkdir", "mkfifo", "nc", "printf", "pwd", "rm", "sed",
            "sleep", "sort", "test", "touch", "tr", "true", "wget", "yes",
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
        let mut config = serde_json::to_value(config).unwrap();
        self.put_image("busybox", &config, &layer.descriptor);
        // What Docker's images have and the specification does not.
        config["config"] = json!({"Healthcheck": {
            "Test": ["CMD-SHELL", "test -e /ready"],
            "Interval": 200_000_000,
            "Retries": 3_000_000,
            "StartPeriod": u64::MAX,
        }});
        self.put_image("checked", &config, &layer.descriptor);
    }

    fn put_image(&self, name: &str, config: &serde_json::Value, layer: &Descriptor) {
        let config = self.store.put_json(MediaType::ImageConfig, config).unwrap();
        let manifest = json!({"schemaVersion": 2, "config": config, "layers": [layer]});
        let manifest = self
            .store
            .put_json(MediaType::ImageManifest, &manifest)
            .unwrap();
        self.store.tag(&name.parse().unwrap(), &manifest).unwrap();
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn tree(&self) -> PathBuf {
        self.folder.path().join("tree")
    }

    /// Writes a file of the source tree.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.tree().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn run_folder(&self) -> PathBuf {
        self.run_folder_of(self.number)
    }

    pub(crate) fn run_folder_of(&self, number: u64) -> PathBuf {
        let runs = self.folder.path().join("data/ci/runs");
        runs.join(number.to_string())
    }

    /// Runs a pipeline as a push to `main`.
    pub(crate) fn run(&mut self, file: &str, text: &str) -> Ran {
        self.try_run(file, text).unwrap()
    }

    pub(crate) fn try_run(&mut self, file: &str, text: &str) -> Result<Ran, RunError> {
        let graph = graph(file, text);
        self.run_source(Source::Graph(&graph), &mut |_| {})
    }

    pub(crate) fn run_source(
        &mut self,
        source: Source<'_>,
        watch: &mut dyn FnMut(&Event<'_>),
    ) -> Result<Ran, RunError> {
        self.number += 1;
        self.run_beside(self.number, &self.interrupt, source, watch)
    }

    /// Runs something as a run of its own, which may go on beside others.
    pub(crate) fn run_beside(
        &self,
        number: u64,
        interrupt: &Interrupt,
        source: Source<'_>,
        watch: &mut dyn FnMut(&Event<'_>),
    ) -> Result<Ran, RunError> {
        let folder = self.run_folder_of(number);
        fs::create_dir_all(&folder).unwrap();
        let mut secrets = Secrets::new(self.secrets.clone());
        for secret in &self.kept {
            secrets.add(secret.clone());
        }
        let tree = Tree(self.tree());
        let ports = LocalPorts {
            store: self.store.clone(),
            asked: Mutex::default(),
            interrupt: None,
        };
        let build = build();
        let run = Run {
            build: &build,
            source,
            folder: &folder,
            tree: &tree,
            secrets: &secrets,
            trust: self.trust,
            ports: &ports,
            options: &self.options,
            interrupt,
        };
        let mut events = Vec::new();
        let mut said: BTreeMap<(String, String), String> = BTreeMap::new();
        let outcome = self.executor.run(&run, &mut |event| {
            watch(&event);
            match event {
                Event::StepOutput { stage, step, bytes } => said
                    .entry((stage.to_owned(), step.to_owned()))
                    .or_default()
                    .push_str(&String::from_utf8_lossy(bytes)),
                other => events.push(shown(&other)),
            }
        })?;
        Ok(Ran {
            outcome,
            events,
            said,
        })
    }

    /// Sees to it that nothing of a run is left on the machine.
    pub(crate) fn check_nothing_left(&self) {
        assert!(
            self.runtime.list().unwrap().is_empty(),
            "containers are left"
        );
        let data = self.folder.path().join("data");
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let own = data.display().to_string();
        assert!(!mounts.contains(&own), "mounts are left: {mounts}");
        let leases = data.join("network/leases");
        if leases.exists() {
            assert_eq!(
                fs::read_dir(leases).unwrap().count(),
                0,
                "addresses are left"
            );
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        for container in self.runtime.list().unwrap() {
            self.runtime.remove(&container.id, true).unwrap();
        }
        sampan_container::network::Bridge::remove(&self.folder.path().join("data")).unwrap();
    }
}

pub(crate) fn build() -> Build {
    Build {
        number: 1,
        repository: Repository {
            owner: "team".to_owned(),
            name: "shop".to_owned(),
            ..Repository::default()
        },
        commit: Commit {
            branch: "main".to_owned(),
            reference: "refs/heads/main".to_owned(),
            sha: "1".repeat(40),
            ..Commit::default()
        },
        ..Build::default()
    }
}

pub(crate) fn graph(file: &str, text: &str) -> Graph {
    graph_of(&[(file, text)])
}

pub(crate) fn graph_of(files: &[(&str, &str)]) -> Graph {
    let files: Vec<_> = files
        .iter()
        .map(|(path, text)| SourceFile {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        })
        .collect();
    dialect::parse(&files, &build()).unwrap()
}

fn shown(event: &Event<'_>) -> String {
    match event {
        Event::StageBegan { stage } => format!("{stage} began"),
        Event::StageEnded {
            stage, end, reason, ..
        } => format!("{stage} ended {end:?}{}", reason.unwrap_or_default()),
        Event::StageSkipped { stage, reason } => format!("{stage} skipped: {reason}"),
        Event::StepBegan { stage, step } => format!("{stage}/{step} began"),
        Event::StepEnded {
            stage, step, end, ..
        } => format!("{stage}/{step} ended {end:?}"),
        Event::StepSkipped {
            stage,
            step,
            reason,
        } => format!("{stage}/{step} skipped: {reason}"),
        other => format!("{other:?}"),
    }
}

struct Tree(PathBuf);

impl SourceTree for Tree {
    fn fill(&self, target: &SourceTarget) -> Result<(), PortError> {
        copy(&self.0, target, Path::new("")).map_err(|error| PortError::new(error.to_string()))
    }
}

fn copy(from: &Path, target: &SourceTarget, below: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            target.make_folder(&path)?;
            copy(&entry.path(), target, &path)?;
        } else {
            target.copy(&entry.path(), &path)?;
        }
    }
    Ok(())
}

/// Images of the content store, and nothing else.
struct LocalPorts {
    store: ContentStore,
    asked: Mutex<Vec<String>>,
    /// What asks the step to end.
    interrupt: Option<Interrupt>,
}

impl Ports for LocalPorts {
    fn for_step(&self, interrupt: &Interrupt) -> Option<Box<dyn Ports + '_>> {
        Some(Box::new(Self {
            store: self.store.clone(),
            asked: Mutex::default(),
            interrupt: Some(interrupt.clone()),
        }))
    }

    fn image(&self, request: &ImageRequest<'_>) -> Result<Descriptor, PortError> {
        self.asked.lock().unwrap().push(request.name.to_owned());
        let reference: Reference = request.name.parse().unwrap();
        self.store
            .resolve(&reference)
            .unwrap()
            .ok_or_else(|| PortError::new(format!("there is no image `{}`", request.name)))
    }

    fn action(&self, reference: &str) -> Result<PathBuf, PortError> {
        Err(PortError::new(format!("there is no action `{reference}`")))
    }

    fn build_image(
        &self,
        request: &ImageBuild,
        _: &mut dyn FnMut(&[u8]),
    ) -> Result<Descriptor, PortError> {
        // A build that does not end by itself.
        if let Some(interrupt) = &self.interrupt
            && request.target.as_deref() == Some("endless")
        {
            let (tell, told) = channel();
            let _guard = interrupt.on_trigger(move |_| tell.send(()).unwrap_or_default());
            told.recv().unwrap();
        }
        Err(PortError::new(
            match fs::read_to_string(&request.dockerfile) {
                Ok(text) => format!("nothing is built here from `{}`", text.trim()),
                Err(_) => "there is no Dockerfile".to_owned(),
            },
        ))
    }

    fn publish_image(&self, _: &ImagePublish, _: &mut dyn FnMut(&[u8])) -> Result<(), PortError> {
        Err(PortError::new("no images are published here"))
    }

    fn deploy(&self, _: &Deployment, _: &mut dyn FnMut(&[u8])) -> Result<(), PortError> {
        Err(PortError::new("nothing is deployed here"))
    }

    fn send(&self, _: &HttpRequest) -> Result<HttpResponse, PortError> {
        Err(PortError::new("nothing is sent from here"))
    }

    fn send_mail(&self, _: &Mail) -> Result<(), PortError> {
        Err(PortError::new("no mail is sent from here"))
    }
}
