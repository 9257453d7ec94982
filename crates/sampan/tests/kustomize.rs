//! `sampan kustomize`, beside the real `kubectl kustomize`.

use std::path::Path;
use std::process::Command;

use sampan_testkit::{Finished, Installation, SourceTree};

const SAMPAN: &str = env!("CARGO_BIN_EXE_sampan");

fn tree() -> SourceTree {
    SourceTree::copy_of(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kustomize"))
}

/// Whether this machine's `kubectl` has a Kustomize of this decade: Debian's, 1.20, has version 2.
fn is_recent() -> bool {
    sampan_testkit::kubectl_minor() >= 27
}

#[test]
fn kustomizations_are_rendered_as_kubectl_renders_them() {
    let (tree, installation) = (tree(), Installation::new(SAMPAN));
    for folder in ["base", "site", "order"] {
        let path = tree.path().join(folder).display().to_string();
        let ours = installation.run(["kustomize", &path]).stdout();
        assert!(ours.contains("kind: Deployment"), "{ours}");
        if !is_recent() {
            continue;
        }
        let theirs = Finished::of(Command::new("kubectl").args(["kustomize", &path])).stdout();
        let differs = theirs
            .lines()
            .zip(ours.lines())
            .position(|(one, other)| one != other);
        if let Some(line) = differs {
            let shown = |text: &str| {
                let lines: Vec<&str> = text
                    .lines()
                    .skip(line.saturating_sub(12))
                    .take(20)
                    .collect();
                lines.join("\n")
            };
            panic!(
                "{folder}:{line}\n--- kubectl\n{}\n--- ours\n{}",
                shown(&theirs),
                shown(&ours)
            );
        }
        assert_eq!(theirs, ours, "{folder}");
    }
}

#[test]
fn what_cannot_be_rendered_is_named() {
    let (tree, installation) = (tree(), Installation::new(SAMPAN));
    let path = tree.path().join("order").display().to_string();
    let refused = |text: &str, message: &str| {
        std::fs::write(tree.path().join("order/kustomization.yaml"), text).expect("a file");
        let finished = installation.run(["kustomize", &path]);
        assert_ne!(finished.code, Some(0), "{text}");
        let _told = finished.expect_stderr(message);
    };
    refused("resources: [../base, ../base]", "already registered id");
    refused("resources: [.]", "is made of itself");
    refused("resources: [../base/web.yaml]", "is not in or below");
    refused(
        "resources: [https://example.com/x.yaml]",
        "is on another machine",
    );
    refused("resource: [../base]", "unknown field `resource`");
    refused("helmCharts: [{name: x}]", "`helmCharts` is not supported");
    refused("resources: [missing.yaml]", "cannot read");
    refused("resources: [../part]", "is a component");
    refused(
        "resources: [../base]\npatches: [{patch: '{apiVersion: v1, kind: Pod, metadata: {name: x}}'}]",
        "no resource matches strategic merge patch",
    );
    let config = |namespace: &str| {
        format!(
            "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: x, namespace: {namespace}}}}}\n"
        )
    };
    let two = format!("{}---\n{}", config("a"), config("b"));
    std::fs::write(tree.path().join("order/two.yaml"), two).expect("a file");
    let copies: Vec<String> = (0..40)
        .map(|index| format!("{{op: copy, from: /metadata, path: /metadata/a{index}}}"))
        .collect();
    refused(
        &format!(
            "resources: [two.yaml]\npatches: [{{target: {{kind: ConfigMap}}, patch: '[{}]'}}]",
            copies.join(", ")
        ),
        "copying makes it larger than",
    );
    let patched = "patches: [{patch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}'}]";
    for (folder, text) in [
        ("config", "resources: [x.yaml]"),
        ("one", "{resources: [../config], namePrefix: one-}"),
        ("two", "{resources: [../config], namePrefix: two-}"),
    ] {
        let folder = tree.path().join("order").join(folder);
        std::fs::create_dir(&folder).expect("a folder");
        std::fs::write(folder.join("kustomization.yaml"), text).expect("a file");
    }
    let x = "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}";
    std::fs::write(tree.path().join("order/config/x.yaml"), x).expect("a file");
    refused(
        &format!("resources: [one, two]\n{patched}"),
        "multiple matches for Id",
    );
    refused(
        "configMapGenerator: [{name: x, behavior: merge, literals: [a=b]}]",
        "cannot merge or replace",
    );
    std::fs::remove_file(tree.path().join("order/kustomization.yaml")).expect("a file");
    let _absent = installation.run(["kustomize", &path]).expect_code(3);
}
