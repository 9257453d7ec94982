//! What an app comes to: its manifests, charts and kustomizations with the values of an environment, to be checked and
//! looked through for images.

use sampan_chart::check::Input;
use sampan_chart::render::Rendered;
use sampan_deploy::renderer::{RenderError, WantedChart};
use sampan_model::Hint;
use sampan_model::app::{ChartValueError, EnvironmentName};

use super::{LoadedChart, Tree, Variant};
use crate::failure::Failure;
use crate::wiring::{Surroundings, explained, rollout_event};

/// Why a chart of an app comes to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChartError {
    /// A value is missing.
    #[error(transparent)]
    Value(#[from] ChartValueError),
    /// It cannot be rendered.
    #[error(transparent)]
    Render(#[from] RenderError),
}

impl ChartError {
    /// Why, in one line, and what to do about it.
    fn explained(&self) -> (String, Option<String>) {
        match self {
            Self::Value(error) => (error.to_string(), error.hint()),
            Self::Render(error) => explained(error),
        }
    }
}

impl Hint for ChartError {
    fn hint(&self) -> Option<String> {
        self.explained().1
    }
}

impl LoadedChart {
    /// What the chart is rendered to.
    fn render(&self, variant: &Variant, around: &Surroundings) -> Result<Rendered, ChartError> {
        let values = self.source.values_of(&variant.values)?;
        let files: Vec<_> = self.values_files.iter().collect();
        let namespace = self.source.namespace.as_deref();
        let wanted = WantedChart {
            chart: &self.source,
            package: &self.package,
            values_files: &files,
            values: &values,
            namespace: namespace.unwrap_or(&variant.namespace),
        };
        Ok(around.render(&self.chart, &wanted)?)
    }
}

impl Tree {
    /// All objects of a variant. What cannot be rendered becomes a finding.
    pub(crate) fn input(&self, variant: &Variant, around: &Surroundings) -> Result<Input, Failure> {
        let mut input = self.empty_input(variant);
        for manifest in &self.manifests {
            let shown = self.folder.join(&manifest.path).display().to_string();
            input.add_app_file(&shown, &manifest.text, &variant.values);
        }
        for loaded in &self.charts {
            match loaded.render(variant, around) {
                Ok(rendered) => input.add_chart(&self.shown(loaded), &loaded.chart, &rendered),
                Err(error) => {
                    let (problem, mend) = error.explained();
                    let message = format!("the chart cannot be rendered: {problem}");
                    input.add_failure_at(&loaded.location, &message, mend);
                }
            }
        }
        self.add_kustomized(variant, &mut input)?;
        Ok(input)
    }

    /// The objects that are rendered before a rollout applies them, for finding their images: without plain manifests and
    /// tests. What charts ask for by `required`, the site may give; `warn` is told of it.
    pub(crate) fn rendered_input(
        &self,
        variant: &Variant,
        around: &Surroundings,
        warn: &mut dyn FnMut(String),
    ) -> Result<Input, Failure> {
        let mut input = self.empty_input(variant);
        for loaded in &self.charts {
            let strict = loaded.render(variant, around);
            let rendered = strict.or_else(|error| {
                let rendered = loaded.render(variant, &around.clone().lenient());
                let rendered = rendered.map_err(|error| located(loaded, &error))?;
                let name = variant.environment.as_ref();
                let name = name.map_or("the default values".to_owned(), |name| format!("`{name}`"));
                warn(format!(
                    "with {name}, {}",
                    located(loaded, &error).message()
                ));
                Ok::<_, Failure>(rendered)
            })?;
            let rendered = without_tests(rendered);
            input.add_chart(&self.shown(loaded), &loaded.chart, &rendered);
        }
        self.add_kustomized(variant, &mut input)?;
        Ok(input)
    }

    fn empty_input(&self, variant: &Variant) -> Input {
        let mut input = Input::new(&variant.namespace);
        let environment = variant.environment.as_ref();
        input.set_app(self.app(), environment.map(EnvironmentName::as_str));
        input
    }

    fn add_kustomized(&self, variant: &Variant, input: &mut Input) -> Result<(), Failure> {
        for (folder, text) in self.kustomized(variant)? {
            let shown = self.folder.join(&folder).join("kustomization.yaml");
            input.add_rendered(&shown.display().to_string(), &text);
        }
        Ok(())
    }

    fn shown(&self, loaded: &LoadedChart) -> String {
        self.folder.join(&loaded.source.chart).display().to_string()
    }
}

fn located(loaded: &LoadedChart, error: &ChartError) -> Failure {
    let (problem, mend) = error.explained();
    let path = &loaded.source.chart;
    let problem = format!("the chart `{path}` cannot be rendered: {problem}");
    super::failed(&loaded.location, &problem, mend)
}

/// What a rollout makes of a chart: it carries out no tests, and takes nothing away.
fn without_tests(mut rendered: Rendered) -> Rendered {
    for hook in &rendered.hooks {
        let mut events = hook.events.iter().copied();
        if events.any(|event| rollout_event(event).is_some()) {
            continue;
        }
        if let Some(printed) = rendered.files.get_mut(&hook.path) {
            let text = String::from_utf8_lossy(printed).replacen(&hook.manifest, "", 1);
            *printed = text.into_bytes();
        }
    }
    rendered
}
