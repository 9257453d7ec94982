//! `sampan chart template`: what a chart renders to, byte for byte as `helm template` prints it.

mod folder;

use std::path::PathBuf;
use std::process::ExitCode;

use sampan_chart::render::{
    self, Capabilities, Error, KubeVersion, NameError, Options, Rendered, Shown, release_name,
    render, template_output_of,
};
use serde_json::{Value, json};

use super::post_render::PostRender;
use super::source::Source;
use super::values::Values;
use crate::context::Context;
use crate::failure::{Exit, Failure};

/// Arguments of `sampan chart template`.
#[derive(Debug, clap::Args)]
#[command(override_usage = "sampan chart template [OPTIONS] [NAME] CHART")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each stands for an option of its own"
)]
pub(crate) struct Args {
    /// The name of the release, and the chart: a folder, a package, `oci://HOST/REPOSITORY`, the address of a package, or
    /// the name of a chart of `--repo`
    #[arg(required = true, num_args = 1..=2, value_names = ["NAME", "CHART"])]
    names: Vec<String>,
    #[command(flatten)]
    values: Values,
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    post_render: PostRender,
    /// Bring dependencies that are missing in the folder of the chart first
    #[arg(long)]
    dependency_update: bool,
    #[command(flatten)]
    release: Release,
    /// Show only what this template of the chart has rendered, such as `templates/service.yaml`; may have `*` in it
    #[arg(long, short = 's', value_name = "PATH")]
    show_only: Vec<String>,
    /// Show the definitions of custom resources too
    #[arg(long)]
    include_crds: bool,
    /// Show no definitions of custom resources, as without `--include-crds`
    #[arg(long, conflicts_with = "include_crds")]
    skip_crds: bool,
    /// Show no hooks
    #[arg(long)]
    no_hooks: bool,
    /// Show no tests
    #[arg(long)]
    skip_tests: bool,
    /// Write a file for each template below this folder
    #[arg(long, value_name = "DIR")]
    output_dir: Option<PathBuf>,
    /// Below that folder, into one with the name of the release
    #[arg(long, requires = "output_dir")]
    release_name: bool,
    /// Show what was rendered also when it is no YAML
    #[arg(long)]
    debug: bool,
    /// Not available: there is no cluster to ask
    #[arg(long, hide = true)]
    validate: bool,
}

/// What templates are told of the release and the cluster.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Release")]
struct Release {
    /// The namespace of the release
    #[arg(long, short, value_name = "NAME", default_value = "default")]
    namespace: String,
    /// Make a name; the same as giving none
    #[arg(long, short)]
    generate_name: bool,
    /// A template of the name
    #[arg(long, value_name = "TEMPLATE")]
    name_template: Option<String>,
    /// Render for an upgrade instead of an installation
    #[arg(long)]
    is_upgrade: bool,
    /// The version of Kubernetes [default: what Helm was made for]
    #[arg(long, value_name = "VERSION")]
    kube_version: Option<String>,
    /// API versions that the cluster has besides the usual ones, such as `monitoring.coreos.com/v1`
    #[arg(long, short, value_name = "VERSION", value_delimiter = ',')]
    api_versions: Vec<String>,
    /// Take the values as they are, whatever `values.schema.json` says
    #[arg(long)]
    skip_schema_validation: bool,
}

/// Renders the chart and shows it.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    if args.validate {
        return Err(Failure::new("`--validate` needs a cluster, which this command never asks")
            .with_hint("leave it out; `kubectl apply --dry-run=server -f -` asks the cluster about the output"));
    }
    let (name, chart) = match &args.names[..] {
        [chart] => (None, chart),
        [name, chart, ..] => (Some(name.as_str()), chart),
        [] => (None, &args.names[0]),
    };
    args.check_output(context)?;
    let options = args.options(name)?;
    let remote = args.source.remote(context)?;
    let loaded = args
        .source
        .load(context, chart, &remote, args.dependency_update)?;
    let values = args.values.read(&remote, options.compatibility)?;
    let rendered = match render(&loaded, &values, &options) {
        Ok(rendered) => rendered,
        Err(error) => return args.failed(context, error),
    };
    for warning in &rendered.warnings {
        context.ui().warn(warning);
    }
    args.show(context, &options, &rendered)?;
    Ok(ExitCode::SUCCESS)
}

