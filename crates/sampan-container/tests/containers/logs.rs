//! The log of a container, written by its supervisor and read back.

use crate::site::Site;
use sampan_container::logs::{LogLine, LogOptions, LogReader, LogStream};

fn texts(lines: impl Iterator<Item = sampan_container::Result<LogLine>>) -> String {
    let bytes: Vec<u8> = lines.flat_map(|line| line.unwrap().bytes()).collect();
    String::from_utf8(bytes).unwrap()
}

fn tail(lines: usize) -> LogOptions {
    LogOptions {
        tail: Some(lines),
        ..LogOptions::default()
    }
}

#[test]
fn every_byte_comes_back_with_its_stream() {
    let site = Site::new();
    let long = "x".repeat(40_000);
    let spec = site.spec(&[
        "sh",
        "-c",
        &format!("echo one; echo two >&2; echo {long}; echo -n end"),
    ]);
    let id = site.runtime.create(&spec).unwrap();
    site.runtime.start(&id).unwrap();
    site.runtime.wait_blocking(&id).unwrap();
    let path = site.runtime.log_path(&id);
    let lines: Vec<LogLine> = LogReader::open(&path, &LogOptions::default())
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let of = |stream| {
        let own = lines
            .iter()
            .filter(move |line| line.stream == stream)
            .cloned();
        String::from_utf8(own.flat_map(LogLine::bytes).collect()).unwrap()
    };
    assert_eq!(of(LogStream::Stdout), format!("one\n{long}\nend"));
    assert_eq!(of(LogStream::Stderr), "two\n");
    assert!(lines.is_sorted_by_key(|line| line.time));
    assert_eq!(texts(LogReader::open(&path, &tail(1)).unwrap()), "end");
    assert_eq!(texts(LogReader::open(&path, &tail(0)).unwrap()), "");
    let since = LogOptions {
        since: Some(lines[lines.len() - 1].time),
        ..LogOptions::default()
    };
    assert!(texts(LogReader::open(&path, &since).unwrap()).ends_with("end"));
}

#[test]
fn following_ends_with_the_container() {
    let site = Site::new();
    let spec = site.spec(&[
        "sh",
        "-c",
        "echo one; read line; echo $line; read line; echo last",
    ]);
    let mut spec = spec;
    spec.process.stdin = true;
    let id = site.runtime.create(&spec).unwrap();
    let path = site.runtime.log_path(&id);
    let follow = LogOptions {
        follow: true,
        ..LogOptions::default()
    };
    let mut reader = LogReader::open(&path, &follow).unwrap();
    let mut attachment = site.runtime.attach(&id).unwrap();
    site.runtime.start(&id).unwrap();
    assert_eq!(reader.next().unwrap().unwrap().text, b"one");
    let input = attachment.stdin.take().unwrap();
    nix::unistd::write(&input, b"two\n").unwrap();
    assert_eq!(reader.next().unwrap().unwrap().text, b"two");
    assert!(!reader.is_complete());
    nix::unistd::write(&input, b"\n").unwrap();
    assert_eq!(texts(&mut reader), "last\n");
    assert!(reader.is_complete());
    assert_eq!(
        texts(LogReader::open(&path, &follow).unwrap()),
        "one\ntwo\nlast\n"
    );
}

#[test]
fn a_rotated_log_is_read_and_followed_as_one() {
    let site = Site::new();
    let count = "i=0; while [ $i -lt 4000 ]; do echo line $i; i=$((i+1)); done";
    let mut spec = site.spec(&["sh", "-c", count]);
    spec.log_limit_bytes = Some(64 * 1024);
    let id = site.runtime.create(&spec).unwrap();
    let path = site.runtime.log_path(&id);
    let follow = LogOptions {
        follow: true,
        ..LogOptions::default()
    };
    let reader = LogReader::open(&path, &follow).unwrap();
    site.runtime.start(&id).unwrap();
    assert_eq!(texts(reader).lines().last(), Some("line 3999"));
    let whole = texts(LogReader::open(&path, &LogOptions::default()).unwrap());
    assert!(whole.lines().count() < 4000);
    let first: usize = whole
        .lines()
        .next()
        .unwrap()
        .trim_start_matches("line ")
        .parse()
        .unwrap();
    let expected: Vec<String> = (first..4000).map(|line| format!("line {line}")).collect();
    assert_eq!(whole.lines().collect::<Vec<_>>(), expected);
    assert!(path.metadata().unwrap().len() <= 64 * 1024);
    // All but the first line: the tail begins in the older file.
    let (_, rest) = whole.split_once('\n').unwrap();
    let count = rest.lines().count();
    assert_eq!(texts(LogReader::open(&path, &tail(count)).unwrap()), rest);
}

#[test]
fn a_log_that_cannot_be_rotated_is_written_on_to() {
    let site = Site::new();
    let count = "i=0; while [ $i -lt 4000 ]; do echo line $i; i=$((i+1)); done";
    let mut spec = site.spec(&["sh", "-c", count]);
    spec.log_limit_bytes = Some(64 * 1024);
    let id = site.runtime.create(&spec).unwrap();
    let path = site.runtime.log_path(&id);
    let obstacle = path.with_extension("1");
    std::fs::create_dir(&obstacle).unwrap();
    site.runtime.start(&id).unwrap();
    site.runtime.wait_blocking(&id).unwrap();
    std::fs::remove_dir(&obstacle).unwrap();
    let whole = texts(LogReader::open(&path, &LogOptions::default()).unwrap());
    let first_wrong = whole
        .lines()
        .zip(0..)
        .find(|(line, number)| *line != format!("line {number}"));
    assert_eq!(first_wrong, None);
    assert_eq!(whole.lines().count(), 4000);
}
