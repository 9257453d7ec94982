//! An image in the making: layers, configuration and history.

use std::collections::{BTreeMap, BTreeSet};

use oci_spec::image::ImageManifestBuilder;
use sampan_oci::image::{chain_ids, machine_architecture};
use sampan_oci::layer::Layer;
use sampan_oci::store::StoreError;
use sampan_oci::{
    Arch, Config, ContentStore, Descriptor, Digest, History, Image, ImageConfiguration, MediaType,
    Os, RootFs,
};
use serde_json::{Map, Value, json};

use crate::dockerfile::environment::Environment;
use crate::dockerfile::instruction::Healthcheck;

/// Where programs are looked for when the base image does not say.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What the instructions of a stage change.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) environment: Environment,
    pub(crate) user: String,
    pub(crate) workdir: String,
    pub(crate) entrypoint: Option<Vec<String>>,
    pub(crate) cmd: Option<Vec<String>>,
    pub(crate) volumes: BTreeSet<String>,
    pub(crate) ports: BTreeSet<String>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) stop_signal: Option<String>,
    pub(crate) author: Option<String>,
    pub(crate) shell: Option<Vec<String>>,
    pub(crate) triggers: Vec<String>,
    healthcheck: Option<Value>,
    layers: Vec<Layer>,
    history: Vec<History>,
}

impl Draft {
    /// An image without any file.
    pub(crate) fn scratch() -> Self {
        let mut draft = Self {
            environment: Environment::default(),
            user: String::new(),
            workdir: String::new(),
            entrypoint: None,
            cmd: None,
            volumes: BTreeSet::new(),
            ports: BTreeSet::new(),
            labels: BTreeMap::new(),
            stop_signal: None,
            author: None,
            shell: None,
            triggers: Vec::new(),
            healthcheck: None,
            layers: Vec::new(),
            history: Vec::new(),
        };
        draft.ensure_path();
        draft
    }

    /// What a stage begins with that is built on `image`.
    pub(crate) fn from_image(store: &ContentStore, image: &Image) -> Result<Self, StoreError> {
        let mut draft = Self::scratch();
        draft.author.clone_from(image.config.author());
        draft.history = image.config.history().clone().unwrap_or_default();
        let layers = image
            .manifest
            .layers()
            .iter()
            .cloned()
            .zip(image.diff_ids()?);
        draft.layers = layers
            .map(|(descriptor, diff_id)| Layer {
                descriptor,
                diff_id,
            })
            .collect();
        if let Some(config) = image.config.config() {
            draft.take_config(config);
        }
        // The fields that docker has and the specification does not.
        let raw: Value = store.read_json(image.manifest.config())?;
        let extra = raw.get("config").unwrap_or(&Value::Null);
        draft.healthcheck = extra
            .get("Healthcheck")
            .filter(|value| !value.is_null())
            .cloned();
        draft.shell = strings(extra.get("Shell"));
        draft.triggers = strings(extra.get("OnBuild")).unwrap_or_default();
        Ok(draft)
    }

    fn take_config(&mut self, config: &Config) {
        self.environment = Environment::from_entries(config.env().iter().flatten());
        self.ensure_path();
        self.user = config.user().clone().unwrap_or_default();
        self.workdir = config.working_dir().clone().unwrap_or_default();
        self.entrypoint.clone_from(config.entrypoint());
        self.cmd.clone_from(config.cmd());
        self.volumes = config.volumes().iter().flatten().cloned().collect();
        self.ports = config.exposed_ports().iter().flatten().cloned().collect();
        self.labels = config.labels().clone().into_iter().flatten().collect();
        self.stop_signal.clone_from(config.stop_signal());
    }

    fn ensure_path(&mut self) {
        if self.environment.get("PATH").is_none() {
            self.environment.set("PATH", DEFAULT_PATH);
        }
    }

    pub(crate) fn set_healthcheck(&mut self, check: &Healthcheck) {
        let mut value = Map::new();
        value.insert("Test".to_owned(), json!(check.test));
        let numbers = [
            ("Interval", check.interval),
            ("Timeout", check.timeout),
            ("StartPeriod", check.start_period),
            ("StartInterval", check.start_interval),
            ("Retries", check.retries),
        ];
        for (name, number) in numbers.into_iter().filter(|(_, number)| *number != 0) {
            value.insert(name.to_owned(), json!(number));
        }
        self.healthcheck = Some(Value::Object(value));
    }

    /// The shell that runs commands in shell form.
    pub(crate) fn shell(&self) -> Vec<String> {
        let default = || vec!["/bin/sh".to_owned(), "-c".to_owned()];
        self.shell.clone().unwrap_or_else(default)
    }

