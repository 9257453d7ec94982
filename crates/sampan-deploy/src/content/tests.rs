use sampan_model::Hint;
use sampan_model::app::AppFile;
use serde_json::json;

use super::*;
use crate::hook::{DeletePolicy, Event};
use crate::release::{ChartFile, ImagePin};
use crate::renderer::{Printed, PrintedHook};
use crate::{Desired, Overrides};

const APP: &str = r"apiVersion: sampan/v1
kind: App
name: shop
version: 1.0.0
manifests:
  - plain.yaml
  - kustomization: overlays/${app.environment}
  - chart: charts/search
    name: search
    namespace: search
    valuesFiles: [search.yaml]
    values: {host: '${host}', size: 1}
values: {host: shop.example}
environments:
  prod:
    values: {search: {size: 2}}
";

/// Prints what it was given.
struct Echo;

impl Renderer for Echo {
    fn chart(&self, wanted: &WantedChart<'_>) -> Result<Printed, RenderError> {
        let object = |kind: &str, name: &str, more: serde_json::Value| {
            let mut body = json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}});
            body["spec"] = more;
            PrintedObject {
                location: format!("{}/templates/{name}.yaml", wanted.chart.chart),
                body,
            }
        };
        let given = json!({
            "values": wanted.values,
            "files": wanted.values_files.iter().map(|file| &file.text).collect::<Vec<_>>(),
            "package": wanted.package,
        });
        let image = json!({"containers": [{"image": "search:1"}]});
        let hook = |name: &str, weight| PrintedHook {
            object: object("Pod", name, image.clone()),
            events: vec![Event::PreInstall],
            weight,
            delete: vec![DeletePolicy::Succeeded],
        };
        Ok(Printed {
            definitions: vec![object("CustomResourceDefinition", "indexes", json!({}))],
            objects: vec![object("ConfigMap", "echo", given)],
            hooks: vec![hook("later", 1), hook("b", 0), hook("a", 0)],
        })
    }
}

fn release() -> Release {
    let file = |path: &str, text: &str| ManifestFile {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    let config = |name: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{text: '${{host}}'}}\n"
        )
    };
    Release {
        app: AppFile::parse("sampan.yaml", APP).expect("an app").app,
        digest: "sha256:00".to_owned(),
        manifests: vec![
            file("plain.yaml", &config("plain")),
            file("search.yaml", "size: 0"),
            file(&rendered_path("overlays/prod"), &config("layered")),
        ],
        charts: vec![ChartFile {
            path: "charts/search".to_owned(),
            package: vec![7],
        }],
        images: vec![ImagePin {
            reference: "search:1".to_owned(),
            digest: format!("sha256:{}", "a".repeat(64)),
        }],
    }
}

fn desired(release: &Release) -> Result<Desired, String> {
    let name = "prod".parse().expect("a name");
    Desired::of(release, &name, &Overrides::default(), &Echo)
        .map_err(|error| format!("{error}; {}", error.hint().unwrap_or_default()))
}

#[test]
fn all_sources_come_together() {
    let desired = desired(&release()).expect("everything is there");
    let mut desired = serde_json::to_value(desired).expect("it is JSON");
    // An order is kept as JSON, and what is not used takes no room in it.
    assert_eq!(desired["namespaces"], json!(["search"]));
    let kept: Desired = serde_json::from_value(desired.clone()).expect("it is read back");
    let hooks = kept.hooks_of(Event::PreInstall);
    let names: Vec<_> = hooks
        .iter()
        .map(|hook| hook.object.id.name.as_str())
        .collect();
    assert_eq!(names, ["a", "b", "later"]);
    assert!(kept.hooks_of(Event::PostInstall).is_empty());
    desired["hooks"].as_array_mut().expect("a list").truncate(1);
    insta::assert_json_snapshot!(json!([desired["objects"], desired["hooks"]]));
}

#[test]
fn what_is_not_there_is_named() {
    let refusal = |change: &dyn Fn(&mut Release)| {
        let mut release = release();
        change(&mut release);
        desired(&release).expect_err("something is missing")
    };
    let refusals = [
        refusal(&|release| release.charts.clear()),
        refusal(&|release| release.images.clear()),
        refusal(&|release| release.manifests.truncate(1)),
        refusal(&|release| release.manifests.truncate(2)),
        refusal(&|release| release.manifests[0].text = release.manifests[2].text.clone()),
    ];
    insta::assert_snapshot!(refusals.join("\n"));
}
