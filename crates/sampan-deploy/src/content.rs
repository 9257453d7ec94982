//! Everything that an environment gets from the sources of an app: manifests, charts, kustomizations.

use sampan_model::Hint;
use sampan_model::app::{App, Chart, ChartValueError, Source, TemplateError};

use crate::hook::Hook;
use crate::manifests::{self, ManifestError, Object, Rendering};
use crate::release::{ManifestFile, Release};
use crate::renderer::{PrintedObject, RenderError, Renderer, WantedChart};

/// Objects and hooks, complete.
#[derive(Debug, Default)]
pub(crate) struct Content {
    /// The objects, in the order in which they are applied.
    pub(crate) objects: Vec<Object>,
    pub(crate) hooks: Vec<Hook>,
    /// The namespaces that charts name for themselves.
    pub(crate) namespaces: Vec<String>,
}

/// Why the sources give no objects.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// A manifest is wrong, or an object that was rendered.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A value of a chart is missing.
    #[error(transparent)]
    Value(#[from] ChartValueError),
    /// Something cannot be rendered.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The folder of a kustomization depends on what is not known.
    #[error("the kustomization `{folder}`: {problem}")]
    Folder {
        /// As the app names it.
        folder: String,
        /// Why not; part of the message, so it is no source.
        problem: TemplateError,
    },
    /// What is named is not in the release.
    #[error("the release does not hold `{path}`")]
    Absent {
        /// Its path in the source tree.
        path: String,
    },
}

impl Hint for ContentError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Manifest(error) => error.hint(),
            Self::Value(error) => error.hint(),
            Self::Render(error) => error.hint(),
            Self::Folder { problem, .. } => problem.hint(),
            Self::Absent { .. } => {
                Some("make a new release with `sampan release create`".to_owned())
            }
        }
    }
}

/// The path in a release of what a kustomization was rendered to. No pattern meets it unless it spells the dot out.
#[must_use]
pub fn rendered_path(folder: &str) -> String {
    match folder {
        "." => ".sampan/kustomization/rendered.yaml".to_owned(),
        folder => format!(".sampan/kustomization/{folder}/rendered.yaml"),
    }
}

/// The plain manifests among the files of a release.
#[must_use]
pub fn plain_files(app: &App, files: &[ManifestFile]) -> Vec<ManifestFile> {
    let plain = files.iter().filter(|file| app.has_manifest(&file.path));
    plain.cloned().collect()
}

/// Puts together what an environment gets.
pub(crate) fn gather(
    release: &Release,
    rendering: &Rendering<'_>,
    renderer: &dyn Renderer,
) -> Result<Content, ContentError> {
    let mut content = Content::default();
    let plain = plain_files(&release.app, &release.manifests);
    if !plain.is_empty() {
        let manifests = manifests::parse(&plain)?;
        content.objects = manifests::objects(&manifests, rendering)?;
    }
    for source in &release.app.manifests {
        match source {
            Source::Files(_) => {}
            Source::Chart(chart) => content.add_chart(chart, release, rendering, renderer)?,
            Source::Kustomization(kustomization) => {
                let folder = kustomization.folder(rendering.values);
                let folder = folder.map_err(|problem| ContentError::Folder {
                    folder: kustomization.kustomization.clone(),
                    problem,
                })?;
                let file = file(release, &rendered_path(&folder), &folder)?;
                let shown = format!("{folder}/kustomization.yaml (rendered)");
                for printed in manifests::printed(&shown, &file.text)? {
                    content
                        .objects
                        .push(manifests::complete(printed, rendering)?);
                }
            }
        }
    }
    content.objects = manifests::arrange(std::mem::take(&mut content.objects))?;
    Ok(content)
}

impl Content {
    fn add_chart(
        &mut self,
        chart: &Chart,
        release: &Release,
        rendering: &Rendering<'_>,
        renderer: &dyn Renderer,
    ) -> Result<(), ContentError> {
        let found = release
            .charts
            .iter()
            .find(|known| known.path == chart.chart);
        let found = found.ok_or_else(|| ContentError::Absent {
            path: chart.chart.clone(),
        })?;
        let files = chart.values_files.iter();
        let files: Vec<_> = files
            .map(|path| file(release, path, path))
            .collect::<Result<_, _>>()?;
        let namespace = chart.namespace.as_deref().unwrap_or(rendering.namespace);
        let printed = renderer.chart(&WantedChart {
            chart,
            package: &found.package,
            values_files: &files,
            values: &chart.values_of(rendering.values)?,
            namespace,
        })?;
        if namespace != rendering.namespace
            && !self.namespaces.iter().any(|known| known == namespace)
        {
            self.namespaces.push(namespace.to_owned());
        }
        let rendering = Rendering {
            namespace,
            ..*rendering
        };
        let complete = |printed: PrintedObject| manifests::complete(printed, &rendering);
        for definition in printed.definitions {
            self.objects.push(Object {
                unless_there: true,
                ..complete(definition)?
            });
        }
        for object in printed.objects {
            self.objects.push(complete(object)?);
        }
        for hook in printed.hooks {
            self.hooks.push(Hook {
                object: complete(hook.object)?,
                events: hook.events,
                weight: hook.weight,
                delete: hook.delete,
            });
        }
        Ok(())
    }
}

fn file<'a>(
    release: &'a Release,
    path: &str,
    shown: &str,
) -> Result<&'a ManifestFile, ContentError> {
    let found = release.manifests.iter().find(|file| file.path == path);
    found.ok_or_else(|| ContentError::Absent {
        path: shown.to_owned(),
    })
}

#[cfg(test)]
mod tests;
