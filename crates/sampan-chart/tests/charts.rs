//! Charts from folders and archives, and what is refused of them.
#![expect(
    clippy::unwrap_used,
    reason = "in tests, a failed expectation is a panic"
)]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;

use flate2::write::GzEncoder;
use sampan_chart::chart::Chart;
use sampan_chart::compatibility::Compatibility;
use sampan_chart::render::{Options, Shown, render, template_output};
use sampan_chart::values::{Form, Table, Tree, assign};

#[path = "charts/dependencies.rs"]
mod dependencies;
#[path = "charts/lint.rs"]
mod lint;

const HELM3: Compatibility = Compatibility::Helm3;

fn write(folder: &Path, files: &[(&str, &[u8])]) {
    for (path, content) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

fn metadata(name: &str) -> Vec<u8> {
    format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n").into_bytes()
}

/// An archive with these paths, however odd they are.
fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_cksum();
        tar.append(&header, *content).unwrap();
    }
    gzip(&tar.into_inner().unwrap())
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(content).unwrap();
    packed.finish().unwrap()
}

fn refusal(archive: &[u8]) -> String {
    Chart::from_archive(archive, HELM3).unwrap_err().to_string()
}

fn printed(chart: &Chart) -> String {
    let rendered = render(chart, &Table::new(), &Options::new("rel", HELM3)).unwrap();
    let output = template_output(&rendered, &Shown::default(), HELM3).unwrap();
    String::from_utf8(output).unwrap()
}

#[test]
fn a_folder_and_its_archive_are_the_same_chart() {
    let folder = tempfile::tempdir().unwrap();
    let inner = archive(&[
        ("in/Chart.yaml", &metadata("in")),
        ("in/templates/i.yaml", b"i: {{ .Chart.Name }}\n"),
    ]);
    let files: [(&str, &[u8]); 6] = [
        ("Chart.yaml", &metadata("out")),
        ("values.yaml", b"\xef\xbb\xbfa: 1\n"),
        ("templates/a.yaml", b"a: {{ .Values.a }}\n"),
        ("bin", b"\x00\xff"),
        ("charts/in-1.0.0.tgz", &inner),
        ("charts/_left/out", b""),
    ];
    write(folder.path(), &files);
    let from_folder = Chart::load(folder.path(), HELM3).unwrap();
    let mut packed: Vec<(String, &[u8])> = files
        .iter()
        .map(|(path, content)| (format!("out/{path}"), *content))
        .collect();
    packed.sort();
    let packed: Vec<(&str, &[u8])> = packed
        .iter()
        .map(|(path, content)| (path.as_str(), *content))
        .collect();
    let from_archive = Chart::from_archive(&archive(&packed), HELM3).unwrap();
    let expected = "---\n# Source: out/charts/in/templates/i.yaml\ni: in\n---\n# Source: out/templates/a.yaml\na: 1\n";
    assert_eq!(printed(&from_folder), expected);
    assert_eq!(printed(&from_archive), expected);
    assert_eq!(&*from_archive.files[0].data, b"\x00\xff");
}

#[test]
fn links_stay_in_the_chart() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), "s").unwrap();
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        &[("Chart.yaml", &metadata("a")), ("data/x", b"x")],
    );
    symlink("x", folder.path().join("data/y")).unwrap();
    symlink("data", folder.path().join("more")).unwrap();
    let chart = Chart::load(folder.path(), HELM3).unwrap();
    let names: Vec<_> = chart.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["data/x", "data/y", "more/x", "more/y"]);
    assert_eq!(chart.warnings.len(), 3, "{:?}", chart.warnings);

    symlink(outside.path().join("secret"), folder.path().join("out")).unwrap();
    let refused = Chart::load(folder.path(), HELM3).unwrap_err().to_string();
    assert!(refused.contains("leads out of the chart"), "{refused}");
    fs::write(folder.path().join(".helmignore"), "/out\n").unwrap();
    Chart::load(folder.path(), HELM3).unwrap();

    symlink("..", folder.path().join("data/up")).unwrap();
    let refused = Chart::load(folder.path(), HELM3).unwrap_err().to_string();
    assert!(
        refused.contains("leads to a folder that it is in"),
        "{refused}"
    );
}

#[test]
fn archives_stay_in_their_folder() {
    let cases: [(&str, &str); 6] = [
        ("a/../../x", "chart illegally references parent directory"),
        ("a//x", "chart illegally contains absolute paths"),
        (
            "x",
            "chart illegally contains content outside the base directory: \"x\"",
        ),
        ("Chart.yaml/x", "chart yaml not in base directory"),
        ("a/c:/x", "chart contains illegally named files"),
        (
            "a\\..\\..\\x",
            "chart illegally references parent directory",
        ),
    ];
    for (path, expected) in cases {
        assert_eq!(refusal(&archive(&[(path, b"x")])), expected, "{path}");
    }
}

