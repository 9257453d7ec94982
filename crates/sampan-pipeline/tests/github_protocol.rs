//! What a step and its runner say to each other.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use sampan_model::Hint;
use sampan_pipeline::build::Build;
use sampan_pipeline::expression::{Expression, Runtime, Scope, StatusFunctions, Value};
use sampan_pipeline::github::action::Action;
use sampan_pipeline::github::command::{Command, Commands, LIMIT_LINE_BYTES, Said};
use sampan_pipeline::github::context::{
    self, Conclusion, Contexts, JobResult, Progress, StepResult,
};
use sampan_pipeline::github::shell::Invocation;
use sampan_pipeline::github::{environment, event, file_command};

#[path = "../../../fuzz/github.rs"]
mod fuzz;

/// What an output means, line by line.
fn said(output: &str, unsecure: bool) -> String {
    let mut report = String::new();
    let mut commands = Commands::new(unsecure);
    let mut note = |said: Said<'_>| {
        match said {
            Said::Text(text) => writeln!(report, "  text {:?}", String::from_utf8_lossy(text)),
            Said::Command(Command::Refused(error)) => match error.hint() {
                _ if !error.fails_step() => writeln!(report, "  warned: {error}"),
                Some(hint) => writeln!(report, "  refused: {error} ({hint})"),
                None => writeln!(report, "  refused: {error}"),
            },
            Said::Command(command) => writeln!(report, "  {command:?}"),
        }
        .ok();
    };
    commands.push(output.as_bytes(), &mut note);
    commands.finish(&mut note);
    report
}

#[test]
fn commands_are_told_from_text() {
    let mut report = String::new();
    for (output, unsecure) in [
        (
            "plain\n::set-output name=a b::x%0Ay%25\r\n  ::SET-OUTPUT name=c::\n",
            false,
        ),
        (
            "::unknown::x\n::group\n: :group::x\ntext ::group::x\n::\n",
            false,
        ),
        (
            "::group::Build\n::endgroup::\n##[group]Old\nbefore ##[endgroup]\n##[section]x",
            false,
        ),
        (
            "::error file=a.rs,line=3,endLine=5,col=2,title=No%3A%2C::bad\n",
            false,
        ),
        (
            "::warning file=a.rs,line=3,col=2,endColumn=9::w\n::notice::n\n::error col=4::no line",
            false,
        ),
        (
            "::error line=5,endLine=3::back\n::error endLine=4::end\n::error line=x, col=1::odd\n",
            false,
        ),
        ("##[error file=a%5D;line=2]bad%3B\n", false),
        ("::add-mask::secret\n::add-mask:: \n::debug::d\n", false),
        (
            "::echo::on\n::set-output name=a::b\n::add-mask::m\n::error::e\n::echo::off\n::save-state name=s::t\n::echo::maybe\n",
            false,
        ),
        (
            "::stop-commands::tok\n::error::x\n::set-output name=a::b\n::TOK::\n::error::y\n",
            false,
        ),
        (
            "::stop-commands::\n::stop-commands::error\n::stop-commands::pause-logging\n",
            false,
        ),
        ("::set-env name=A::b\n::add-path::/x\n", false),
        (
            "::set-env name=A::b\n::add-path::/x\n::set-env::b\n::add-path::\n",
            true,
        ),
        (
            "::set-output::b\n::set-output name==x=y::b\n::add-matcher::.github/m.json\n",
            false,
        ),
        (
            "::remove-matcher owner=eslint::\n::remove-matcher::\n::remove-matcher owner=a::b\n",
            false,
        ),
    ] {
        writeln!(report, "{output:?}").ok();
        report.push_str(&said(output, unsecure));
    }
    insta::assert_snapshot!(report);
}

#[test]
fn long_lines_are_text_and_bytes_may_be_any() {
    let mut output = b"::set-output name=a::".to_vec();
    output.resize(LIMIT_LINE_BYTES + 10, b'x');
    output.extend(b"\n::group::\xff\xfe\n\xff");
    let mut texts = 0;
    let mut found = Vec::new();
    let mut commands = Commands::new(false);
    let mut note = |said: Said<'_>| match said {
        Said::Text(text) => texts += text.len(),
        Said::Command(command) => found.push(command),
    };
    for piece in output.chunks(1000) {
        commands.push(piece, &mut note);
    }
    commands.finish(&mut note);
    assert_eq!(texts, LIMIT_LINE_BYTES + 10 + 2);
    assert_eq!(found, [Command::Group("\u{fffd}\u{fffd}".to_owned())]);
}

#[test]
fn what_cannot_be_a_command_is_passed_on_at_once() {
    let mut commands = Commands::new(false);
    let mut found = Vec::new();
    let pieces: [&[u8]; 11] = [
        b".",
        b".",
        b" ##",
        b"[group]a\n",
        b" :",
        b":debug::b\n",
        b"x",
        b"::debug::c\n",
        b"#",
        b"#d",
        "\u{5e9f}".as_bytes(),
    ];
    for piece in pieces {
        commands.push(piece, &mut |said| match said {
            Said::Text(bytes) => found.push(String::from_utf8_lossy(bytes).into_owned()),
            Said::Command(command) => found.push(format!("{command:?}")),
        });
        found.push("|".to_owned());
    }
    assert_eq!(
        found.concat(),
        ".|.| |\nGroup(\"a\")||Debug(\"b\")|x|::debug::c\n||##d|\u{5e9f}|"
    );
}

