//! The tar format, against the tar that everybody has.

use std::fs;
use std::io::Read as _;

use sampan_oci::archive::{ArchiveError, ArchiveReader, ArchiveWriter, Entry, Kind};

use crate::support::shell;

fn entries(bytes: &[u8]) -> Result<Vec<(Entry, Vec<u8>)>, ArchiveError> {
    let mut archive = ArchiveReader::new(bytes);
    let mut entries = Vec::new();
    while let Some(entry) = archive.next_entry()? {
        let mut data = Vec::new();
        archive.read_to_end(&mut data).unwrap();
        entries.push((entry, data));
    }
    archive.finish()?;
    Ok(entries)
}

fn sample() -> Vec<(Entry, Vec<u8>)> {
    let long = format!("{}/{}", "d".repeat(90), "f".repeat(200));
    let split = format!("{}/{}", "d".repeat(90), "f".repeat(90));
    let kind = |kind| Entry {
        kind,
        ..Entry::file("link", 0)
    };
    let mut attributes = Entry::file("ünï/cøde", 3);
    attributes.xattrs.insert(
        b"security.capability".to_vec(),
        b"\x01\n=\x00\n9 a".to_vec(),
    );
    vec![
        (
            Entry {
                mode: 0o1777,
                mtime: 1_700_000_000,
                ..Entry::directory("tmp")
            },
            vec![],
        ),
        (Entry::file(&long, 513), vec![7; 513]),
        (Entry::file(&split, 512), vec![8; 512]),
        (attributes, b"abc".to_vec()),
        (kind(Kind::Symlink("t".repeat(300).into_bytes())), vec![]),
        (kind(Kind::HardLink(b"tmp/x".to_vec())), vec![]),
        (kind(Kind::CharacterDevice { major: 1, minor: 3 }), vec![]),
        (
            Entry {
                uid: 4_000_000,
                gid: u32::MAX,
                mtime: -5,
                ..Entry::file("big", 0)
            },
            vec![],
        ),
    ]
}

#[test]
fn what_is_written_is_read_again() {
    let mut writer = ArchiveWriter::new(Vec::new());
    for (entry, data) in &sample() {
        writer.append(entry, &mut data.as_slice()).unwrap();
    }
    let bytes = writer.finish().unwrap();
    let mut expected = sample();
    expected[0].0.path.push(b'/');
    assert_eq!(entries(&bytes).unwrap(), expected);
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("a.tar"), &bytes).unwrap();
    let listed = shell(directory.path(), "tar --numeric-owner -tvf a.tar");
    assert!(listed.contains("drwxrwxrwt 0/0"), "{listed}");
    assert!(listed.contains("4000000/4294967295"), "{listed}");
    assert!(listed.contains(&"f".repeat(200)), "{listed}");
}

#[test]
fn all_formats_of_gnu_tar_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let deep = format!("{}/{}", "d".repeat(120), "f".repeat(120));
    shell(
        directory.path(),
        &format!(
            "mkdir -p in/{}; echo hello > in/{deep}; ln in/{deep} in/hard; ln -s {} in/soft; touch -d @1234567890.5 in/{deep}",
            "d".repeat(120),
            "t".repeat(150),
        ),
    );
    for format in ["gnu", "oldgnu", "pax", "posix"] {
        let made =
            format!("tar --format={format} --sort=name --numeric-owner -C in -cf {format}.tar .");
        shell(directory.path(), &made);
        let bytes = fs::read(directory.path().join(format!("{format}.tar"))).unwrap();
        let found = entries(&bytes).unwrap();
        let file = found.iter().find(|(_, data)| !data.is_empty()).unwrap();
        assert_eq!(file.0.display_path(), format!("./{deep}"), "{format}");
        assert_eq!(
            (file.0.mtime, file.1.as_slice()),
            (1_234_567_890, b"hello\n".as_slice())
        );
        let target = "t".repeat(150).into_bytes();
        assert!(
            found
                .iter()
                .any(|(entry, _)| entry.kind == Kind::Symlink(target.clone()))
        );
        assert!(
            found
                .iter()
                .any(|(entry, _)| matches!(entry.kind, Kind::HardLink(_)))
        );
    }
}

#[test]
fn broken_archives_are_refused() {
    let mut writer = ArchiveWriter::new(Vec::new());
    writer
        .append(&Entry::file("file", 600), &mut [1; 600].as_slice())
        .unwrap();
    let bytes = writer.finish().unwrap();
    for length in [1, 511, 513, 1000, 1100] {
        let result = entries_lossy(&bytes[..length]);
        assert!(
            matches!(result, Err(ArchiveError::Truncated { .. })),
            "{length}: {result:?}"
        );
    }
    let mut altered = bytes.clone();
    altered[3] ^= 1;
    assert!(matches!(
        entries(&altered),
        Err(ArchiveError::Header {
            field: "checksum",
            ..
        })
    ));
    let trailing = [bytes.as_slice(), b"more"].concat();
    assert!(matches!(
        entries(&trailing),
        Err(ArchiveError::Header { field: "end", .. })
    ));
}

/// Skips the data, whose reader has its own kind of error.
fn entries_lossy(bytes: &[u8]) -> Result<usize, ArchiveError> {
    let mut archive = ArchiveReader::new(bytes);
    let mut count = 0;
    while archive.next_entry()?.is_some() {
        count += 1;
    }
    Ok(count)
}

#[test]
fn data_of_another_size_than_announced_is_refused() {
    for data in [b"1234".as_slice(), b"123456".as_slice()] {
        let mut writer = ArchiveWriter::new(Vec::new());
        let outcome = writer.append(&Entry::file("file", 5), &mut &*data);
        assert!(matches!(outcome, Err(ArchiveError::Size { .. })));
    }
}

/// A member of an archive as bytes, extended header or file.
fn member(type_flag: u8, data: &[u8]) -> Vec<u8> {
    let mut header = [0; 512];
    header[0] = b'f';
    header[100..107].copy_from_slice(b"0000644");
    header[124..135].copy_from_slice(format!("{:011o}", data.len()).as_bytes());
    header[148..156].copy_from_slice(b"        ");
    header[156] = type_flag;
    header[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    let mut bytes = header.to_vec();
    bytes.extend_from_slice(data);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

#[test]
fn extensions_are_counted_together() {
    let record = |number: u32| {
        let rest = format!(" key{number:04}={}\n", "v".repeat(400_000));
        format!("{}{rest}", rest.len() + 6).into_bytes()
    };
    for type_flag in [b'x', b'g'] {
        let extensions = |count| (0..count).map(|number| member(type_flag, &record(number)));
        let mut fitting = extensions(2).collect::<Vec<_>>().concat();
        fitting.extend(member(b'0', b""));
        assert_eq!(entries(&fitting).unwrap().len(), 1);
        let error = entries(&extensions(3).collect::<Vec<_>>().concat()).unwrap_err();
        assert!(matches!(error, ArchiveError::Oversized { .. }), "{error:?}");
        // Those of one entry say nothing of the next one; those of all entries add up.
        let spread: Vec<_> = extensions(3)
            .map(|extension| [extension, member(b'0', b"")].concat())
            .collect();
        assert_eq!(entries(&spread.concat()).is_err(), type_flag == b'g');
    }
}
