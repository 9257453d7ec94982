//! Artifacts: what jobs hand to other jobs of a run.

use std::fs;

use crate::stage::Machine;

#[test]
fn artifacts_are_brought_to_other_jobs() {
    let machine = Machine::new();
    machine.write("out/bin/app", "app");
    machine.write("out/docs/a.md", "a");
    machine.write("out/.hidden", "h");
    machine.write("report.xml", "r");
    let upload = |version: &str, inputs: &[(&str, &str)]| {
        machine.action(&format!("actions/upload-artifact@{version}"), inputs)
    };
    let one = upload("v4", &[("name", "out"), ("path", "out\n!out/docs/*.txt")]);
    assert_eq!(one.log, "The artifact `out` has 2 files.\n");
    let done = one.end.unwrap();
    assert_eq!(done.outputs["artifact-id"], "1");
    assert_eq!(done.outputs["artifact-digest"].len(), 64);
    upload("v4", &[("name", "report"), ("path", "report.xml")])
        .end
        .unwrap();
    upload(
        "v4",
        &[
            ("name", "both"),
            ("path", "out/bin/**\nreport.xml"),
            ("include-hidden-files", "true"),
        ],
    )
    .end
    .unwrap();
    assert_eq!(
        upload("v4", &[("name", "out"), ("path", "report.xml")]).problem(),
        "there is an artifact with the name `out` already -> give each its own name, or `overwrite: true`"
    );
    assert_eq!(
        upload("v4", &[("name", "a/b"), ("path", "report.xml")]).problem(),
        "the parameter `name` of `actions/upload-artifact` must be a name without `\" : < > | * ? \\ /`"
    );
    let missing = upload("v4", &[("path", "none"), ("if-no-files-found", "error")]);
    assert_eq!(
        missing.problem(),
        "there are no files under `none` -> check the paths, which are relative to the source tree"
    );

    let download = |version: &str, inputs: &[(&str, &str)]| {
        fs::remove_dir_all(machine.src()).unwrap();
        let ran = machine.action(&format!("actions/download-artifact@{version}"), inputs);
        assert_eq!(ran.end.unwrap().outputs["download-path"], "/base/src/got");
        machine.files()
    };
    assert_eq!(
        download("v4", &[("name", "out"), ("path", "got")]),
        ["got/bin/app=app", "got/docs/a.md=a"]
    );
    assert_eq!(
        download("v4", &[("name", "report"), ("path", "got")]),
        ["got/report.xml=r"]
    );
    assert_eq!(
        download("v4", &[("path", "got"), ("pattern", "{out,rep*}")]),
        [
            "got/out/bin/app=app",
            "got/out/docs/a.md=a",
            "got/report/report.xml=r"
        ]
    );
    assert_eq!(
        download(
            "v4",
            &[
                ("path", "got"),
                ("merge-multiple", "true"),
                ("pattern", "[br]*")
            ]
        ),
        ["got/out/bin/app=app", "got/report.xml=r"]
    );
    assert_eq!(
        download("v4", &[("path", "got"), ("pattern", "report")]),
        ["got/report/report.xml=r"]
    );
    assert_eq!(
        download("v5", &[("path", "got"), ("pattern", "report")]),
        ["got/report.xml=r"]
    );
    let missing = machine.action("actions/download-artifact@v4", &[("name", "reprot")]);
    assert_eq!(
        missing.problem(),
        "the run has no artifact with the name `reprot` -> did you mean `report`?"
    );
}

#[test]
fn artifacts_that_are_made_at_once_are_all_there() {
    let machine = Machine::new();
    machine.write("a", "1");
    let names: Vec<String> = (0..16)
        .map(|number| format!("artifact-{number:02}"))
        .collect();
    std::thread::scope(|scope| {
        for name in &names {
            let machine = &machine;
            scope.spawn(move || {
                let inputs = [("name", name.as_str()), ("path", "a")];
                machine
                    .action("actions/upload-artifact@v4", &inputs)
                    .end
                    .unwrap();
            });
        }
    });
    fs::remove_dir_all(machine.src()).unwrap();
    machine
        .action("actions/download-artifact@v4", &[])
        .end
        .unwrap();
    let expected: Vec<String> = names.iter().map(|name| format!("{name}/a=1")).collect();
    assert_eq!(machine.files(), expected);
}

#[test]
fn old_artifacts_are_added_to_and_new_ones_replaced() {
    let machine = Machine::new();
    machine.write("a", "1");
    machine.write("b", "2");
    for path in ["a", "b"] {
        machine
            .action("actions/upload-artifact@v3", &[("path", path)])
            .end
            .unwrap();
    }
    let download = || {
        fs::remove_dir_all(machine.src()).unwrap();
        machine
            .action("actions/download-artifact@v3", &[("name", "artifact")])
            .end
            .unwrap();
        machine.files()
    };
    assert_eq!(download(), ["a=1", "b=2"]);
    machine.write("a", "3");
    let inputs = [("path", "a"), ("overwrite", "true")];
    machine
        .action("actions/upload-artifact@v4", &inputs)
        .end
        .unwrap();
    assert_eq!(download(), ["a=3"]);
}
