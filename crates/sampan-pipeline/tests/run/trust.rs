//! What only the run can tell needs the same rights as what the file says.

use sampan_pipeline::images::ImagePattern;
use sampan_pipeline::plan::End;
use sampan_pipeline::run::RunError;
use sampan_pipeline::secrets::{Rule, Secret};
use sampan_pipeline::trust::{Right, Trust};

use crate::github::run_with;
use crate::site::Site;

const CALLER: &str = "
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    outputs: {options: '${{ steps.o.outputs.options }}', rows: '${{ steps.o.outputs.rows }}'}
    steps:
      - id: o
        run: |
          echo 'options=--privileged' >> $GITHUB_OUTPUT
          echo 'rows={\"n\": [1]}' >> $GITHUB_OUTPUT
  options:
    needs: a
    runs-on: ubuntu-latest
    container: {image: busybox, options: '${{ needs.a.outputs.options }}'}
    steps: [{run: echo reached}]
  service:
    needs: a
    runs-on: ubuntu-latest
    services: {db: {image: busybox, options: '${{ needs.a.outputs.options }}'}}
    steps: [{run: echo beside}]
  call:
    needs: a
    strategy: {matrix: '${{ fromJSON(needs.a.outputs.rows) }}'}
    uses: ./.github/workflows/b.yml
";

const CALLED: &str = "
on: workflow_call
jobs:
  inner:
    runs-on: ubuntu-latest
    container: {image: busybox, volumes: ['/:/host']}
    steps: [{run: echo reached}]
";

#[test]
fn what_a_run_makes_known_needs_rights_too() {
    let mut site = Site::new();
    site.trust = Trust::default();
    let called = vec![("./.github/workflows/b.yml", CALLED)];
    let ran = run_with(&mut site, CALLER, called, &mut |_| {}).unwrap();
    assert_eq!(
        ran.outcome.end,
        Some(End::Failure(None)),
        "{:#?}",
        ran.events
    );
    assert!(
        ran.said.values().all(|said| !said.contains("reached")),
        "{:#?}",
        ran.said
    );
    let all = ran.events.join("\n");
    for expected in [
        "the container of `options` asks for `privileged`, which only trusted projects may",
        "asks for the folder `/` of the machine, which only trusted projects may",
    ] {
        assert!(all.contains(expected), "{all}");
    }
    let said = ran.said("service", "db");
    assert!(
        said.contains("the container of `db` asks for `privileged`"),
        "{said}"
    );
    site.check_nothing_left();
}

#[test]
fn a_run_begins_with_its_rights_only() {
    let mut site = Site::new();
    let text = "pipeline:\n  a: {image: busybox, privileged: true, commands: [echo reached]}\n";
    site.trust = [Right::Volumes, Right::Network].into_iter().collect();
    let Err(RunError::Planning(missing)) = site.try_run(".drone.yml", text) else {
        panic!("it has begun");
    };
    let said: Vec<_> = missing.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [".drone.yml:2:3: the step `a` asks for `privileged`, which only trusted projects may"]
    );
    site.trust = Trust::FULL;
    assert_eq!(site.run(".drone.yml", text).outcome.end, Some(End::Success));
    site.check_nothing_left();
}

const HANDING: &str = "
on: push
jobs:
  call:
    uses: ./.github/workflows/b.yml
    secrets: {renamed: '${{ secrets.MINE }}'}
  all:
    uses: ./.github/workflows/b.yml
    secrets: inherit
";

const HANDED: &str = "
on: {workflow_call: {secrets: {renamed: {required: false}}}}
jobs:
  inner:
    runs-on: ubuntu-latest
    env: {A: '${{ secrets.renamed }}', B: '${{ secrets.MINE }}'}
    steps:
      - env: {C: '${{ secrets.renamed }}', D: '${{ secrets.MINE }}'}
        run: echo \"A ${A:-nothing} B ${B:-nothing} C ${C:-nothing} D ${D:-nothing}\"
";

#[test]
fn called_workflows_have_no_other_secrets_than_they_were_handed() {
    let mut site = Site::new();
    site.secrets.insert("MINE".to_owned(), "s3cret".to_owned());
    let called = vec![("./.github/workflows/b.yml", HANDED)];
    let ran = run_with(&mut site, HANDING, called, &mut |_| {}).unwrap();
    let said = |stage: &str| ran.said(stage, "step-1").lines().last().unwrap();
    assert_eq!(said("call / inner"), "A *** B nothing C *** D nothing");
    assert_eq!(said("all / inner"), "A nothing B *** C nothing D ***");
    site.check_nothing_left();
}

#[test]
fn secrets_of_plugins_are_in_no_context_of_others() {
    let mut site = Site::new();
    site.secrets.insert("MINE".to_owned(), "s3cret".to_owned());
    site.kept.push(Secret {
        name: "GUARDED".to_owned(),
        value: "of-plugins".into(),
        rule: Rule {
            images: vec![ImagePattern::parse("plugins/*").unwrap()],
            ..Rule::for_this_run()
        },
    });
    let text = "
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    env: {ALL: \"${{ contains(toJSON(secrets), 'GUARDED') }}\"}
    steps:
      - run: |
          echo \"$ALL ${{ contains(toJSON(secrets), 'of-plugins') }} ${{ contains(toJSON(secrets), 'MINE') }} [${{ secrets.GUARDED }}]\"
";
    let ran = run_with(&mut site, text, Vec::new(), &mut |_| {}).unwrap();
    assert_eq!(ran.outcome.end, Some(End::Success), "{:#?}", ran.events);
    let said = ran.said("a", "step-1").lines().last().unwrap();
    assert_eq!(said, "false false true []");
    site.check_nothing_left();
}

#[test]
fn actions_lie_in_the_workspace_with_all_that_they_name() {
    let mut site = Site::new();
    let outside = site.root().join("etc/passwd").display().to_string();
    for (name, image) in [
        ("far", outside.as_str()),
        ("up", "../../../../../../../../etc/passwd"),
        ("link", "link"),
        ("well", "Dockerfile"),
    ] {
        let text = format!("name: a\nruns: {{using: docker, image: '{image}'}}\n");
        site.write(&format!("{name}/action.yml"), &text);
    }
    site.write("well/Dockerfile", "FROM busybox\n");
    let tried = |site: &mut Site, uses: &str| {
        let text = format!(
            "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n      \
             - run: ln -s {outside} link/link\n      - uses: {uses}\n"
        );
        let ran = run_with(site, &text, Vec::new(), &mut |_| {}).unwrap();
        ran.outcome.stages[0].steps[2].reason.clone().unwrap()
    };
    for uses in ["./far", "./up", "./link"] {
        let reason = tried(&mut site, uses);
        assert!(
            reason.contains("there is no Dockerfile"),
            "{uses}: {reason}"
        );
    }
    assert_eq!(
        tried(&mut site, "./well"),
        "nothing is built here from `FROM busybox`"
    );
    let machine = site.tree().join("well").display().to_string();
    let reason = tried(&mut site, &format!("$/{machine}"));
    assert!(reason.starts_with("the action `$/"), "{reason}");
    site.check_nothing_left();
}
