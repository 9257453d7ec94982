//! From paths to objects: files, folders, charts and apps.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use sampan_chart::chart::Chart;
use sampan_chart::check::Input;
use sampan_chart::compatibility::Compatibility;
use sampan_chart::render::{Options, render};
use sampan_chart::values::local_file;
use sampan_kubernetes::Version;
use sampan_model::Hint;
use sampan_model::app::{AppFile, FILE_NAME};

use crate::app::Tree;
use crate::commands::chart::values::Values;
use crate::failure::{Failure, OrFail as _};
use crate::wiring::Surroundings;

/// The largest file of manifests that is read.
const LIMIT_BYTES: u64 = 64 << 20;

/// How what the paths lead to becomes objects.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Charts and apps")]
pub(crate) struct Rendering {
    #[command(flatten)]
    values: Values,
    /// The name of the release that charts are rendered for
    #[arg(long, value_name = "NAME", default_value = "release-name")]
    release_name: String,
    /// The namespace of objects that name none
    #[arg(long, short, value_name = "NAME", default_value = "default")]
    namespace: String,
    /// Only this environment of an app
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
}

/// All that the paths lead to.
#[derive(Debug, Default)]
pub(crate) struct Gathering {
    /// Objects, with those together that may refer to each other.
    pub(crate) inputs: Vec<Input>,
    /// The charts that were rendered.
    pub(crate) charts: Vec<Chart>,
    /// The apps.
    pub(crate) apps: Vec<AppFile>,
}

/// What a path leads to.
enum What {
    Chart,
    App,
    Folder,
    File,
}

struct Gatherer<'a> {
    args: &'a Rendering,
    version: Version,
    gathering: Gathering,
    /// What files, folders and charts named by the user hold together.
    together: Input,
}

/// Reads and renders what the paths lead to. Files, folders and charts that the user names belong together; charts found
/// in folders, and each environment of an app, stand for themselves.
pub(crate) fn gather(
    paths: &[PathBuf],
    args: &Rendering,
    version: Version,
) -> Result<Gathering, Failure> {
    let mut gatherer = Gatherer {
        args,
        version,
        gathering: Gathering::default(),
        together: Input::new(&args.namespace),
    };
    for path in paths {
        match what(path)? {
            What::Chart => {
                let mut input = std::mem::take(&mut gatherer.together);
                gatherer.chart(path, &mut input)?;
                gatherer.together = input;
            }
            What::App => gatherer.app(path)?,
            What::Folder => gatherer.folder(path)?,
            What::File => {
                let (name, text) = read_text(path)?;
                gatherer.together.add_file(&name, &text);
            }
        }
    }
    let Gatherer {
        mut gathering,
        together,
        ..
    } = gatherer;
    if !together.is_empty() || gathering.inputs.is_empty() {
        gathering.inputs.insert(0, together);
    }
    Ok(gathering)
}

fn what(path: &Path) -> Result<What, Failure> {
    if path == Path::new("-") {
        return Ok(What::File);
    }
    let metadata = std::fs::metadata(path)
        .or_fail(format!("cannot look at `{}`", path.display()))
        .map_err(Failure::of_named)?;
    if metadata.is_dir() {
        return Ok(what_folder(path));
    }
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    if name == FILE_NAME {
        return Ok(What::App);
    }
    let is_package = [".tgz", ".tar.gz"]
        .iter()
        .any(|ending| name.ends_with(ending));
    Ok(if is_package { What::Chart } else { What::File })
}

fn what_folder(folder: &Path) -> What {
    if folder.join(FILE_NAME).is_file() {
        What::App
    } else if folder.join("Chart.yaml").is_file() {
        What::Chart
    } else {
        What::Folder
    }
}

