//! Rendering: a chart and values become manifests, hooks and notes, as `helm template` and `helm install` make them.
//!
//! The work is done on a thread of its own with a large stack. Values of templates never leave it: what goes in and
//! comes out is plain, so that charts can be kept, shared and rendered from anywhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use sampan_model::Hint;

use crate::chart::{self, Chart, Crd};
use crate::compatibility::Compatibility;
use crate::schema;
use crate::template::Cluster;
use crate::value::{IntegerType, Value};
use crate::values::{Coalescer, Nulls, Table, to_dict};

mod api_versions;
mod capabilities;
mod chart_value;
mod documents;
mod engine;
mod error;
mod files;
mod glob;
mod hook;
mod name;
mod order;
mod output;
mod record;

pub(crate) use api_versions::is_known_to_helm;
pub use capabilities::{Capabilities, KubeVersion, KubeVersionError};
pub(crate) use documents::split;
pub use documents::{Head, Manifest, uninstall_order};
pub use error::Error;
pub use hook::{DeletePolicy, Event, Hook};
pub use name::{NameError, check_release_name, release_name};
pub use order::{install_key, uninstall_key};
pub use output::{NotFound, Shown, template_output, template_output_of};

/// The stack of the rendering thread, in bytes; only what is used of it costs memory.
const STACK_BYTES: usize = 512 * 1024 * 1024;

/// How a chart is rendered.
#[derive(Debug, Clone)]
pub struct Options {
    /// Which Helm to agree with.
    pub compatibility: Compatibility,
    /// The release that the chart is rendered for.
    pub release: Release,
    /// The cluster that it is rendered for.
    pub capabilities: Capabilities,
    /// Whether the notes of charts in the chart are part of the notes.
    pub subchart_notes: bool,
    /// Whether values are taken as they are, whatever the schemas say.
    pub skip_schemas: bool,
    /// Whether `required` and `fail` let everything pass, as `helm lint` has it.
    pub lint: bool,
    /// The cluster that `lookup` looks into; `helm template` has none.
    pub cluster: Option<Arc<dyn Cluster>>,
}

/// What templates are told of the release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Its name.
    pub name: String,
    /// The namespace that it goes to.
    pub namespace: String,
    /// Its number, from 1.
    pub revision: u32,
    /// Whether it replaces an earlier one.
    pub is_upgrade: bool,
}

/// What a chart has been rendered to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rendered {
    /// The chart as it was rendered: without the charts in it that are switched off, with the values that they hand up.
    pub chart: Chart,
    /// What the templates printed, by their paths from the outermost chart on; without notes.
    pub files: BTreeMap<String, Vec<u8>>,
    /// The documents that are no hooks, in the order of installing them.
    pub manifests: Vec<Manifest>,
    /// The hooks, in the order of installing them.
    pub hooks: Vec<Hook>,
    /// The text for the user.
    pub notes: Vec<u8>,
    /// The definitions of custom resources, which are not rendered.
    pub crds: Vec<Crd>,
    /// What Helm would have logged.
    pub warnings: Vec<String>,
}

impl Options {
    /// The options of `helm template` without flags.
    #[must_use]
    pub fn new(release: &str, compatibility: Compatibility) -> Self {
        Self {
            compatibility,
            release: Release {
                name: release.to_owned(),
                namespace: "default".to_owned(),
                revision: 1,
                is_upgrade: false,
            },
            capabilities: Capabilities::without_cluster(compatibility),
            subchart_notes: false,
            skip_schemas: false,
            lint: false,
            cluster: None,
        }
    }
}

impl Release {
    fn to_value(&self) -> Value {
        Value::dict([
            ("Name", Value::text(self.name.as_str())),
            ("Namespace", Value::text(self.namespace.as_str())),
            ("IsUpgrade", Value::Bool(self.is_upgrade)),
            ("IsInstall", Value::Bool(!self.is_upgrade)),
            ("Revision", Value::integer(self.revision, IntegerType::Int)),
            ("Service", Value::text("Helm")),
        ])
    }
}

/// Renders a chart with the user's values.
///
/// # Errors
/// Why it cannot be rendered, in Helm's words.
pub fn render(chart: &Chart, values: &Table, options: &Options) -> Result<Rendered, Error> {
    on_large_stack(|| Rendering::new(chart, options).run(values))?
}

/// What the templates of a chart print, of whatever kind it is, without sorting it.
pub(crate) fn render_for_lint(
    chart: &Chart,
    values: &Table,
    options: &Options,
) -> Result<Option<BTreeMap<String, Vec<u8>>>, Error> {
    on_large_stack(|| Rendering::new(chart, options).unsorted(values))?
}

/// There is no room for the stack of a rendering.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot start a thread with a stack of {} MiB: {problem}", STACK_BYTES >> 20)]
pub struct NoStack {
    problem: String,
}

