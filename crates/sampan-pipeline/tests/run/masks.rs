//! Secrets are seen nowhere, whatever way steps take to tell them.

use sampan_pipeline::plan::End;

use crate::github::{run, run_with};
use crate::site::{Ran, Site};

const SECRET: &str = "s3cret-token";

fn site() -> Site {
    let mut site = Site::new();
    site.secrets.insert("TOKEN".to_owned(), SECRET.to_owned());
    site
}

/// What a run told and keeps, but for the files of its steps.
fn all(site: &Site, ran: &Ran) -> String {
    let state = std::fs::read_to_string(site.run_folder().join("state.json")).unwrap();
    let (outcome, said) = (&ran.outcome, &ran.said);
    format!("{state}\n{:#?}\n{outcome:#?}\n{said:#?}", ran.events)
}

#[test]
fn what_steps_tell_beside_their_logs_is_masked() {
    let mut site = site();
    let ran = run(
        &mut site,
        r#"
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    outputs:
      closed: ${{ steps.set.outputs.closed }}
      hidden: ${{ steps.set.outputs.hidden }}
      open: ${{ steps.set.outputs.open }}
    steps:
      - id: set
        env: {TOKEN: '${{ secrets.TOKEN }}'}
        run: |
          echo "closed=x-$TOKEN" >> $GITHUB_OUTPUT
          echo "hidden=hidden-thing" >> $GITHUB_OUTPUT
          echo "open=plain" >> $GITHUB_OUTPUT
          echo "::add-mask::hidden""-thing"
          echo "::error title=t $TOKEN,file=$TOKEN.rs::bad $TOKEN hidden-thing"
          echo "::group::title $TOKEN"
          echo "::endgroup::"
      - id: wrong
        env: {TOKEN: '${{ secrets.TOKEN }}'}
        run: echo "no command $TOKEN" >> $GITHUB_ENV
  use:
    needs: build
    if: always()
    runs-on: ubuntu-latest
    steps:
      - run: echo "[${{ needs.build.outputs.closed }}${{ needs.build.outputs.hidden }}] ${{ needs.build.outputs.open }}"
"#,
    );
    assert_eq!(ran.outcome.end, Some(End::Failure(None)));
    let all = all(&site, &ran);
    assert!(!all.contains(SECRET), "{all}");
    let annotations: Vec<_> = ran.outcome.annotations.iter().collect();
    assert_eq!(annotations[0].2.message, "bad *** ***");
    assert_eq!(annotations[0].2.title.as_deref(), Some("t ***"));
    assert_eq!(annotations[0].2.file.as_deref(), Some("***.rs"));
    assert_eq!(
        annotations[1].2.message,
        "the output `closed` is not passed on, since it contains a secret"
    );
    let step = ran.outcome.stage("build").unwrap().step("wrong").unwrap();
    let reason = step.reason.as_deref().unwrap();
    assert!(reason.contains("no command ***"), "{reason}");
    assert!(ran.said("use", "step-1").ends_with("\n[] plain\n"));
    assert_eq!(
        ran.outcome.hide("in a file: s3cret-token hidden-thing"),
        "in a file: *** ***"
    );
    site.check_nothing_left();
}

#[test]
fn masks_that_steps_add_take_none_away() {
    let mut site = site();
    let called = "on: workflow_call\njobs:\n  inner:\n    runs-on: ubuntu-latest\n    steps:\n    \
                  - run: |\n        echo '::add-mask::other-thing'\n        echo s3cret-token other-thing\n";
    let ran = run_with(
        &mut site,
        "on: push\njobs:\n  call:\n    uses: ./.github/workflows/called.yml\n",
        vec![("./.github/workflows/called.yml", called)],
        &mut |_| {},
    )
    .unwrap();
    assert_eq!(ran.outcome.end, Some(End::Success), "{:#?}", ran.events);
    assert!(ran.said("call / inner", "step-1").ends_with("\n*** ***\n"));
    site.check_nothing_left();
}

#[test]
fn who_masks_without_end_is_not_shown() {
    let mut site = Site::new();
    let ran = run(
        &mut site,
        r#"
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: |
          i=0; while [ $i -lt 5000 ]; do echo "::add-mask::text-$i-"; i=$((i+1)); done
          echo text-1- text-4999-
      - if: always()
        run: echo text-1-
"#,
    );
    assert_eq!(
        ran.outcome.end,
        Some(End::Failure(None)),
        "{:#?}",
        ran.events
    );
    let said = ran.said("build", "step-1");
    assert!(
        said.ends_with(
            "is not shown\nmore texts are to be masked than can be; what follows is not shown\n"
        ),
        "{said}"
    );
    assert!(ran.said("build", "step-2").ends_with("\n***\n"));
    site.check_nothing_left();
}

#[test]
fn scripts_do_not_lie_beside_later_steps() {
    let mut site = site();
    let ran = run(
        &mut site,
        r"
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: test '${{ secrets.TOKEN }}' = x
        continue-on-error: true
      - run: grep -r 's3cre[t]' /github/runner/files || echo nothing
",
    );
    assert_eq!(ran.outcome.end, Some(End::Success), "{:#?}", ran.events);
    let said = ran.said("build", "step-2");
    assert!(said.ends_with("\nnothing\n"), "{said}");
    site.check_nothing_left();
}

#[test]
fn annotations_without_end_are_not_kept() {
    let mut site = Site::new();
    let ran = run(
        &mut site,
        r#"
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: i=0; while [ $i -lt 1500 ]; do echo "::notice::$i"; i=$((i+1)); done
"#,
    );
    assert_eq!(ran.outcome.end, Some(End::Success), "{:#?}", ran.events);
    assert_eq!(ran.outcome.annotations.len(), 1_000);
    site.check_nothing_left();
}
