//! Workflows of GitHub: what they are read as, what they become, and what is said of those that are wrong.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sampan_model::Hint;
use sampan_pipeline::PipelineError;
use sampan_pipeline::build::{Author, Build, Commit, Event, PullRequest, Repository};
use sampan_pipeline::expression::Value;
use sampan_pipeline::github::pattern::{Pattern, Patterns};
use sampan_pipeline::github::plan::{self, Plan, Request, Sources};
use sampan_pipeline::github::{MATRIX_LIMIT, Workflow};
use sampan_pipeline::graph::Graph;

const SERVICE: &str = include_str!("github/service.yml");
const CALLER: &str = include_str!("github/caller.yml");
const PUBLISH: &str = include_str!("github/publish.yml");

/// A source tree with one workflow that can be called.
struct Tree;

impl Sources for Tree {
    fn workflow(&self, reference: &str) -> Option<(String, String)> {
        let file = reference.strip_prefix("./")?;
        (file == ".github/workflows/publish.yml").then(|| (file.to_owned(), PUBLISH.to_owned()))
    }
}

fn push(branch: &str) -> Build {
    Build {
        number: 7,
        event: Event::Push,
        trigger: "ada".to_owned(),
        repository: Repository {
            owner: "octo".to_owned(),
            name: "service".to_owned(),
            default_branch: "main".to_owned(),
            ..Repository::default()
        },
        commit: Commit {
            sha: "0123456789abcdef0123456789abcdef01234567".to_owned(),
            reference: format!("refs/heads/{branch}"),
            branch: branch.to_owned(),
            message: "Change ${{ secrets.TOKEN }}".to_owned(),
            author: Author::default(),
            ..Commit::default()
        },
        ..Build::default()
    }
}

fn compile(text: &str, build: &Build) -> Result<Plan, PipelineError> {
    let workflow = Workflow::parse(".github/workflows/w.yml", text)?;
    let vars = BTreeMap::from([("REGION".to_owned(), "north".to_owned())]);
    plan::compile(
        &workflow,
        &Request {
            build,
            vars: &vars,
            sources: &Tree,
            needs: &BTreeMap::new(),
        },
    )
}

/// What is wrong with a text, line by line, with hints.
fn problems(error: &PipelineError) -> String {
    let mut report = String::new();
    for problem in error.problems() {
        writeln!(report, "{problem}").ok();
        if let Some(hint) = problem.hint() {
            writeln!(report, "    {hint}").ok();
        }
    }
    report
}

#[test]
fn a_push_becomes_a_graph() {
    let plan = compile(SERVICE, &push("main")).expect("the workflow is right");
    insta::assert_yaml_snapshot!(plan.graph);
}

#[test]
fn workflows_call_others() {
    let plan = compile(CALLER, &push("main")).expect("the workflow is right");
    insta::assert_yaml_snapshot!(plan.graph);
    let scope = &plan.calls["publish (beta)"];
    insta::assert_debug_snapshot!(scope);
}

/// The stages of a graph, once the matrix of one is known.
fn ids(text: &str, stage: &str, targets: &str) -> Result<Vec<String>, PipelineError> {
    let workflow = Workflow::parse("w.yml", text)?;
    let targets = Value::object([("targets", Value::text(targets))]);
    let needs = Value::object([("prepare", Value::object([("outputs", targets)]))]);
    let plan = plan::compile(
        &workflow,
        &Request {
            build: &push("main"),
            vars: &BTreeMap::new(),
            sources: &Tree,
            needs: &BTreeMap::from([(stage.to_owned(), needs)]),
        },
    )?;
    let needs = |need: &str| {
        plan.graph
            .stage("publish (beta) / begin")
            .map(|stage| stage.needs.iter().any(|id| id == need))
    };
    assert_ne!(needs("build"), needs("build (a, ubuntu-latest)"));
    Ok(plan
        .graph
        .stages
        .into_iter()
        .map(|stage| stage.id)
        .collect())
}