impl Hint for NoStack {
    fn hint(&self) -> Option<String> {
        let text = "address space for it is wanted, not memory: raise what limits it (`ulimit -v`, `ulimit -u`, \
                    `vm.overcommit_memory`)";
        Some(text.to_owned())
    }
}

/// Does something on a thread with a stack that deep values and templates do not exhaust.
pub(crate) fn on_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, NoStack> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name("chart".to_owned())
            .stack_size(STACK_BYTES);
        let thread = thread.spawn_scoped(scope, work).map_err(|error| NoStack {
            problem: error.to_string(),
        })?;
        match thread.join() {
            Ok(done) => Ok(done),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

struct Rendering<'a> {
    chart: &'a Chart,
    options: &'a Options,
    warnings: Vec<String>,
}

impl<'a> Rendering<'a> {
    fn new(chart: &'a Chart, options: &'a Options) -> Self {
        let warnings = chart.warnings.clone();
        Self {
            chart,
            options,
            warnings,
        }
    }

    fn run(mut self, values: &Table) -> Result<Rendered, Error> {
        let compatibility = self.options.compatibility;
        let metadata = &self.chart.metadata;
        if !matches!(metadata.kind.as_str(), "" | "application") {
            return Err(Error::NotInstallable(metadata.kind.clone()));
        }
        check_release_name(&self.options.release.name, compatibility)?;
        chart::check_present(self.chart, compatibility).map_err(Error::Chart)?;
        let mut chart = self.chart.clone();
        let processed = chart::process(&mut chart, values, compatibility, &mut self.warnings);
        processed.map_err(|problem| match compatibility {
            Compatibility::Helm3 => Error::Chart(problem),
            Compatibility::Helm4 => Error::Dependencies(problem),
        })?;
        let mut coalescer = Coalescer {
            compatibility,
            warnings: &mut self.warnings,
        };
        let values = coalescer
            .run(&chart, &to_dict(values), Nulls::Remove)
            .map_err(chart::Error::Values)?;
        if !self.options.skip_schemas {
            schema::check(&chart, &values, compatibility).map_err(Error::Schema)?;
        }
        self.check_kube_version(&chart)?;
        let files = engine::run(&chart, &values, self.options).map_err(Error::Template)?;
        self.sort(chart, files)
    }

    /// What the templates print, for checking them; nothing when the values cannot be put together, on which `helm lint`
    /// is silent.
    fn unsorted(mut self, values: &Table) -> Result<Option<BTreeMap<String, Vec<u8>>>, Error> {
        let compatibility = self.options.compatibility;
        let mut chart = self.chart.clone();
        if chart::process(&mut chart, values, compatibility, &mut self.warnings).is_err() {
            return Ok(None);
        }
        let mut coalescer = Coalescer {
            compatibility,
            warnings: &mut self.warnings,
        };
        let Ok(values) = coalescer.run(&chart, &to_dict(values), Nulls::Remove) else {
            return Ok(None);
        };
        if !self.options.skip_schemas {
            schema::check(&chart, &values, compatibility).map_err(Error::Schema)?;
        }
        let files = engine::run(&chart, &values, self.options).map_err(Error::Template)?;
        Ok(Some(files))
    }

    fn check_kube_version(&self, chart: &Chart) -> Result<(), Error> {
        let (wanted, there) = (
            &chart.metadata.kube_version,
            &self.options.capabilities.kube_version,
        );
        if wanted.is_empty() || chart::is_compatible(wanted, &there.normalized) {
            return Ok(());
        }
        Err(Error::KubeVersion {
            wanted: wanted.clone(),
            there: there.version.clone(),
        })
    }

    fn sort(
        mut self,
        chart: Chart,
        mut files: BTreeMap<String, Vec<u8>>,
    ) -> Result<Rendered, Error> {
        let mut notes = Vec::new();
        let own = format!("{}/templates/NOTES.txt", chart.name());
        let paths: Vec<String> = files
            .keys()
            .filter(|path| path.ends_with("NOTES.txt"))
            .cloned()
            .collect();
        for path in paths {
            let text = files.remove(&path).unwrap_or_default();
            if self.options.subchart_notes || path == own {
                if !notes.is_empty() {
                    notes.push(b'\n');
                }
                notes.extend(text);
            }
        }
        match documents::sort(&files, self.options.compatibility, &mut self.warnings) {
            Ok((manifests, hooks)) => {
                let (crds, warnings) = (chart.crds(), self.warnings);
                Ok(Rendered {
                    chart,
                    files,
                    manifests,
                    hooks,
                    notes,
                    crds,
                    warnings,
                })
            }
            Err(problem) => Err(Error::Document { problem, files }),
        }
    }
}