#[test]
fn files_give_values() {
    let mut report = String::new();
    for text in [
        "",
        "a=1\nb=\n\nc==x=y\n",
        "a=1\r\nb=<<EOF\n",
        "a<<EOF\none\n\ntwo\nEOF\nb=2",
        "a<<EOF\nEOF\nb<<E O\n=\nE O",
        "a<<==\nx\n==\n",
        "\u{feff}a=1",
        "just text\n",
        "a=1\n<<EOF\nx\nEOF\n",
        "a<<\nx\n",
        "a<<EOF\nx\n",
        "a<<EOF\nx EOF",
        "NODE_OPTIONS=--require x\n",
    ] {
        writeln!(report, "{text:?}").ok();
        match file_command::environment(text) {
            Ok(variables) => writeln!(report, "    {variables:?}").ok(),
            Err(error) => {
                let hint = error
                    .hint()
                    .map_or(String::new(), |hint| format!(" ({hint})"));
                writeln!(report, "    {error}{hint}").ok()
            }
        };
    }
    insta::assert_snapshot!(report);
    assert_eq!(
        file_command::paths("/a\r\n\n/b c\n/d"),
        ["/a", "/b c", "/d"]
    );
    assert_eq!(file_command::summary(""), Ok(None));
    assert_eq!(file_command::summary("# x"), Ok(Some("# x")));
    let long = "x".repeat(file_command::LIMIT_SUMMARY_BYTES + 1);
    assert!(file_command::summary(&long).is_err());
}

#[test]
fn shells_run_scripts() {
    let line = |shell: Option<&str>| {
        Invocation::of(shell).map_or_else(
            |error| format!("{error} ({})", error.hint().unwrap_or_default()),
            |invocation| {
                let otherwise = invocation.otherwise.as_deref().unwrap_or("-");
                let program = &invocation.program;
                let extension = invocation.extension;
                format!(
                    "{program} | {otherwise} | {extension} | {:?}",
                    invocation.arguments("/t/s")
                )
            },
        )
    };
    let shells = [
        None,
        Some(""),
        Some("bash"),
        Some("SH"),
        Some("python"),
        Some("bash -l {0}"),
        Some("perl {0}"),
        Some("docker run -i 'my image' sh -c \"cat {0} {{x}}\""),
        Some("pwsh"),
        Some("cmd"),
        Some("perl"),
        Some("zsh -c 'x"),
    ];
    let report: Vec<_> = shells
        .into_iter()
        .map(|shell| format!("{shell:?}: {}", line(shell)))
        .collect();
    insta::assert_snapshot!(report.join("\n"));
}

fn ask(contexts: &Contexts<'_>, text: &str) -> String {
    let scope = Scope {
        contexts: &[
            "github", "needs", "steps", "job", "env", "secrets", "runner",
        ],
        status: StatusFunctions::OfJob,
        hash_files: true,
    };
    let expression = Expression::parse(text, &scope).expect(text);
    match expression.evaluate(contexts) {
        Ok(value) => value.to_text().to_string(),
        Err(error) => format!("error: {error}"),
    }
}

