//! What `helm template` prints.

use super::{Hook, Rendered};
use crate::chart::Pattern;
use crate::compatibility::Compatibility;
use crate::render::documents::split;

/// What of a rendered chart is printed.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// Patterns of paths in the chart: only what comes from them, and in their order.
    pub only: Vec<String>,
    /// The definitions of custom resources too.
    pub crds: bool,
    /// No hooks.
    pub no_hooks: bool,
    /// No tests.
    pub no_tests: bool,
}

impl Shown {
    fn shows(&self, hook: &Hook) -> bool {
        !self.no_hooks && (!self.no_tests || !hook.is_test())
    }
}

/// A pattern of `--show-only` fits nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("could not find template {0} in chart")]
pub struct NotFound(pub String);

impl sampan_model::Hint for NotFound {
    fn hint(&self) -> Option<String> {
        Some("give a path in the chart, such as `templates/deployment.yaml`, of a template that prints something".to_owned())
    }
}

/// What `helm template` prints.
///
/// # Errors
/// [`NotFound`] when a pattern of what to show fits nothing.
pub fn template_output(
    rendered: &Rendered,
    shown: &Shown,
    compatibility: Compatibility,
) -> Result<Vec<u8>, NotFound> {
    let manifest = rendered.manifest(shown.crds);
    template_output_of(manifest, rendered, shown, compatibility)
}

/// The same with another text for the manifests, such as what a post-renderer has made of them.
///
/// # Errors
/// [`NotFound`] when a pattern of what to show fits nothing.
pub fn template_output_of(
    manifest: Vec<u8>,
    rendered: &Rendered,
    shown: &Shown,
    compatibility: Compatibility,
) -> Result<Vec<u8>, NotFound> {
    let mut text = manifest;
    text.truncate(text.trim_ascii_end().len());
    text.drain(..text.len() - text.trim_ascii_start().len());
    text.push(b'\n');
    for hook in rendered.hooks.iter().filter(|hook| shown.shows(hook)) {
        push(&mut text, &hook.path, hook.manifest.as_bytes());
    }
    if shown.only.is_empty() {
        return Ok(text);
    }
    let text = String::from_utf8_lossy(&text);
    let documents = split(&text, compatibility);
    let mut chosen = String::new();
    for only in &shown.only {
        let pattern = Pattern::parse(only).ok();
        let fits = |document: &&&str| {
            source(document).is_some_and(|path| {
                pattern
                    .as_ref()
                    .is_some_and(|pattern| pattern.matches(path))
            })
        };
        let mut found = documents.iter().filter(fits).peekable();
        if found.peek().is_none() {
            return Err(NotFound(only.clone()));
        }
        for document in found {
            chosen.extend(["---\n", document, "\n"]);
        }
    }
    Ok(chosen.into_bytes())
}

/// The path that a document says it comes from, without the name of the chart.
fn source(document: &str) -> Option<&str> {
    document.split("# Source: ").skip(1).find_map(|behind| {
        let (chart, path) = behind.split_once('/')?;
        let path = path.lines().next().filter(|path| !path.is_empty())?;
        (!chart.is_empty()).then_some(path)
    })
}

fn push(text: &mut Vec<u8>, path: &str, content: &[u8]) {
    text.extend_from_slice(format!("---\n# Source: {path}\n").as_bytes());
    text.extend_from_slice(content);
    text.push(b'\n');
}

impl Rendered {
    /// All manifests in one text, as Helm keeps it in a release; the definitions of custom resources only for
    /// `--include-crds`.
    #[must_use]
    pub fn manifest(&self, with_crds: bool) -> Vec<u8> {
        let manifests = self.manifests.iter();
        let bytes = manifests.map(|manifest| manifest.path.len() + manifest.content.len() + 32);
        let mut text = Vec::with_capacity(bytes.sum());
        for crd in self.crds.iter().filter(|_| with_crds) {
            push(&mut text, &crd.path, &crd.file.data);
        }
        for manifest in &self.manifests {
            push(&mut text, &manifest.path, manifest.content.as_bytes());
        }
        text
    }

    /// What `--output-dir` writes, in the order of writing: the path of a file below the folder, and what is written or,
    /// when the file has been written before, appended.
    #[must_use]
    pub fn output_files(&self, shown: &Shown) -> Vec<(&str, Vec<u8>)> {
        let crds = self
            .crds
            .iter()
            .filter(|_| shown.crds)
            .map(|crd| (crd.path.as_str(), &*crd.file.data));
        let manifests = self
            .manifests
            .iter()
            .map(|manifest| (manifest.path.as_str(), manifest.content.as_bytes()));
        let hooks = self.hooks.iter().filter(|hook| shown.shows(hook));
        let hooks = hooks.map(|hook| (hook.path.as_str(), hook.manifest.as_bytes()));
        let files = crds.chain(manifests).chain(hooks).map(|(path, content)| {
            let mut text = Vec::new();
            push(&mut text, path, content);
            (path, text)
        });
        files.collect()
    }
}
