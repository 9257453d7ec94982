//! What must hold for any chart and any assignment: they are read or refused, in bounded memory, and what was read can be
//! rendered or refused as well.

use std::io::Write as _;

use flate2::write::GzEncoder;
use sampan_chart::chart::{Chart, File};
use sampan_chart::compatibility::Compatibility;
use sampan_chart::render::{Options, Shown, render, template_output};
use sampan_chart::values::{Form, Table, assign};

/// Reads bytes as an archive, packed as one, and as each of the files that charts are read from.
///
/// # Panics
/// When a file of a chart has a name that leads out of it.
pub(crate) fn archive(bytes: &[u8]) {
    for helm in [Compatibility::Helm3, Compatibility::Helm4] {
        accepted(Chart::from_archive(bytes, helm).ok(), helm);
        let mut packed = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(bytes).expect("memory can be written");
        let packed = packed.finish().expect("memory can be written");
        accepted(Chart::from_archive(&packed, helm).ok(), helm);
    }
}

/// Reads bytes as each of the files that mean something to a chart, and renders what can be read.
pub(crate) fn file(bytes: &[u8]) {
    const NAMES: [&str; 6] = [
        "Chart.yaml",
        "values.yaml",
        "values.schema.json",
        "requirements.yaml",
        "Chart.lock",
        "templates/a.yaml",
    ];
    for helm in [Compatibility::Helm3, Compatibility::Helm4] {
        for name in NAMES {
            let mut files = vec![
                (
                    "Chart.yaml",
                    &b"apiVersion: v1\nname: a\nversion: 1.0.0\n"[..],
                ),
                ("templates/b.yaml", b"b: {{ .Values | toJson }}\n"),
            ];
            files.retain(|(known, _)| *known != name);
            files.push((name, bytes));
            let files = files.into_iter().map(|(name, data)| File {
                name: name.to_owned(),
                data: data.into(),
            });
            accepted(Chart::from_files(files.collect(), helm).ok(), helm);
        }
    }
}

/// Carries bytes out as an assignment of each form, twice on the same table.
pub(crate) fn assignment(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let read = |path: &str| Ok(path.as_bytes().to_vec());
    for form in [
        Form::Plain,
        Form::Text,
        Form::Json,
        Form::Literal,
        Form::File(&read),
    ] {
        let mut table = Table::new();
        for helm in [Compatibility::Helm3, Compatibility::Helm4] {
            drop(assign(&text, form, helm, &mut table));
        }
    }
}

fn accepted(chart: Option<Chart>, helm: Compatibility) {
    let Some(chart) = chart else { return };
    for file in &chart.raw {
        assert!(
            !file.name.starts_with('/') && !file.name.split('/').any(|part| part == ".."),
            "{}",
            file.name
        );
    }
    if let Ok(rendered) = render(&chart, &Table::new(), &Options::new("fuzz", helm)) {
        drop(template_output(&rendered, &Shown::default(), helm));
    }
}
