//! Renders a case.

use std::path::Path;

use sampan_chart::chart::Chart;
use sampan_chart::compatibility::Compatibility;
use sampan_chart::render::{self, Error, Options, Rendered, Shown};

use super::arguments::Arguments;
use super::case::Case;

const FILE: &str = "vec/templates/t.yaml";

/// What Sampan answers in place of a Helm, and what it warns of.
pub(crate) fn run(
    case: &Case,
    compatibility: Compatibility,
) -> (Result<Vec<u8>, String>, Vec<String>) {
    let mut warnings = Vec::new();
    let answer = answer(case, compatibility, &mut warnings);
    warnings.sort();
    (answer, warnings)
}

fn answer(
    case: &Case,
    compatibility: Compatibility,
    warnings: &mut Vec<String>,
) -> Result<Vec<u8>, String> {
    let arguments = Arguments::parse(&case.arguments);
    let (options, values) = given(case, &arguments, compatibility)?;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(case, folder);
    let chart = Chart::load(folder, compatibility).map_err(|error| error.to_string())?;
    let rendered = match render::render(&chart, &values, &options) {
        // What a template printed need not be a manifest to be compared.
        Err(Error::Document { files, .. }) if case.mode == "text" => {
            return Ok(files.get(FILE).cloned().unwrap_or_default());
        }
        other => other.map_err(|error| error.to_string().trim_end_matches('\n').to_owned())?,
    };
    warnings.clone_from(&rendered.warnings);
    match case.mode.as_str() {
        "text" => Ok(rendered.files.get(FILE).cloned().unwrap_or_default()),
        "notes" => Ok(rendered.notes),
        _ => manifest(&rendered, &arguments, compatibility),
    }
}

/// What comes from the command line.
fn given(
    case: &Case,
    arguments: &Arguments,
    compatibility: Compatibility,
) -> Result<(Options, sampan_chart::values::Table), String> {
    let text = |error: &dyn std::error::Error| error.to_string();
    let name = render::release_name(Some("rel"), arguments.name_template.as_deref());
    let mut options = Options::new(&name.map_err(|error| text(&error))?, compatibility);
    let version = arguments
        .kube_version
        .as_deref()
        .or((case.mode == "notes").then_some("v1.32.0"));
    if let Some(version) = version {
        let version =
            render::KubeVersion::parse(version, compatibility).map_err(|error| text(&error))?;
        options.capabilities.kube_version = version;
    }
    options
        .capabilities
        .api_versions
        .extend(arguments.api_versions.iter().cloned());
    options.subchart_notes = arguments.subchart_notes;
    let read = |path: &str| {
        let content = case.files.get(path).cloned();
        content.ok_or_else(|| format!("open {path}: no such file or directory"))
    };
    let values = arguments
        .values
        .read(&read, compatibility)
        .map_err(|error| text(&error))?;
    Ok((options, values))
}

fn manifest(
    rendered: &Rendered,
    arguments: &Arguments,
    compatibility: Compatibility,
) -> Result<Vec<u8>, String> {
    let shown: &Shown = &arguments.shown;
    if let Some(folder) = &arguments.output {
        let files = rendered.output_files(shown);
        let lines = files
            .iter()
            .map(|(path, _)| format!("wrote {folder}/{path}\n"));
        return Ok((lines.collect::<String>() + "\n").into_bytes());
    }
    render::template_output(rendered, shown, compatibility).map_err(|error| error.to_string())
}

/// Writes the chart of a case into a folder.
fn write(case: &Case, folder: &Path) {
    let default = "apiVersion: v2\nname: vec\nversion: 0.1.0\n";
    let mut files = vec![("Chart.yaml", default.as_bytes())];
    files.extend(
        case.template
            .as_ref()
            .map(|template| ("templates/t.yaml", template.as_bytes())),
    );
    files.extend(
        case.values
            .as_ref()
            .map(|values| ("values.yaml", values.as_bytes())),
    );
    files.extend(
        case.chart
            .iter()
            .map(|(path, content)| (path.as_str(), content.as_slice())),
    );
    for (path, content) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
}
