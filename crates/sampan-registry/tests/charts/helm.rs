//! The real Helm, in both forms of a chart repository.

use sampan_testkit::Helm;

use crate::fixture::Registry;

/// A chart that Helm makes, packed by Helm; the package's name.
fn packed(helm: &Helm, name: &str, version: &str) -> String {
    let made = helm.run(["create", name]).expect_code(0);
    drop(made);
    pack(helm, name, version)
}

fn pack(helm: &Helm, name: &str, version: &str) -> String {
    let packed = helm.run(["package", name, "--version", version]);
    drop(packed.expect_code(0));
    format!("{name}-{version}.tgz")
}

fn content(helm: &Helm, file: &str) -> Vec<u8> {
    std::fs::read(helm.path().join(file)).unwrap()
}

#[test]
fn helm_finds_what_it_pushed_in_the_index_and_pulls_the_same_bytes() {
    let (registry, helm) = (Registry::start(), Helm::three());
    let address = registry.address();
    let repository = format!("oci://{address}/team");
    for version in ["0.1.0", "0.2.0+b7", "1.0.0-rc.1"] {
        let package = packed(&helm, "web", version);
        let pushed = helm.run(["push", &package, &repository, "--plain-http"]);
        drop(pushed.expect_code(0));
    }

    let url = format!("http://{address}/charts/team");
    drop(helm.run(["repo", "add", "team", &url]).expect_code(0));
    let search = |further: &[&'static str]| {
        let arguments = [&["search", "repo", "team/web", "--output", "json"], further].concat();
        let found: serde_json::Value = serde_json::from_str(&helm.run(arguments).stdout()).unwrap();
        let charts = found.as_array().unwrap().iter();
        charts
            .map(|chart| chart["version"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(search(&[]), ["0.2.0+b7"]);
    assert_eq!(
        search(&["--versions", "--devel"]),
        ["1.0.0-rc.1", "0.2.0+b7", "0.1.0"]
    );

    let from_index = [
        "pull",
        "team/web",
        "--version",
        "0.2.0+b7",
        "--destination",
        "index",
    ];
    std::fs::create_dir(helm.path().join("index")).unwrap();
    drop(helm.run(from_index).expect_code(0));
    let chart = format!("{repository}/web");
    let by_range = [
        "pull",
        &chart,
        "--plain-http",
        "--version",
        "~0.2",
        "--destination",
        "oci",
    ];
    std::fs::create_dir(helm.path().join("oci")).unwrap();
    drop(helm.run(by_range).expect_code(0));
    let pushed = content(&helm, "web-0.2.0+b7.tgz");
    assert_eq!(content(&helm, "index/web-0.2.0+b7.tgz"), pushed);
    assert_eq!(content(&helm, "oci/web-0.2.0+b7.tgz"), pushed);
}

#[test]
fn helm_builds_a_chart_from_dependencies_of_both_forms() {
    let (registry, helm) = (Registry::start(), Helm::three());
    let address = registry.address();
    let repository = format!("oci://{address}/team");
    for name in ["first", "second"] {
        let package = packed(&helm, name, "1.2.3");
        let pushed = helm.run(["push", &package, &repository, "--plain-http"]);
        drop(pushed.expect_code(0));
    }
    drop(helm.run(["create", "whole"]).expect_code(0));
    let file = helm.path().join("whole/Chart.yaml");
    let yaml = std::fs::read_to_string(&file).unwrap();
    let dependencies = format!(
        "dependencies:\n- {{name: first, version: ^1.0.0, repository: 'http://{address}/charts/team'}}\n\
         - {{name: second, version: 1.x, repository: '{repository}'}}\n"
    );
    std::fs::write(&file, yaml + &dependencies).unwrap();
    let update = helm.run(["dependency", "update", "whole", "--plain-http"]);
    drop(update.expect_code(0));
    let rendered = helm.run(["template", "release", "whole"]).stdout();
    for name in ["first", "second"] {
        let source = format!("# Source: whole/charts/{name}/templates/deployment.yaml");
        assert!(rendered.contains(&source), "{rendered}");
    }
}
