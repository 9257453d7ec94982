//! Charts of apps become objects: the port of `sampan-deploy`, implemented with the charts of `sampan-chart`.

use std::sync::Arc;

use sampan_chart::chart::Chart;
use sampan_chart::compatibility::Compatibility;
use sampan_chart::release::{self, Target};
use sampan_chart::render::{self, Capabilities, KubeVersion, Options, Rendered, render};
use sampan_chart::template::Cluster;
use sampan_chart::values::{self, Table, Tree, merged, read_table};
use sampan_deploy::Renderer;
use sampan_deploy::hook::{DeletePolicy, Event, Occasion};
use sampan_deploy::renderer::{Printed, PrintedHook, PrintedObject, RenderError, WantedChart};
use sampan_kubernetes::{Catalog, Version};
use sampan_model::{Hint, OrderId};

use crate::failure::Failure;
use crate::ui::Ui;

/// Charts of apps are rendered as this Helm renders them.
pub(crate) const HELM: Compatibility = Compatibility::Helm3;

/// What charts are told of where they are rendered for.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    pub(crate) capabilities: Capabilities,
    cluster: Option<Arc<dyn Cluster>>,
    occasion: Occasion,
    revision: u32,
    /// Whether `required` and `fail` let everything pass: what they ask for, the site gives.
    is_lenient: bool,
}

impl Surroundings {
    /// A cluster of a version of Kubernetes of which nothing else is known.
    pub(crate) fn of_version(version: Version) -> Result<Self, Failure> {
        let mut capabilities = Capabilities::without_cluster(HELM);
        capabilities.kube_version = KubeVersion::parse(&format!("{version}.0"), HELM)?;
        capabilities.api_versions.extend(served(version));
        Ok(Self {
            capabilities,
            cluster: None,
            occasion: Occasion::Install,
            revision: 1,
            is_lenient: false,
        })
    }

    /// A cluster that answers, before the order that follows `newest`.
    pub(crate) fn of_target(
        target: Arc<dyn Target>,
        occasion: Occasion,
        newest: Option<OrderId>,
    ) -> Result<Self, Failure> {
        Ok(Self {
            capabilities: release::capabilities(&*target, HELM)?,
            cluster: Some(release::lookups(target)),
            occasion,
            revision: newest.map_or(1, revision_after),
            is_lenient: false,
        })
    }

    /// The same, where what charts ask for by `required` and `fail` is left to the site.
    pub(crate) fn lenient(mut self) -> Self {
        self.is_lenient = true;
        self
    }

    /// Renders a chart that has been loaded.
    pub(crate) fn render(
        &self,
        chart: &Chart,
        wanted: &WantedChart<'_>,
    ) -> Result<Rendered, RenderError> {
        let path = &wanted.chart.chart;
        let mut given = Table::new();
        for file in wanted.values_files {
            let table = read_table(file.text.as_bytes(), HELM);
            let table = table.map_err(|problem| values::Error::Parse {
                path: file.path.clone(),
                problem,
            });
            given = merged(given, table.map_err(|error| RenderError::new(path, error))?);
        }
        let over = wanted.values.as_map().iter();
        let over = over.map(|(key, value)| (key.clone(), Tree::from(value.clone())));
        given = merged(given, over.collect());
        let options = Options {
            release: render::Release {
                name: wanted.chart.name.clone(),
                namespace: wanted.namespace.to_owned(),
                revision: self.revision,
                is_upgrade: self.occasion != Occasion::Install,
            },
            capabilities: self.capabilities.clone(),
            cluster: self.cluster.clone(),
            lint: self.is_lenient,
            ..Options::new(&wanted.chart.name, HELM)
        };
        render(chart, &given, &options).map_err(|error| RenderError::new(path, error))
    }
}

/// Grows with each order, as revisions of Helm do; charts name jobs by it.
fn revision_after(newest: OrderId) -> u32 {
    u32::try_from(newest.0.saturating_add(1)).unwrap_or(u32::MAX)
}

/// What a cluster of this version serves, as charts ask for it: Helm alone believes in less.
fn served(version: Version) -> Vec<String> {
    let kinds = Catalog::get().kinds();
    let served = kinds.filter(|kind| kind.resource.is_some() && kind.is_served(version));
    let mut versions = Vec::new();
    for kind in served {
        let version = kind.name.api_version();
        versions.push(format!("{version}/{}", kind.name.kind));
        if !versions.contains(&version) {
            versions.push(version);
        }
    }
    versions
}

