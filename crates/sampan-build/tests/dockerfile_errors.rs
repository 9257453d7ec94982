//! What people read when a Dockerfile is wrong: the place, the cause and a hint.
#![expect(
    clippy::unwrap_used,
    reason = "in tests, a failed expectation is a panic"
)]

use std::error::Error;
use std::fmt::Write as _;

use sampan_build::dockerfile::Dockerfile;
use sampan_model::Hint;

fn complaint(text: &str) -> String {
    let error = Dockerfile::parse(text).unwrap_err();
    let mut complaint = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        write!(complaint, "\n  {cause}").unwrap();
        source = cause.source();
    }
    if let Some(hint) = error.hint() {
        write!(complaint, "\n  hint: {hint}").unwrap();
    }
    complaint
}

#[test]
fn complaints_name_the_place_the_cause_and_a_way_out() {
    let cases = [
        "FROM debian\nRNU apt-get update",
        "FROM debian\nCOPPY a b",
        "FROM debian\nXYZZY a b",
        "RUN true",
        "ARG A=1",
        "",
        "# only a comment",
        "FROM a b c",
        "FROM debian AS 1st",
        "FROM debian\nCOPY app",
        "FROM debian\nCOPY --chwon=1 a b",
        "FROM debian\nCOPY --chown a b",
        "FROM debian\nCOPY --from=a --from=b a b",
        "FROM debian\nENV NAME",
        "FROM debian\nENV A=1 B",
        "FROM debian\nRUN <<EOF\necho hi",
        "FROM debian\nSHELL /bin/bash -c",
        "FROM debian\nHEALTHCHECK CURL localhost",
        "FROM debian\nHEALTHCHECK --interval=5 CMD true",
        "FROM debian\nONBUILD ONBUILD RUN true",
        "FROM debian\nONBUILD FROM x",
        "FROM debian\nCMD [\"a\", 1]",
        "FROM debian\nADD https://example.org/a.tar /a",
        "FROM debian\nADD --checksum=sha256:00 a.tar /a",
        "FROM debian\nCOPY <</etc/cron.d/job /etc/\ntext\n/etc/cron.d/job",
        "FROM debian\nRUN --network=mesh true",
        "FROM debian\nRUN \\\n  # a comment\n  --nothing=1 true",
        "# escape=x\nFROM debian",
    ];
    let complaints: Vec<_> = cases
        .iter()
        .map(|case| format!("{case}\n=> {}\n", complaint(case)))
        .collect();
    insta::assert_snapshot!(complaints.join("\n"));
}