impl Gatherer<'_> {
    fn chart(&mut self, path: &Path, input: &mut Input) -> Result<(), Failure> {
        let shown = path.display().to_string();
        let compatibility = Compatibility::Helm3;
        let given = self
            .args
            .values
            .sources()
            .read(&local_file, compatibility)?;
        let chart = match Chart::load(path, compatibility) {
            Ok(chart) => chart,
            Err(error) => {
                input.add_failure(
                    &shown,
                    &format!("the chart cannot be read: {error}"),
                    error.hint(),
                );
                return Ok(());
            }
        };
        if chart.metadata.is_library() {
            return Ok(());
        }
        let mut options = Options::new(&self.args.release_name, compatibility);
        options.release.namespace.clone_from(&self.args.namespace);
        options.capabilities = Surroundings::of_version(self.version)?.capabilities;
        // What `required` asks for, the site gives.
        options.lint = true;
        match render(&chart, &given, &options) {
            Ok(rendered) => input.add_chart(&shown, &chart, &rendered),
            Err(error) => {
                let message = error.to_string();
                let line = message.lines().next().unwrap_or_default();
                input.add_failure(
                    &shown,
                    &format!("the chart cannot be rendered: {line}"),
                    error.hint(),
                );
            }
        }
        self.gathering.charts.push(chart);
        Ok(())
    }

    fn app(&mut self, path: &Path) -> Result<(), Failure> {
        let folder = if path.is_dir() {
            path
        } else {
            path.parent().unwrap_or(Path::new(""))
        };
        let tree = Tree::read(folder)?;
        // What `required` asks for, the site gives.
        let around = Surroundings::of_version(self.version)?.lenient();
        for variant in tree.variants(self.args.env.as_deref())? {
            self.gathering.inputs.push(tree.input(&variant, &around)?);
        }
        let charts = tree.charts.into_iter().map(|loaded| loaded.chart);
        self.gathering.charts.extend(charts);
        self.gathering.apps.push(tree.file);
        Ok(())
    }

    /// Everything below a folder; hidden files and links to folders are left out.
    fn folder(&mut self, folder: &Path) -> Result<(), Failure> {
        for path in list(folder)? {
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            if name.starts_with('.') || path.is_symlink() && path.is_dir() {
                continue;
            }
            if path.is_dir() {
                match what_folder(&path) {
                    What::Chart => {
                        let mut input = Input::new(&self.args.namespace);
                        self.chart(&path, &mut input)?;
                        self.gathering.inputs.push(input);
                    }
                    What::App => self.app(&path)?,
                    What::Folder | What::File => self.folder(&path)?,
                }
            } else if is_manifest(name) {
                let (name, text) = read_text(&path)?;
                self.together.add_found_file(&name, &text);
            }
        }
        Ok(())
    }
}

fn is_manifest(name: &str) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    matches!(extension, "yaml" | "yml" | "json") && !name.starts_with("kustomization.")
}

/// What is in a folder, in the order of the names.
pub(crate) fn list(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = format!("cannot list `{}`", folder.display());
    let entries = std::fs::read_dir(folder).or_fail(&failed)?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.or_fail(&failed)?.path());
    }
    paths.sort();
    Ok(paths)
}

/// The name of a file for messages, and its text; `-` is standard input.
pub(crate) fn read_text(path: &Path) -> Result<(String, String), Failure> {
    let is_input = path == Path::new("-");
    let name = if is_input {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    };
    let failed = format!("cannot read `{name}`");
    let reader: Box<dyn std::io::Read> = if is_input {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(
            std::fs::File::open(path)
                .or_fail(&failed)
                .map_err(Failure::of_named)?,
        )
    };
    let mut bytes = Vec::new();
    reader
        .take(LIMIT_BYTES + 1)
        .read_to_end(&mut bytes)
        .or_fail(&failed)?;
    if bytes.len() as u64 > LIMIT_BYTES {
        return Err(
            Failure::new(format!("`{name}` has more than {} MiB", LIMIT_BYTES >> 20))
                .with_hint("split the file"),
        );
    }
    let text = String::from_utf8(bytes).or_fail(&failed)?;
    Ok((name, text))
}