/// Renders the charts of a release for a target.
pub(crate) struct SiteRenderer<'a> {
    surroundings: Surroundings,
    ui: &'a Ui,
}

impl<'a> SiteRenderer<'a> {
    /// A renderer that tells the user what charts warn of.
    pub(crate) fn new(surroundings: Surroundings, ui: &'a Ui) -> Self {
        Self { surroundings, ui }
    }
}

impl Renderer for SiteRenderer<'_> {
    fn chart(&self, wanted: &WantedChart<'_>) -> Result<Printed, RenderError> {
        let path = &wanted.chart.chart;
        let chart = Chart::from_archive(wanted.package, HELM);
        let chart = chart.map_err(|error| RenderError::new(path, error))?;
        let rendered = self.surroundings.render(&chart, wanted)?;
        for warning in &rendered.warnings {
            self.ui.warn(format!("warning: {path}: {warning}"));
        }
        printed(path, &rendered)
    }
}

fn printed(path: &str, rendered: &Rendered) -> Result<Printed, RenderError> {
    let objects = |file: &str, text: &str| -> Result<Vec<PrintedObject>, RenderError> {
        let location = template_path(path, file);
        let bodies = release::bodies(text);
        let bodies = bodies.map_err(|error| RenderError::new(&location, error))?;
        let objects = bodies.into_iter().map(|body| PrintedObject {
            location: location.clone(),
            body,
        });
        Ok(objects.collect())
    };
    let mut printed = Printed::default();
    for crd in &rendered.crds {
        let text = String::from_utf8_lossy(&crd.file.data);
        printed.definitions.extend(objects(&crd.path, &text)?);
    }
    for manifest in &rendered.manifests {
        printed
            .objects
            .extend(objects(&manifest.path, &manifest.content)?);
    }
    for hook in &rendered.hooks {
        let events: Vec<Event> = hook.events.iter().copied().filter_map(event).collect();
        // Tests are not run, and nothing takes an app away.
        if events.is_empty() {
            continue;
        }
        for object in objects(&hook.path, &hook.manifest)? {
            printed.hooks.push(PrintedHook {
                object,
                events: events.clone(),
                weight: hook.weight,
                delete: hook.delete_policies.iter().filter_map(policy).collect(),
            });
        }
    }
    Ok(printed)
}

/// Templates are named from the outermost chart on; users know the path of that chart instead of its name.
fn template_path(chart: &str, file: &str) -> String {
    let inside = file.split_once('/').map_or(file, |(_, inside)| inside);
    format!("{chart}/{inside}")
}

/// The moment of a rollout that an event of Helm is.
pub(crate) fn event(event: render::Event) -> Option<Event> {
    Some(match event {
        render::Event::PreInstall => Event::PreInstall,
        render::Event::PostInstall => Event::PostInstall,
        render::Event::PreUpgrade => Event::PreUpgrade,
        render::Event::PostUpgrade => Event::PostUpgrade,
        render::Event::PreRollback => Event::PreRollback,
        render::Event::PostRollback => Event::PostRollback,
        render::Event::PreDelete | render::Event::PostDelete | render::Event::Test => return None,
    })
}

fn policy(policy: &render::DeletePolicy) -> Option<DeletePolicy> {
    Some(match policy {
        render::DeletePolicy::BeforeCreation => DeletePolicy::BeforeCreation,
        render::DeletePolicy::Succeeded => DeletePolicy::Succeeded,
        render::DeletePolicy::Failed => DeletePolicy::Failed,
        render::DeletePolicy::Unknown(_) => return None,
    })
}

/// Why something cannot be rendered, in one line, and what to do about it.
pub(crate) fn explained(error: &RenderError) -> (String, Option<String>) {
    let text = error.source.to_string();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut told = lines.next().unwrap_or_default().to_owned();
    // What follows a colon is the problem itself; else it is the way that led there.
    if told.ends_with(':') {
        for line in lines {
            told.push(' ');
            told.push_str(line);
        }
    }
    (told, error.hint())
}
