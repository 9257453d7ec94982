//! `action.yml`: the three kinds of actions, and what is said of those that are wrong.

use std::fmt::Write as _;

use sampan_model::Hint;
use sampan_pipeline::github::action::{Action, Runs};
use sampan_pipeline::github::{Uses, plan};

const COMPOSITE: &str = "name: Set up
description: Puts tools in place
author: someone
branding: {icon: tool, color: blue}
inputs:
  version: {description: Which one, required: true}
  cache: {default: '${{ github.ref_name }}', deprecationMessage: Use something else}
outputs:
  path: {description: Where, value: '${{ steps.find.outputs.path }}'}
runs:
  using: composite
  steps:
    - id: find
      run: find ${{ inputs.version }}
      shell: bash
      working-directory: ${{ github.action_path }}
    - uses: ./other
      if: steps.find.outputs.path == ''
      continue-on-error: true
      with: {path: '${{ steps.find.outputs.path }}'}
      env: {A: b}
";

#[test]
fn composite_actions_become_steps() {
    let action = Action::parse("action.yml", COMPOSITE).expect("the action is right");
    assert!(action.input("VERSION").is_some_and(|input| input.required));
    insta::assert_yaml_snapshot!(plan::composite(&action).expect("the steps are right"));
}

#[test]
fn other_actions_are_described() {
    let container = "name: c
runs:
  using: docker
  image: Dockerfile
  args: ['${{ inputs.a }}', --fixed]
  env: {A: '${{ inputs.a }}'}
  entrypoint: /run.sh
  post-entrypoint: /clean.sh
  post-if: success()
inputs: {a: {}}
";
    let node = "name: n\nruns: {using: node20, main: dist/index.js, post: dist/post.js, post-if: always()}\n";
    for text in [container, node] {
        let action = Action::parse("action.yml", text).expect("the action is right");
        assert!(!matches!(action.runs, Runs::Composite { .. }));
        insta::assert_debug_snapshot!(action);
    }
}

#[test]
fn what_is_wrong_is_named() {
    let mut report = String::new();
    for text in [
        "name: x",
        "runs: {using: python}",
        "runs: {using: composite, steps: [{run: x}]}",
        "runs: {using: composite, steps: [{run: '${{ secrets.A }}', shell: bash}]}",
        "runs: {using: docker, image: x, args: ['${{ github.sha }}']}",
        "runs: {using: node20}",
        "runs: {using: node20, main: x, steps: []}",
        "inputs: {a: {required: perhaps}}\nruns: {using: node20, main: x}",
    ] {
        let error = Action::parse("action.yml", text).err();
        let error = error.expect("the action is wrong");
        writeln!(report, "{text}\n    {error}").ok();
        if let Some(hint) = error.hint() {
            writeln!(report, "    ({hint})").ok();
        }
    }
    insta::assert_snapshot!(report);
}

#[test]
fn references_to_actions_are_read() {
    for (text, right) in [
        ("actions/checkout@v4", true),
        ("a/b/c/d@main", true),
        ("a/b@refs/heads/x", true),
        ("./.github/actions/x", true),
        ("$/.github/actions/x", true),
        ("docker://alpine:3", true),
        ("docker://", false),
        ("a/b", false),
        ("a@v1", false),
        ("a/b@", false),
        ("./../x", false),
        ("a/b/../c@v1", false),
        ("../x", false),
    ] {
        let uses = Uses::parse(text);
        assert_eq!(uses.is_ok(), right, "{text}");
        if let Ok(uses) = uses {
            assert_eq!(uses.to_string(), text);
        }
    }
}