    /// Ends a step: what it was, and the layer that it made, if any.
    pub(crate) fn commit(&mut self, created_by: String, layer: Option<Layer>, epoch: i64) {
        let mut history = History::default();
        history.set_created(timestamp(epoch));
        history.set_created_by(Some(created_by));
        history.set_empty_layer(layer.is_none().then_some(true));
        self.history.push(history);
        self.layers.extend(layer);
    }

    /// The chain id of the topmost layer; `None` without layers.
    pub(crate) fn chain_id(&self) -> Option<Digest> {
        self.chain_ids().pop()
    }

    /// The chain id that a further layer would have.
    pub(crate) fn chain_id_with(&self, layer: &Layer) -> Digest {
        let mut diff_ids = self.diff_ids();
        diff_ids.push(layer.diff_id);
        chain_ids(&diff_ids).pop().unwrap_or(layer.diff_id)
    }

    fn chain_ids(&self) -> Vec<Digest> {
        chain_ids(&self.diff_ids())
    }

    fn diff_ids(&self) -> Vec<Digest> {
        self.layers.iter().map(|layer| layer.diff_id).collect()
    }

    /// The layers so far in the form of an image, enough to unpack them.
    pub(crate) fn unpackable(&self) -> Image {
        let nothing = Digest::of_bytes(b"");
        let config = Descriptor::new(MediaType::ImageConfig, 0, nothing);
        Image {
            descriptor: Descriptor::new(MediaType::ImageManifest, 0, nothing),
            manifest: self.manifest(config),
            config: self.configuration(0),
        }
    }

    /// Writes configuration and manifest into the store.
    pub(crate) fn write(&self, store: &ContentStore, epoch: i64) -> Result<Descriptor, StoreError> {
        let invalid = |source| StoreError::Serialize { source };
        let mut document = serde_json::to_value(self.configuration(epoch)).map_err(invalid)?;
        if let Some(config) = document.get_mut("config").and_then(Value::as_object_mut) {
            let triggers = (!self.triggers.is_empty()).then(|| json!(self.triggers));
            let shell = self.shell.as_ref().map(|shell| json!(shell));
            let extra = [
                ("Healthcheck", self.healthcheck.clone()),
                ("Shell", shell),
                ("OnBuild", triggers),
            ];
            for (name, value) in extra {
                config.extend(value.map(|value| (name.to_owned(), value)));
            }
        }
        let config = store.put_json(MediaType::ImageConfig, &document)?;
        store.put_json(MediaType::ImageManifest, &self.manifest(config))
    }

    fn manifest(&self, config: Descriptor) -> sampan_oci::ImageManifest {
        let layers: Vec<_> = self
            .layers
            .iter()
            .map(|layer| layer.descriptor.clone())
            .collect();
        ImageManifestBuilder::default()
            .schema_version(2_u32)
            .media_type(MediaType::ImageManifest)
            .config(config)
            .layers(layers)
            .build()
            .expect("all required fields are given")
    }

    fn configuration(&self, epoch: i64) -> ImageConfiguration {
        let text = |value: &String| (!value.is_empty()).then(|| value.clone());
        let set = |values: &BTreeSet<String>| {
            (!values.is_empty()).then(|| values.iter().cloned().collect::<Vec<_>>())
        };
        let mut config = Config::default();
        config
            .set_user(text(&self.user))
            .set_env(Some(self.environment.entries()))
            .set_working_dir(text(&self.workdir))
            .set_entrypoint(self.entrypoint.clone())
            .set_cmd(self.cmd.clone())
            .set_volumes(set(&self.volumes))
            .set_exposed_ports(set(&self.ports))
            .set_stop_signal(self.stop_signal.clone());
        if !self.labels.is_empty() {
            config.set_labels(Some(self.labels.clone().into_iter().collect()));
        }
        let mut rootfs = RootFs::default();
        rootfs.set_diff_ids(self.diff_ids().iter().map(Digest::to_string).collect());
        let mut configuration = ImageConfiguration::default();
        configuration
            .set_created(timestamp(epoch))
            .set_author(self.author.clone())
            .set_architecture(Arch::from(machine_architecture()))
            .set_os(Os::Linux)
            .set_config(Some(config))
            .set_rootfs(rootfs)
            .set_history(Some(self.history.clone()));
        configuration
    }

    /// The sizes of all layers as stored, added up, in bytes.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.layers
            .iter()
            .map(|layer| layer.descriptor.size())
            .sum()
    }
}

fn strings(value: Option<&Value>) -> Option<Vec<String>> {
    serde_json::from_value(value?.clone()).ok()
}

/// The time as RFC 3339 writes it.
fn timestamp(epoch: i64) -> Option<String> {
    jiff::Timestamp::from_second(epoch)
        .ok()
        .map(|time| time.to_string())
}