#[test]
fn what_is_too_large_is_refused() {
    let mebibyte = vec![0; 1 << 20];
    let large = vec![0; (5 << 20) + 1];
    let expected = "decompressed chart file \"a/f\" is larger than the maximum file size 5242880";
    assert_eq!(refusal(&archive(&[("a/f", &large)])), expected);
    let names: Vec<String> = (0..25)
        .flat_map(|outer| (0..4).map(move |inner| format!("a/{outer}.{inner}")))
        .collect();
    let many: Vec<(&str, &[u8])> = names
        .iter()
        .map(|name| (name.as_str(), &*mebibyte))
        .collect();
    assert_eq!(
        refusal(&archive(&many)),
        "decompressed chart is larger than the maximum file size 104857600"
    );

    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        &[("Chart.yaml", &metadata("a")), ("f", &large)],
    );
    let refused = Chart::load(folder.path(), HELM3).unwrap_err().to_string();
    assert_eq!(
        refused,
        "chart file \"f\" is larger than the maximum file size 5242880"
    );
}

#[test]
fn archives_in_archives_share_one_allowance() {
    let names: Vec<String> = (0..60).map(|number| format!("a/{number}")).collect();
    let mebibyte = vec![0; 1 << 20];
    let chart = metadata("a");
    let mut files: Vec<(&str, &[u8])> = names
        .iter()
        .map(|name| (name.as_str(), &*mebibyte))
        .collect();
    files.push(("a/Chart.yaml", &chart));
    let inner = archive(&files);
    let names: Vec<String> = (0..5)
        .map(|number| format!("b/charts/{number}.tgz"))
        .collect();
    let mut files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &*inner)).collect();
    files.push(("b/Chart.yaml", &chart));
    let refused = refusal(&archive(&files));
    assert!(
        refused.ends_with("chart with all charts in it is larger than 268435456 bytes"),
        "{refused}"
    );
}

#[test]
fn charts_nest_only_so_deep() {
    let chart = metadata("a");
    let mut packed = archive(&[("a/Chart.yaml", &chart)]);
    for _ in 0..70 {
        packed = archive(&[("a/Chart.yaml", &chart), ("a/charts/a.tgz", &packed)]);
    }
    let refused = refusal(&packed);
    assert!(
        refused.ends_with("chart is nested deeper than 64 levels"),
        "{refused}"
    );
}

#[test]
fn what_is_no_archive_is_named() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        &[
            ("values.yaml", b"a: 1\n"),
            ("x.tgz", b"text"),
            ("y.tgz", b"\x1f\x8b\x08"),
        ],
    );
    let load = |name: &str| {
        Chart::load(&folder.path().join(name), HELM3)
            .unwrap_err()
            .to_string()
    };
    assert!(
        load("values.yaml").ends_with("seems to be a YAML file, but expected a gzipped archive")
    );
    assert!(
        load("x.tgz")
            .ends_with("does not appear to be a gzipped archive; got 'application/octet-stream'")
    );
    assert_eq!(load("y.tgz"), "unexpected EOF");
    assert!(load("none").ends_with("/none: no such file or directory"));
}

#[test]
fn assignments_cannot_fill_the_memory() {
    let mut table = Table::new();
    let run = |text: &str, table: &mut Table| assign(text, Form::Plain, HELM3, table);
    run("a[2].b=", &mut table).unwrap();
    assert_eq!(table["a"], Tree::List(Vec::new()));
    let refused = run("a[65537]=1", &mut table).unwrap_err();
    assert_eq!(
        refused,
        "index of 65537 is greater than maximum supported index of 65536"
    );
    let wide: Vec<String> = (0..40)
        .map(|number| format!("x{number}[65536]=1"))
        .collect();
    assert_eq!(
        run(&wide.join(","), &mut table).unwrap_err(),
        "lists would get more than 1048576 empty items"
    );
    let deep = format!("a{}=1", "[0]".repeat(10_000));
    assert_eq!(
        run(&deep, &mut table).unwrap_err(),
        "lists are nested deeper than 30 levels"
    );
    let names = format!("{}=1", "a.".repeat(40));
    assert!(
        run(&names, &mut Table::new())
            .unwrap_err()
            .ends_with("maximum supported nested level of 30")
    );
}