#[test]
fn a_matrix_of_outputs_is_expanded_later() {
    let before = ids(CALLER, "", "").expect("the workflow is right");
    let after = ids(CALLER, "build", "[\"a\", {\"x\": 1}]").expect("the matrix is right");
    let new: Vec<_> = after.iter().filter(|id| !before.contains(id)).collect();
    assert_eq!(
        new,
        ["build (a, ubuntu-latest)", "build (1, ubuntu-latest)"]
    );
    let gone: Vec<_> = before.iter().filter(|id| !after.contains(id)).collect();
    assert_eq!(gone, ["build"]);
    let many: Vec<usize> = (0..=MATRIX_LIMIT).collect();
    let error = ids(CALLER, "build", &format!("{many:?}")).err();
    assert!(
        matches!(error, Some(PipelineError::MatrixTooLarge { .. })),
        "{error:?}"
    );
    let error = ids(CALLER, "build", "")
        .err()
        .map(|error| error.to_string());
    assert_eq!(
        error, None,
        "what has no value stays as it is, and fails when it is carried out"
    );
}

#[test]
fn calls_of_workflows_with_such_a_matrix_are_expanded_later() {
    let text = CALLER.replace(
        "[stable, beta]",
        "\"${{ fromJSON(needs.prepare.outputs.targets) }}\"",
    );
    let workflow = Workflow::parse("w.yml", &text).expect("the workflow is right");
    let targets = Value::object([("targets", Value::text("[\"stable\"]"))]);
    let known = Value::object([("prepare", Value::object([("outputs", targets)]))]);
    let compile = |needs: &BTreeMap<String, Value>| {
        let request = Request {
            build: &push("main"),
            vars: &BTreeMap::new(),
            sources: &Tree,
            needs,
        };
        let plan = plan::compile(&workflow, &request).expect("the workflow is right");
        let ids: Vec<_> = plan
            .graph
            .stages
            .iter()
            .map(|stage| stage.id.clone())
            .collect();
        ids.join(", ")
    };
    assert_eq!(
        compile(&BTreeMap::new()),
        "prepare, build, publish, announce"
    );
    assert_eq!(
        compile(&BTreeMap::from([("publish".to_owned(), known)])),
        "prepare, build, publish (stable) / begin, publish (stable) / check, publish (stable) / upload, \
         publish (stable), announce"
    );
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let error = Workflow::parse("wrong.yml", include_str!("github/wrong.yml")).err();
    insta::assert_snapshot!(problems(&error.expect("the workflow is wrong")));
}

#[test]
fn more_that_is_wrong() {
    let job = "runs-on: x\n    steps: []";
    let mut report = String::new();
    for text in [
        "",
        "[]",
        "on: push\njobs: {}",
        "on: push\njobs:\n  a:\n    steps: []",
        &format!("on: push\njobs:\n  a:\n    needs: b\n    {job}\n  b:\n    needs: a\n    {job}"),
        &format!("on: push\njobs:\n  a:\n    {job}\n  A:\n    {job}"),
        "on: push\njobs:\n  a:\n    uses: ./x.yml\n    runs-on: x",
        "on: push\njobs:\n  a:\n    uses: ./../x.yml",
        "on: push\njobs:\n  a:\n    uses: ./.github/workflows/none.yml",
        "on: push\njobs:\n  a:\n    uses: ./.github/workflows/publish.yml\n    with: {chanel: x}",
        "on: push\njobs:\n  a:\n    uses: ./.github/workflows/publish.yml\n    with: {channel: x}",
        "on: push\njobs:\n  a:\n    uses: ./.github/workflows/publish.yml\n    with: {channel: x, version: 1}",
        &format!("on: push\njobs:\n  a:\n    strategy: {{matrix: {{x: []}}}}\n    {job}"),
        &format!(
            "on: push\njobs:\n  a:\n    strategy: {{matrix: {{x: [1], exclude: [{{y: 1}}]}}}}\n    {job}"
        ),
        &format!(
            "on: push\njobs:\n  a:\n    strategy: {{matrix: {{x: [1], exclude: [{{x: 1}}]}}}}\n    {job}"
        ),
        "on: push\njobs:\n  a:\n    runs-on: x\n    steps: [{run: a, id: s, background: true}, {wait: t}]",
        "on: push\njobs:\n  a:\n    runs-on: x\n    steps: [{run: a, id: s, background: true}, {cancel: s}]",
        "on: push\njobs:\n  a:\n    runs-on: x\n    services: {s: {image: i}}\n    steps: [{run: a, id: s}]",
    ] {
        writeln!(report, "{text}\n  ->").ok();
        match compile(text, &push("main")) {
            Ok(_) => report.push_str("nothing\n"),
            Err(error) => report.push_str(&problems(&error)),
        }
        report.push('\n');
    }
    insta::assert_snapshot!(report);
}

