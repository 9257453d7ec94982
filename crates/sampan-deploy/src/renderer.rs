//! The port to what makes objects of something that is no manifest yet, such as a Helm chart. The caller of this crate
//! implements it, with whatever knows the form.

use sampan_model::Hint;
use sampan_model::app::{Chart, Values};
use serde_json::Value;

use crate::hook::{DeletePolicy, Event};
use crate::release::ManifestFile;

/// Makes objects of what a release holds, for one target.
pub trait Renderer {
    /// Renders a chart with the semantics of its own program.
    ///
    /// # Errors
    /// [`RenderError`] when it cannot be read or rendered, or the target does not say what it is.
    fn chart(&self, wanted: &WantedChart<'_>) -> Result<Printed, RenderError>;
}

/// A chart that shall be rendered.
#[derive(Debug, Clone, Copy)]
pub struct WantedChart<'a> {
    /// What the app says of it.
    pub chart: &'a Chart,
    /// The packed chart.
    pub package: &'a [u8],
    /// The files of values that go over its defaults, the later ones over the earlier.
    pub values_files: &'a [&'a ManifestFile],
    /// The values that go over all of these.
    pub values: &'a Values,
    /// The namespace that it goes to.
    pub namespace: &'a str,
}

/// What was rendered.
#[derive(Debug, Clone, Default)]
pub struct Printed {
    /// Definitions that must be there before anything else and are not changed when they are.
    pub definitions: Vec<PrintedObject>,
    /// The objects.
    pub objects: Vec<PrintedObject>,
    /// The objects that are made at some moments of a rollout only.
    pub hooks: Vec<PrintedHook>,
}

/// An object with the place that printed it.
#[derive(Debug, Clone, PartialEq)]
pub struct PrintedObject {
    /// Where it comes from, for messages.
    pub location: String,
    /// The object.
    pub body: Value,
}

/// An object that is made at some moments of a rollout.
#[derive(Debug, Clone, PartialEq)]
pub struct PrintedHook {
    /// The object.
    pub object: PrintedObject,
    /// When it is made.
    pub events: Vec<Event>,
    /// Those with a lower one come first.
    pub weight: i64,
    /// When it is deleted.
    pub delete: Vec<DeletePolicy>,
}

/// Why something cannot be rendered.
#[derive(Debug, thiserror::Error)]
#[error("cannot render `{path}`")]
pub struct RenderError {
    /// What, by its path in the source tree.
    pub path: String,
    /// Why not.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
    /// What to do about it.
    pub advice: Option<String>,
}

impl RenderError {
    /// The failure of something.
    pub fn new<E: Hint + Send + Sync + 'static>(path: &str, source: E) -> Self {
        Self {
            path: path.to_owned(),
            advice: source.hint(),
            source: Box::new(source),
        }
    }
}

impl Hint for RenderError {
    fn hint(&self) -> Option<String> {
        self.advice.clone()
    }
}