#[test]
fn schemas_that_never_end_are_refused() {
    for helm in [HELM3, Compatibility::Helm4] {
        for schema in [
            r##"{"$ref":"#"}"##,
            r##"{"allOf":[{"$ref":"#/definitions/a"}],"definitions":{"a":{"$ref":"#"}}}"##,
        ] {
            let folder = tempfile::tempdir().unwrap();
            write(
                folder.path(),
                &[
                    ("Chart.yaml", &metadata("a")),
                    ("values.schema.json", schema.as_bytes()),
                ],
            );
            let chart = Chart::load(folder.path(), helm).unwrap();
            let refused = render(&chart, &Table::new(), &Options::new("rel", helm))
                .unwrap_err()
                .to_string();
            assert!(
                refused.contains("refers to itself without end"),
                "{refused}"
            );
        }
    }
}

#[test]
fn helm4_keeps_the_nulls_of_a_dependency_that_the_user_changes() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        &[
            ("Chart.yaml", &metadata("parent")),
            ("values.yaml", b"part: {inner: {none: ~, a: 1}, top: ~}\n"),
            ("charts/part/Chart.yaml", &metadata("part")),
            (
                "charts/part/templates/x.yaml",
                b"v: {{ .Values | toJson }}\n",
            ),
        ],
    );
    let helm4 = Compatibility::Helm4;
    let chart = Chart::load(folder.path(), helm4).unwrap();
    let rendered = |given: &str| {
        let mut values = Table::new();
        if !given.is_empty() {
            assign(given, Form::Plain, helm4, &mut values).unwrap();
        }
        let rendered = render(&chart, &values, &Options::new("rel", helm4)).unwrap();
        let printed = template_output(&rendered, &Shown::default(), helm4).unwrap();
        String::from_utf8(printed).unwrap()
    };
    let none = rendered("");
    assert!(none.contains(r#"{"global":{},"inner":{"a":1}}"#), "{none}");
    let changed = rendered("part.b=2");
    let expected = r#"{"b":2,"global":{},"inner":{"a":1,"none":null},"top":null}"#;
    assert!(changed.contains(expected), "{changed}");
}

#[test]
fn schemas_without_an_edition_have_the_newest() {
    let folder = tempfile::tempdir().unwrap();
    let schema = br#"{"$schema": "http://json-schema.org/schema#", "properties": {"a": {"type": "integer"}}}"#;
    write(
        folder.path(),
        &[
            ("Chart.yaml", &metadata("plain")),
            ("values.yaml", b"a: 1\n"),
            ("values.schema.json", schema),
        ],
    );
    for compatibility in [HELM3, Compatibility::Helm4] {
        let chart = Chart::load(folder.path(), compatibility).unwrap();
        let options = Options::new("rel", compatibility);
        assert!(render(&chart, &Table::new(), &options).is_ok());
        let mut values = Table::new();
        assign("a=x", Form::Plain, compatibility, &mut values).unwrap();
        let refused = render(&chart, &values, &options).unwrap_err().to_string();
        assert!(refused.contains("nteger"), "{refused}");
    }
}

/// Only a few fields of a document say what it is; the others must be YAML all the same.
#[test]
fn mistakes_anywhere_in_a_document_are_told() {
    let of = |document: &str| {
        let folder = tempfile::tempdir().unwrap();
        let files: [(&str, &[u8]); 2] = [
            ("Chart.yaml", &metadata("c")),
            ("templates/a.yaml", document.as_bytes()),
        ];
        write(folder.path(), &files);
        let chart = Chart::load(folder.path(), HELM3).unwrap();
        render(&chart, &Table::new(), &Options::new("rel", HELM3))
    };
    let refused = [
        ("spec: {a: [.nan]}", "json: unsupported value: NaN"),
        (
            "spec: {? [b] : c}",
            "yaml: invalid map key: []interface {}{\"b\"}",
        ),
        (
            "spec: {~: [.inf, 0x1f, x]}",
            "unsupported map key of type: %!s(<nil>), key: <nil>, value: []interface {}{+Inf, 31, \"x\"}",
        ),
        ("spec: &a [*a]", "yaml: anchor 'a' value contains itself"),
        (
            "spec: {<<: 1}",
            "yaml: map merge requires map or sequence of maps as the value",
        ),
        (
            "spec: !!binary '?'",
            "yaml: !!binary value contains invalid base64 data",
        ),
    ];
    for (document, problem) in refused {
        let error = of(&format!("kind: A\n{document}\n"))
            .unwrap_err()
            .to_string();
        assert!(error.contains(&format!("JSON: {problem}")), "{error}");
    }
    let document =
        "b: &b {annotations: {'helm.sh/hook': post-install}}\nKIND: Job\nMetadata: {<<: *b}\n";
    assert_eq!(of(document).unwrap().hooks[0].kind, "Job");
}
