//! Steps of pipelines, run by their built-ins with ports that keep what they are asked for.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use sampan_model::{Causes, Hint};
use sampan_oci::Descriptor;
use sampan_pipeline::build::{Author, Build, Commit, Repository};
use sampan_pipeline::built_in::{self, BuiltInError};
use sampan_pipeline::graph::{Action, EnvironmentValue, Graph, Stage, Step};
use sampan_pipeline::plan::End;
use sampan_pipeline::run::{
    Deployment, Done, HttpRequest, HttpResponse, ImageBuild, ImagePublish, ImageRequest, Interrupt,
    Mail, PortError, Ports, Scene, SourceTarget, SourceTree, Tool,
};
use sampan_pipeline::trust::Trust;
use sampan_pipeline::{drone, drone08, settings};
use tempfile::TempDir;

/// What built-ins asked for.
#[derive(Default)]
pub(crate) struct Asked {
    pub(crate) builds: Vec<ImageBuild>,
    /// The Dockerfiles of the builds, and what lay in their contexts.
    pub(crate) dockerfiles: Vec<String>,
    pub(crate) contexts: Vec<Vec<String>>,
    pub(crate) published: Vec<ImagePublish>,
    pub(crate) deployed: Vec<Deployment>,
    pub(crate) requests: Vec<HttpRequest>,
    pub(crate) mails: Vec<Mail>,
}

/// A machine with one workspace.
pub(crate) struct Machine {
    pub(crate) folder: TempDir,
    pub(crate) build: Build,
    pub(crate) trust: Trust,
    pub(crate) secrets: BTreeMap<String, String>,
    /// How the stage went so far, as the executor says in the environment.
    pub(crate) status: &'static str,
    /// The layers of an image with a tool that the installation has.
    pub(crate) toolchain: Option<Vec<PathBuf>>,
    pub(crate) answers: Mutex<Vec<HttpResponse>>,
    pub(crate) asked: Mutex<Asked>,
}

/// What a step said and how it ended.
pub(crate) struct Ran {
    pub(crate) log: String,
    pub(crate) end: Result<Done, BuiltInError>,
}

impl Ran {
    /// The error with its causes, and its hint behind an arrow.
    pub(crate) fn problem(&self) -> String {
        let error = self.end.as_ref().unwrap_err();
        let hint = error.hint().map(|hint| format!(" -> {hint}"));
        format!("{}{}", Causes(error), hint.unwrap_or_default())
    }
}

impl Machine {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["workspace", "run", "data", "tree"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        fs::write(folder.path().join("tree/README.md"), "# A\n").unwrap();
        Self {
            folder,
            build: build(),
            trust: Trust::FULL,
            secrets: BTreeMap::new(),
            status: "success",
            toolchain: None,
            answers: Mutex::default(),
            asked: Mutex::default(),
        }
    }

    pub(crate) fn workspace(&self) -> PathBuf {
        self.folder.path().join("workspace")
    }

    /// Writes a file of the source tree into the workspace of a stage of Drone 0.8.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.workspace().join("src").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Runs the last step of a pipeline of Drone 0.8, given below `pipeline:`.
    pub(crate) fn drone08(&self, step: &str) -> Ran {
        let text = format!("workspace: {{base: /base, path: src}}\npipeline:\n{step}");
        self.last(&drone08::parse(".drone.yml", &text, &self.build).unwrap())
    }

    /// Runs the last step of a pipeline of Drone 1.x, given below `steps:`.
    pub(crate) fn drone(&self, step: &str) -> Ran {
        let text = format!("kind: pipeline\nworkspace: {{path: /base/src}}\nsteps:\n{step}");
        self.last(&drone::parse(".drone.yml", &text, &self.build).unwrap())
    }

    fn last(&self, graph: &Graph) -> Ran {
        let stage = &graph.stages[0];
        self.run(stage, stage.steps.last().unwrap())
    }

    pub(crate) fn run(&self, stage: &Stage, step: &Step) -> Ran {
        let mut environment = BTreeMap::new();
        for (name, value) in &step.environment {
            let secret = |name: &str| self.secrets.get(name).cloned();
            let text = match value {
                EnvironmentValue::Text(text) => Some(text.clone()),
                EnvironmentValue::Secret(wanted) => secret(&wanted.name),
                EnvironmentValue::Setting(setting) => settings::encoded_with(setting, &secret),
                EnvironmentValue::Later(_) => None,
            };
            environment.extend(text.map(|text| (name.clone(), text)));
        }
        environment.insert("DRONE_BUILD_STATUS".to_owned(), self.status.to_owned());
        let inputs = match &step.action {
            Action::Uses { with, .. } => with
                .iter()
                .map(|(name, value)| (name.clone(), value.now().unwrap().clone()))
                .collect(),
            _ => BTreeMap::new(),
        };
        self.run_with(stage, step, &environment, (&inputs, false))
    }