#[test]
fn large_matrices_are_refused_at_once() {
    let axis = |count: usize| {
        (0..count)
            .map(|n| n.to_string())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let text = |matrix: &str| {
        format!(
            "on: push\njobs:\n  a:\n    runs-on: x\n    strategy:\n      matrix: {matrix}\n    steps: []"
        )
    };
    for (matrix, count) in [
        (format!("{{a: [{}]}}", axis(257)), Some("257")),
        (format!("{{a: [{}]}}", axis(256)), None),
        (format!("{{a: [{0}], b: [{0}]}}", axis(100)), Some("10000")),
        (
            format!(
                "{{a: [{0}], b: [{0}], c: [{0}], d: [{0}], e: [{0}], f: [{0}], g: [{0}], h: [{0}], i: [{0}], j: [{0}]}}",
                axis(100)
            ),
            Some("more than 18446744073709551615"),
        ),
    ] {
        let error = Workflow::parse("w.yml", &text(&matrix)).err();
        let found = match &error {
            Some(PipelineError::MatrixTooLarge { combinations, .. }) => Some(combinations.as_str()),
            None => None,
            Some(other) => panic!("{other}"),
        };
        assert_eq!(found, count);
    }
}

/// For each stage whether it runs, with the reasons.
fn reasons(graph: &Graph) -> String {
    let mut report = String::new();
    for stage in &graph.stages {
        writeln!(report, "{}: {}", stage.id, stage.verdict.runs()).ok();
        for reason in stage.verdict.for_it.iter().chain(&stage.verdict.against) {
            writeln!(report, "    {}", reason.text).ok();
        }
    }
    report
}

#[test]
fn events_decide_what_runs() {
    let text = "on:
  push: {branches: [main, 'release/**'], tags: ['v*'], paths: [src/**, '!src/docs/**']}
  pull_request: {branches: ['main'], paths-ignore: ['**.md']}
  schedule: [{cron: '0 3 * * *'}]
  workflow_dispatch: {inputs: {level: {type: number, required: true}}}
jobs:
  main: {runs-on: x, if: github.ref_name == 'main', steps: []}
  level: {runs-on: x, if: '${{ inputs.level > 2 && vars.region == ''north'' }}', steps: []}
";
    let files = |files: &[&str]| Some(files.iter().map(ToString::to_string).collect());
    let tag = |name: &str| Build {
        event: Event::Tag,
        commit: Commit {
            reference: format!("refs/tags/{name}"),
            ..Commit::default()
        },
        changed_files: files(&["README.md"]),
        ..push("")
    };
    let request = |base: &str, changed: &[&str], action: Option<&str>| Build {
        event: Event::PullRequest,
        action: action.map(str::to_owned),
        pull_request: Some(PullRequest {
            number: 3,
            ..PullRequest::default()
        }),
        source_branch: "topic".to_owned(),
        changed_files: files(changed),
        ..push(base)
    };
    let with = |changed: &[&str], branch: &str| Build {
        changed_files: files(changed),
        ..push(branch)
    };
    let manual = |level: &str| Build {
        event: Event::Manual,
        parameters: BTreeMap::from([("Level".to_owned(), level.to_owned())]),
        ..push("main")
    };
    let mut report = String::new();
    for (name, build) in vec![
        ("push to main, nothing known", push("main")),
        ("push of code", with(&["src/a.rs", "x"], "release/1/2")),
        ("push of documents", with(&["src/docs/a.md"], "main")),
        ("push elsewhere", push("topic")),
        ("tag", tag("v1")),
        ("other tag", tag("1")),
        ("pull request", request("main", &["a.rs"], None)),
        (
            "pull request, documents only",
            request("main", &["a.md", "b/c.md"], Some("opened")),
        ),
        (
            "pull request was labeled",
            request("main", &["a.rs"], Some("labeled")),
        ),
        ("pull request elsewhere", request("topic", &["a.rs"], None)),
        (
            "schedule",
            Build {
                event: Event::Cron,
                cron: Some("0 3 * * *".to_owned()),
                ..push("main")
            },
        ),
        (
            "other schedule",
            Build {
                event: Event::Cron,
                cron: Some("0 4 * * *".to_owned()),
                ..push("main")
            },
        ),
        ("by hand", manual("3")),
        ("by hand, wrong", manual("high")),
        (
            "release",
            Build {
                event: Event::Release,
                ..push("main")
            },
        ),
    ] {
        writeln!(report, "## {name}").ok();
        match compile(text, &build) {
            Ok(plan) => report.push_str(&reasons(&plan.graph)),
            Err(error) => report.push_str(&problems(&error)),
        }
    }
    insta::assert_snapshot!(report);
}

#[test]
fn what_comes_from_outside_becomes_no_expression() {
    let text = "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: echo ${{ github.event.head_commit.message }}\n      - run: echo ${{ github.ref_name }}";
    let plan = compile(text, &push("main")).expect("the workflow is right");
    let graph = serde_json::to_value(&plan.graph).expect("graphs are values");
    let scripts: Vec<_> = (0..2)
        .map(|index| {
            graph
                .pointer(&format!("/stages/0/steps/{index}/action/run/script"))
                .cloned()
        })
        .collect();
    assert_eq!(
        scripts[0]
            .as_ref()
            .and_then(|script| script.get("expression")),
        Some(&"echo ${{ github.event.head_commit.message }}".into()),
        "it stays an expression, whose value is a text"
    );
    assert_eq!(scripts[1], Some("echo main".into()));
}

/// Workflows each of which calls the next one in many variants; the last one calls itself.
struct Mirrors;

impl Sources for Mirrors {
    fn workflow(&self, reference: &str) -> Option<(String, String)> {
        let (does, variants) = match reference {
            "./1.yml" => ("uses: ./2.yml", 200),
            "./2.yml" => ("uses: ./3.yml", 200),
            "./3.yml" => ("{runs-on: x, steps: []}", 200),
            _ => ("uses: ./w.yml", 1),
        };
        let axis: Vec<_> = (0..variants).map(|n| n.to_string()).collect();
        let matrix = format!("strategy: {{matrix: {{x: [{}]}}}}", axis.join(", "));
        let job = match does.strip_prefix('{') {
            Some(rest) => format!("{{{matrix}, {rest}"),
            None => format!("{{{matrix}, {does}}}"),
        };
        let text = format!(
            "on: workflow_call\njobs:\n  a: {job}\n# {}",
            "x".repeat(1 << 20)
        );
        Some((reference.to_owned(), text))
    }
}

#[test]
fn hostile_workflows_are_refused_in_time() {
    let compile = |text: &str| {
        let workflow = Workflow::parse("w.yml", text)?;
        let request = Request {
            build: &push("main"),
            vars: &BTreeMap::new(),
            sources: &Mirrors,
            needs: &BTreeMap::new(),
        };
        plan::compile(&workflow, &request)
    };
    let error = compile("on: push\njobs:\n  a:\n    uses: ./w.yml\n").err();
    assert!(
        matches!(error, Some(PipelineError::InvalidValue { .. })),
        "{error:?}"
    );
    let error = compile("on: push\njobs:\n  a:\n    uses: ./1.yml\n").err();
    assert!(
        matches!(error, Some(PipelineError::TooMany { what: "stages", .. })),
        "{error:?}"
    );
    let axis = (0..256)
        .map(|n| n.to_string())
        .collect::<Vec<_>>()
        .join(", ");
    let variants = |script: &str| {
        format!(
            "on: push\njobs:\n  a:\n    runs-on: x\n    strategy: {{matrix: {{x: [{axis}]}}}}\n    steps:\n      - run: {script}\n"
        )
    };
    let large = variants(&"x".repeat(2 << 20));
    let nines = "9".repeat(1000);
    let grown = variants(&format!(
        "${{{{ format('{}', '{nines}') }}}}",
        "{0}".repeat(5000)
    ));
    for text in [large, grown] {
        let error = compile(&text).err();
        assert!(
            matches!(error, Some(PipelineError::TooMany { .. })),
            "{error:?}"
        );
    }
    let mut jobs = String::new();
    for n in 0..999 {
        let next = n + 1;
        writeln!(jobs, "  j{n}: {{needs: [j{next}], runs-on: x, steps: []}}").ok();
    }
    let chain = format!("on: push\njobs:\n{jobs}  j999: {{runs-on: x, steps: []}}\n");
    let plan = compile(&chain).expect("a long chain is right");
    assert_eq!(plan.graph.stages.len(), 1000);
}

#[test]
fn what_is_likely_not_meant_is_noted() {
    let text = "on:
  create: {tags: ['v*']}
  push:
jobs:
  a:
    runs-on: x
    if: ${{ github.ref == 'x' }} && true
    steps:
      - run: x
        if: ${{ always() }}
      - parallel:
          - {run: y, if: '!${{ failure() }}'}
";
    let plan = compile(text, &push("main")).expect("the workflow is right");
    let notes: Vec<_> = plan
        .graph
        .notes
        .iter()
        .map(|note| {
            let place = note.location.as_ref().map(ToString::to_string);
            format!("{}: {}", place.unwrap_or_default(), note.text)
        })
        .collect();
    insta::assert_snapshot!(notes.join("\n"));
}

#[test]
fn patterns_are_githubs() {
    for (pattern, yes, no) in [
        (
            "feature/*",
            &["feature/a", "feature/"] as &[&str],
            &["feature/a/b", "feature", "a"] as &[&str],
        ),
        (
            "feature/**",
            &["feature/a", "feature/a/b"],
            &["feature", "x/feature/a"],
        ),
        ("**", &["a", "a/b", ""], &[]),
        ("*", &["a", ""], &["a/b"]),
        (
            "**/docs/**",
            &["docs/a", "x/y/docs/a/b"],
            &["docs", "xdocs/a"],
        ),
        (
            "**/README.md",
            &["README.md", "a/b/README.md"],
            &["aREADME.md"],
        ),
        ("**.js", &["a.js", "a/b.js"], &["a.jsx"]),
        ("*.jsx?", &["a.js", "a.jsx"], &["a.jsxx", "b/a.js"]),
        (
            "v[12].[0-9]+.[0-9]+",
            &["v1.10.1", "v2.0.0"],
            &["v3.0.0", "v1.x.0", "v1..0"],
        ),
        ("v2*", &["v2", "v2.0", "v29"], &["v1"]),
        ("docs/*.md", &["docs/a.md"], &["docs/a/b.md"]),
        (
            "docs/**/*.md",
            &["docs/a.md", "docs/x/y/a.md"],
            &["a.md", "docsa.md"],
        ),
        ("a\\*b", &["a*b"], &["axb"]),
        ("a.b", &["a.b"], &["axb"]),
        ("[a-c]+x", &["abcx"], &["x", "dx"]),
        ("*-[x-]", &["a-x", "--"], &["a-y"]),
        ("**-alpha", &["a/b-alpha", "-alpha"], &["a-alphab"]),
        ("日*", &["日本"], &["本"]),
    ] {
        let parsed = Pattern::parse(pattern).expect(pattern);
        for text in yes {
            assert!(parsed.matches(text), "`{pattern}` takes `{text}`");
        }
        for text in no {
            assert!(!parsed.matches(text), "`{pattern}` does not take `{text}`");
        }
    }
    for wrong in ["", "!", "[a", "[]", "?a", "*+", "a\\", "[z-a]"] {
        assert!(Pattern::parse(wrong).is_err(), "{wrong}");
    }
    let patterns = ["releases/**", "!releases/**-alpha", "releases/x-alpha"];
    let patterns = patterns.map(|text| (text.to_owned(), Pattern::parse(text).expect(text)));
    let patterns = Patterns::new(patterns.to_vec());
    assert_eq!(patterns.choosing("releases/1"), Some("releases/**"));
    assert_eq!(patterns.choosing("releases/1-alpha"), None);
    assert_eq!(
        patterns.choosing("releases/x-alpha"),
        Some("releases/x-alpha")
    );
    // Stars behind stars do not multiply the work.
    let stars = Pattern::parse(&"*a".repeat(500)).expect("a pattern");
    assert!(!stars.matches(&"a".repeat(400)));
}
