//! Invariants of the source tree that no compiler checks: layers, sizes, names, leftovers.

#![expect(
    clippy::unwrap_used,
    reason = "in tests, a failed expectation is a panic"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Layers from low to high. A crate may import only from layers below its own.
const LAYERS: [&[&str]; 5] = [
    &["sampan-model", "sampan-supervise"],
    &[
        "sampan-store",
        "sampan-oci",
        "sampan-container",
        "sampan-listen",
        "sampan-kubernetes",
    ],
    &[
        "sampan-build",
        "sampan-bundle",
        "sampan-chart",
        "sampan-engine",
        "sampan-deploy",
        "sampan-gateway",
        "sampan-registry",
        "sampan-pipeline",
    ],
    &[],
    &["sampan"],
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// Paths of all files that git knows or would know, relative to the root.
fn files() -> Vec<String> {
    let output = Command::new("git")
        .current_dir(root())
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .output()
        .unwrap();
    assert!(output.status.success(), "git cannot list the files");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .filter(|path| root().join(path).is_file())
        .map(str::to_owned)
        .collect()
}

fn sources() -> Vec<(String, String)> {
    let sources: Vec<_> = files()
        .into_iter()
        .filter(|path| {
            Path::new(path)
                .extension()
                .is_some_and(|extension| extension == "rs")
        })
        .map(|path| {
            (
                path.clone(),
                std::fs::read_to_string(root().join(path)).unwrap(),
            )
        })
        .collect();
    assert!(!sources.is_empty(), "there is something to look at");
    sources
}

#[test]
fn crates_import_only_from_layers_below() {
    let output = Command::new(env!("CARGO"))
        .current_dir(root())
        .args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--offline",
        ])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let layer: BTreeMap<&str, usize> = LAYERS
        .iter()
        .enumerate()
        .flat_map(|(level, names)| names.iter().map(move |name| (*name, level)))
        .collect();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        if name == "sampan-testkit" {
            continue;
        }
        let own = layer
            .get(name)
            .unwrap_or_else(|| panic!("`{name}` has no layer"));
        for dependency in package["dependencies"].as_array().unwrap() {
            let other = dependency["name"].as_str().unwrap();
            let development = dependency["kind"] == "dev";
            if let Some(below) = layer.get(other).filter(|_| !development) {
                assert!(below < own, "`{name}` must not import `{other}`");
            }
            assert!(
                development || other != "sampan-testkit",
                "`{name}` imports the testkit outside of its tests"
            );
        }
    }
}

#[test]
fn files_are_small_and_one_noun_each() {
    for (path, text) in sources() {
        let lines = text.lines().count();
        assert!(lines <= 600, "{path} has {lines} lines; split it at 600");
        let name = Path::new(&path).file_stem().unwrap().to_str().unwrap();
        assert!(
            ![
                "mod", "util", "utils", "common", "helper", "helpers", "misc", "types"
            ]
            .contains(&name),
            "{path}: the name says nothing"
        );
    }
    let main = std::fs::read_to_string(root().join("crates/sampan/src/main.rs")).unwrap();
    assert!(main.lines().count() <= 120, "main.rs only starts things");
}

#[test]
fn nothing_is_left_for_later() {
    // Assembled here so that this file does not find itself.
    let leftovers = [
        ["TO", "DO"].concat(),
        ["FIX", "ME"].concat(),
        ["unimple", "mented!"].concat(),
        ["#[ig", "nore]"].concat(),
    ];
    for (path, text) in sources() {
        for (number, line) in text.lines().enumerate() {
            for leftover in &leftovers {
                assert!(
                    !line.contains(leftover.as_str()),
                    "{path}:{}: {leftover}",
                    number + 1
                );
            }
        }
    }
}

#[test]
fn unsafe_code_stands_in_the_container_crate_only() {
    let word = ["uns", "afe"].concat();
    for (path, text) in sources() {
        let found = text.lines().any(|line| {
            let code = line.split("//").next().unwrap_or_default();
            code.contains(&format!("{word} {{")) || code.contains(&format!("{word} fn"))
        });
        assert!(
            !found || path.starts_with("crates/sampan-container/"),
            "{path} has {word} code"
        );
    }
}

#[test]
fn every_crate_opens_with_what_it_is() {
    for (path, text) in sources() {
        if path.starts_with("crates/") && path.ends_with("/src/lib.rs") {
            let opening = text
                .lines()
                .take_while(|line| line.starts_with("//!"))
                .count();
            assert!(
                opening >= 3,
                "{path} does not say what the crate owns and what it does not know"
            );
        }
    }
}

#[test]
fn english_and_chinese_readme_show_the_same_commands() {
    let commands = |path: &str| -> Vec<String> {
        let text = std::fs::read_to_string(root().join(path)).unwrap();
        let mut inside = false;
        let mut found = Vec::new();
        for line in text.lines() {
            if line.starts_with("```") {
                inside = !inside;
            } else if inside && (line.starts_with("sampan ") || line.starts_with("make ")) {
                found.push(line.split('#').next().unwrap_or_default().trim().to_owned());
            }
        }
        found
    };
    let english = commands("README.md");
    assert!(!english.is_empty(), "the README shows commands");
    assert_eq!(english, commands("README.zh-CN.md"));
}