fn outputs(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn contexts_show_how_it_went() {
    let job = |id: &str, result, entries: &[(&str, &str)]| JobResult {
        id: id.to_owned(),
        result,
        outputs: outputs(entries),
    };
    let needs = context::needs(&[
        job("build", Conclusion::Success, &[("a", "1"), ("b", "x")]),
        job("build", Conclusion::Failure, &[("a", "2"), ("b", "")]),
        job("lint", Conclusion::Skipped, &[]),
    ]);
    let steps = context::steps(&[StepResult {
        id: "test".to_owned(),
        outcome: Conclusion::Failure,
        conclusion: Conclusion::Success,
        outputs: outputs(&[("n", "7")]),
    }]);
    let contexts = Contexts::new([
        ("needs", needs),
        ("steps", steps),
        ("env", context::env(&outputs(&[("A", "1"), ("a", "2")]))),
        ("secrets", context::secrets(&outputs(&[("TOKEN", "t")]))),
        (
            "job",
            context::job(Conclusion::Success, Some("c1"), "n1", &[]),
        ),
    ]);
    for (text, expected) in [
        ("needs.build.result", "failure"),
        ("needs.build.outputs.a", "2"),
        ("needs.build.outputs.b", "x"),
        ("join(needs.*.result)", "failure,skipped"),
        ("steps.test.outcome", "failure"),
        ("steps.test.conclusion", "success"),
        ("format('{0}{1}{2}', env.A, env.a, env.b)", "12"),
        ("secrets.token", "t"),
        ("job.container.network", "n1"),
        ("success()", "error: `success()` has no answer here"),
        ("hashFiles('x')", "error: `hashFiles` failed"),
    ] {
        assert_eq!(ask(&contexts, text), expected, "{text}");
    }
    assert!(
        !format!("{contexts:?}").contains("\"t\""),
        "secrets are not shown"
    );
}

#[test]
fn status_functions_ask_what_went_before() {
    use Conclusion::{Cancelled, Failure, Skipped, Success};
    let progress = |build, before, cancelled| Progress::OfJobs {
        needs: vec![
            ("build".to_owned(), build),
            ("lint".to_owned(), Conclusion::Success),
        ],
        before: vec![before],
        cancelled,
    };
    let contexts = Contexts::new([]);
    for (progress, answers) in [
        (Progress::OfSteps(Success), "true false false true"),
        (Progress::OfSteps(Failure), "false true false true"),
        (Progress::OfSteps(Cancelled), "false false true true"),
        (progress(Success, Success, false), "true false false true"),
        (progress(Failure, Success, false), "false true false true"),
        (progress(Skipped, Failure, false), "false true false true"),
        (progress(Success, Success, true), "false false true true"),
    ] {
        let contexts = contexts.clone().with_progress(progress.clone());
        let found = ["success()", "failure()", "cancelled()", "always()"]
            .map(|text| ask(&contexts, text))
            .join(" ");
        assert_eq!(found, answers, "{progress:?}");
    }
    let contexts = contexts.with_progress(progress(Failure, Failure, false));
    assert_eq!(ask(&contexts, "success('lint')"), "true");
    assert_eq!(ask(&contexts, "failure('LINT')"), "false");
    assert_eq!(ask(&contexts, "failure('build')"), "true");
}

#[test]
fn every_step_has_its_variables() {
    let build = Build {
        number: 12,
        trigger: "ada".to_owned(),
        ..Build::default()
    };
    let running = event::Running {
        name: "ci",
        file: ".github/workflows/ci.yml",
    };
    let mut github = event::github(&build, running);
    github.insert("token", Value::text("secret"));
    github.insert("workspace", Value::text("/w"));
    let runner = context::runner(&context::Runner {
        name: "here".to_owned(),
        arch: "amd64".to_owned(),
        temp: "/tmp/r".to_owned(),
        tool_cache: "/tools".to_owned(),
        debug: true,
    });
    let variables = environment::defaults(&github, &runner);
    assert!(
        !variables.contains_key("GITHUB_TOKEN"),
        "the token is for those who name it"
    );
    assert!(!variables.contains_key("GITHUB_EVENT"));
    insta::assert_yaml_snapshot!(variables);
}

#[test]
fn actions_get_their_inputs() {
    let action = Action::parse(
        "action.yml",
        "inputs: {Who To: {default: '${{ github.actor }}'}, plain: {}, given: {default: x}}\nruns: {using: node20, main: x}",
    )
    .expect("the action is right");
    let contexts = Contexts::new([("github", Value::object([("actor", Value::text("ada"))]))]);
    let given = outputs(&[("GIVEN", "y"), ("extra", "z")]);
    let inputs = environment::inputs(&action, &given, &contexts).expect("defaults have values");
    assert_eq!(
        inputs,
        outputs(&[
            ("Who To", "ada"),
            ("plain", ""),
            ("given", "y"),
            ("extra", "z")
        ])
    );
    let variables = environment::input_variables(&inputs);
    assert_eq!(
        variables.get("INPUT_WHO_TO").map(String::as_str),
        Some("ada")
    );
    assert_eq!(variables.len(), 4);
    let names: Arc<[&str]> = Arc::from(["x"]);
    assert!(contexts.context(names[0]).is_none());
}

#[test]
fn anything_is_read_or_refused() {
    let seeds: [&[u8]; 5] = [
        b"::set-output name=a::b%0A\n##[error file=x;line=1]m\n::stop-commands::t\n::t::\n",
        b"a=1\nb<<EOF\nx\nEOF\n::add-mask::y\n",
        include_bytes!("github/service.yml"),
        include_bytes!("github/caller.yml"),
        b"on: push\njobs:\n  a:\n    uses: ./w.yml\n",
    ];
    let mut state: u64 = 0x2545_f491_4f6c_dd1d;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap_or(0) % below.max(1)
    };
    for round in 0..400 {
        let mut bytes = seeds[round % seeds.len()].to_vec();
        for _ in 0..random(8) {
            let at = random(bytes.len());
            match random(4) {
                0 => drop(bytes.remove(at)),
                1 => bytes.insert(at, b":\n=<'${}[]#-&* \xff"[random(16)]),
                2 => bytes[at] = b":\n=<'${}[]#-&* %"[random(16)],
                _ => {
                    let from = random(bytes.len());
                    let part = bytes[from..(from + 40).min(bytes.len())].to_vec();
                    bytes.splice(at..at, part);
                }
            }
        }
        fuzz::output(&bytes);
        fuzz::workflow(&bytes);
        fuzz::options(&String::from_utf8_lossy(&bytes));
    }
}