impl Args {
    fn options(&self, name: Option<&str>) -> Result<Options, Failure> {
        let compatibility = self.source.compatibility();
        let release = &self.release;
        if name.is_some() && release.generate_name {
            return Err(
                Failure::new("cannot set --generate-name and also specify a name")
                    .with_hint(hint(&NameError::Both)),
            );
        }
        let name = release_name(name, release.name_template.as_deref())?;
        let mut options = Options::new(&name, compatibility);
        options.release.namespace.clone_from(&release.namespace);
        options.release.is_upgrade = release.is_upgrade;
        options.skip_schemas = release.skip_schema_validation;
        let mut capabilities = Capabilities::without_cluster(compatibility);
        capabilities
            .api_versions
            .extend(release.api_versions.iter().cloned());
        if let Some(version) = &release.kube_version {
            capabilities.kube_version = KubeVersion::parse(version, compatibility)?;
        }
        options.capabilities = capabilities;
        Ok(options)
    }

    /// Refuses what only the text on standard output has, where something else is to be written.
    fn check_output(&self, context: &Context) -> Result<(), Failure> {
        let other = match &self.output_dir {
            Some(_) => "--output-dir",
            None if context.json() => "--output json",
            None => return Ok(()),
        };
        let option = if self.post_render.is_wanted() {
            "--post-renderer"
        } else if self.show_only.is_empty() {
            return Ok(());
        } else {
            "--show-only"
        };
        Err(
            Failure::new(format!("`{option}` cannot be used with `{other}`")).with_hint(format!(
                "leave `{other}` out: `{option}` changes the text that is printed"
            )),
        )
    }

    fn shown(&self) -> Shown {
        Shown {
            only: self.show_only.clone(),
            crds: self.include_crds && !self.skip_crds,
            no_hooks: self.no_hooks,
            no_tests: self.skip_tests,
        }
    }

    /// The failure of rendering; with `--debug`, what was rendered is shown first.
    fn failed(&self, context: &Context, error: Error) -> Result<ExitCode, Failure> {
        if let Error::Document { files, .. } = &error
            && self.debug
        {
            for (path, text) in files
                .iter()
                .filter(|(_, text)| !text.trim_ascii().is_empty())
            {
                let text = String::from_utf8_lossy(text);
                context
                    .ui()
                    .line(format!("---\n# Source: {path}\n{text}"))?;
            }
        }
        let is_document = matches!(error, Error::Document { .. });
        let failure = Failure::from(error);
        Err(if is_document && !self.debug {
            failure.with_hint("`--debug` shows what the templates have printed: indentation and quotes are the usual faults")
        } else {
            failure
        })
    }

    fn show(
        &self,
        context: &Context,
        options: &Options,
        rendered: &Rendered,
    ) -> Result<(), Failure> {
        let shown = self.shown();
        if let Some(folder) = &self.output_dir {
            let below = self.release_name.then_some(options.release.name.as_str());
            return folder::write(context, folder, below, rendered, &shown);
        }
        if context.json() {
            return context.ui().json(&summary(options, rendered, &shown));
        }
        let manifest = self.post_render.run(rendered.manifest(shown.crds))?;
        let text = template_output_of(manifest, rendered, &shown, options.compatibility)
            .map_err(|error| Failure::from(error).with_exit(Exit::NotFound))?;
        context.ui().bytes(&text)
    }
}

fn hint(error: &impl sampan_model::Hint) -> String {
    error.hint().unwrap_or_default()
}

/// The documents with what was read of them, for programs.
fn summary(options: &Options, rendered: &Rendered, shown: &Shown) -> Value {
    let manifests = rendered.manifests.iter().map(|manifest| {
        json!({
            "source": manifest.path,
            "apiVersion": manifest.head.api_version,
            "kind": manifest.head.kind,
            "name": manifest.head.name,
            "document": manifest.content,
        })
    });
    let hooks = rendered.hooks.iter().filter(|_| !shown.no_hooks);
    let hooks = hooks.filter(|hook| !(shown.no_tests && hook.is_test()));
    let hooks = hooks.map(|hook| {
        let events: Vec<String> = hook.events.iter().map(ToString::to_string).collect();
        json!({
            "source": hook.path,
            "kind": hook.kind,
            "name": hook.name,
            "events": events,
            "weight": hook.weight,
            "document": hook.manifest,
        })
    });
    let crds = rendered.crds.iter().filter(|_| shown.crds);
    let crds = crds.map(
        |crd| json!({"source": crd.path, "document": String::from_utf8_lossy(&crd.file.data)}),
    );
    let release: &render::Release = &options.release;
    json!({
        "release": {"name": release.name, "namespace": release.namespace},
        "crds": crds.collect::<Vec<_>>(),
        "manifests": manifests.collect::<Vec<_>>(),
        "hooks": hooks.collect::<Vec<_>>(),
        "notes": String::from_utf8_lossy(&rendered.notes),
    })
}