    pub(crate) fn run_with(
        &self,
        stage: &Stage,
        step: &Step,
        environment: &BTreeMap<String, String>,
        (inputs, post): (&BTreeMap<String, String>, bool),
    ) -> Ran {
        let mut log = Vec::new();
        let folder = self.folder.path();
        let mut scene = Scene {
            build: &self.build,
            stage,
            step,
            container_root: None,
            workspace: &folder.join("workspace"),
            run_folder: &folder.join("run"),
            data_folder: &folder.join("data"),
            environment,
            inputs,
            so_far: End::Success,
            post,
            trust: self.trust,
            layers: &[],
            tree: self,
            ports: self,
            interrupt: &Interrupt::default(),
            output: &mut |bytes| log.extend_from_slice(bytes),
        };
        let end = built_in::of(step)
            .unwrap_or_else(|| panic!("`{}` is not built in", step.name))
            .and_then(|built_in| built_in.run(&mut scene));
        Ran {
            log: String::from_utf8(log).unwrap(),
            end,
        }
    }
}

fn build() -> Build {
    Build {
        number: 7,
        created: 1_510_786_800,
        started: 1_510_786_800,
        link: "http://git/octocat/hello/commit/1".to_owned(),
        repository: Repository {
            owner: "octocat".to_owned(),
            name: "hello".to_owned(),
            default_branch: "main".to_owned(),
            link: "http://git/octocat/hello".to_owned(),
            clone_url: "http://git/octocat/hello.git".to_owned(),
            ..Repository::default()
        },
        commit: Commit {
            sha: "7fd1a60b01f91b314f59955a4e4d4e80d8edf11d".to_owned(),
            reference: "refs/heads/main".to_owned(),
            branch: "main".to_owned(),
            message: "Say \"hi\" & <bye>\n\nThe rest\n".to_owned(),
            timestamp: 1_510_786_700,
            author: Author {
                login: "octocat".to_owned(),
                name: "The Octocat".to_owned(),
                email: "octocat@example.org".to_owned(),
                ..Author::default()
            },
            ..Commit::default()
        },
        ..Build::default()
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn fill(target: &SourceTarget, root: &Path, folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            fill(target, root, &path)?;
        } else {
            let below = path.strip_prefix(root).unwrap();
            assert!(target.copy(&path, below)?);
        }
    }
    Ok(())
}

impl SourceTree for Machine {
    fn fill(&self, target: &SourceTarget) -> Result<(), PortError> {
        let tree = self.folder.path().join("tree");
        fill(target, &tree, &tree).map_err(|error| PortError::new(error.to_string()))
    }
}

impl Ports for Machine {
    fn image(&self, request: &ImageRequest<'_>) -> Result<Descriptor, PortError> {
        Err(PortError::new(format!("there is no `{}`", request.name)))
    }

    fn action(&self, reference: &str) -> Result<PathBuf, PortError> {
        Err(PortError::new(format!("there is no `{reference}`")))
    }

    fn toolchain(&self, tool: &str, version: &str) -> Result<Tool, PortError> {
        match &self.toolchain {
            Some(layers) => Ok(Tool {
                layers: layers.clone(),
                folder: None,
            }),
            None => Err(PortError::no_toolchain(tool, version)),
        }
    }

    fn build_image(
        &self,
        request: &ImageBuild,
        output: &mut dyn FnMut(&[u8]),
    ) -> Result<Descriptor, PortError> {
        output(b"building\n");
        let mut asked = self.asked.lock().unwrap();
        asked.builds.push(request.clone());
        let text = fs::read_to_string(&request.dockerfile);
        asked.dockerfiles.push(text.unwrap_or_default());
        asked.contexts.push(names(&request.context));
        Ok(descriptor())
    }

    fn publish_image(
        &self,
        request: &ImagePublish,
        _output: &mut dyn FnMut(&[u8]),
    ) -> Result<(), PortError> {
        self.asked.lock().unwrap().published.push(request.clone());
        Ok(())
    }

    fn deploy(
        &self,
        request: &Deployment,
        _output: &mut dyn FnMut(&[u8]),
    ) -> Result<(), PortError> {
        self.asked.lock().unwrap().deployed.push(request.clone());
        Ok(())
    }

    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, PortError> {
        self.asked.lock().unwrap().requests.push(request.clone());
        let mut answers = self.answers.lock().unwrap();
        Ok(if answers.is_empty() {
            HttpResponse {
                status: 200,
                ..HttpResponse::default()
            }
        } else {
            answers.remove(0)
        })
    }

    fn send_mail(&self, mail: &Mail) -> Result<(), PortError> {
        self.asked.lock().unwrap().mails.push(mail.clone());
        Ok(())
    }
}

pub(crate) fn descriptor() -> Descriptor {
    let digest = format!("sha256:{}", "a".repeat(64));
    Descriptor::new(
        sampan_oci::MediaType::ImageManifest,
        7,
        digest.parse::<sampan_oci::Digest>().unwrap(),
    )
}
