//! Charts in archives: gzipped tar files with one folder in them.

use std::io::{Read as _, Take};

use flate2::read::MultiGzDecoder;

use super::limits::Limits;
use super::{Error, File};
use crate::compatibility::Compatibility;
use crate::value::quote::quote;

/// The mark that some editors put before UTF-8; Helm leaves it out everywhere.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The most that headers and padding may add to the content of an archive, in bytes.
const OVERHEAD_BYTES: u64 = 64 * 1024 * 1024;

/// The files of an archive, by their paths in the chart.
pub(super) fn unpack(
    archive: &[u8],
    limits: &mut Limits,
    compatibility: Compatibility,
) -> Result<Vec<File>, Error> {
    if archive.is_empty() {
        return Err(Error::Archive("EOF".to_owned()));
    }
    let unzipped = MultiGzDecoder::new(archive).take(Limits::ARCHIVE_BYTES + OVERHEAD_BYTES);
    let mut tar = tar::Archive::new(unzipped);
    tar.set_ignore_zeros(false);
    let mut files = Vec::new();
    let mut left = Limits::ARCHIVE_BYTES;
    for entry in tar.entries().map_err(|error| damaged(&error))? {
        let mut entry = entry.map_err(|error| damaged(&error))?;
        limits.entry()?;
        let kind = entry.header().entry_type();
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if kind.is_dir()
            || path.ends_with('/')
            || kind.is_pax_global_extensions()
            || kind.is_pax_local_extensions()
        {
            continue;
        }
        let name = place(&path)?;
        let size = entry.size();
        if size > left {
            return Err(Limits::large_archive(compatibility));
        }
        if size > Limits::FILE_BYTES {
            return Err(Limits::large_unpacked_file(&path));
        }
        let data = content(&mut entry, size)?;
        limits.bytes(size)?;
        left -= size;
        if left == 0 {
            return Err(Limits::large_archive(compatibility));
        }
        files.push(File {
            name,
            data: without_mark(&data).into(),
        });
    }
    if files.is_empty() {
        return Err(Error::Archive("no files in chart archive".to_owned()));
    }
    Ok(files)
}

fn content(
    entry: &mut tar::Entry<'_, Take<MultiGzDecoder<&[u8]>>>,
    size: u64,
) -> Result<Vec<u8>, Error> {
    let mut data = Vec::new();
    entry
        .read_to_end(&mut data)
        .map_err(|error| damaged(&error))?;
    if (data.len() as u64) < size {
        return Err(Error::Archive("unexpected EOF".to_owned()));
    }
    Ok(data)
}

/// The path in the chart of a file with a path in the archive: without the outermost folder, and never out of it.
fn place(path: &str) -> Result<String, Error> {
    let delimiter = if path.contains('\\') { '\\' } else { '/' };
    let (folder, inside) = path.split_once(delimiter).unwrap_or((path, ""));
    let inside = inside.replace(delimiter, "/");
    if inside.starts_with('/') {
        return Err(Error::Path(
            "chart illegally contains absolute paths".to_owned(),
        ));
    }
    let inside = cleaned(&inside);
    if inside == "." {
        let path = quote(path.as_bytes());
        return Err(Error::Path(format!(
            "chart illegally contains content outside the base directory: {path}"
        )));
    }
    if inside.starts_with("..") {
        return Err(Error::Path(
            "chart illegally references parent directory".to_owned(),
        ));
    }
    let mut start = inside.chars();
    let drive = start
        .next()
        .is_some_and(|letter| letter.is_ascii_alphabetic())
        && start.as_str().starts_with(":/");
    if drive {
        return Err(Error::Path(
            "chart contains illegally named files".to_owned(),
        ));
    }
    if folder == "Chart.yaml" {
        return Err(Error::Path("chart yaml not in base directory".to_owned()));
    }
    Ok(inside)
}

/// Go's `path.Clean` of a relative path.
fn cleaned(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    if parts.is_empty() {
        ".".to_owned()
    } else {
        parts.join("/")
    }
}

/// The content without a mark before it.
pub(super) fn without_mark(data: &[u8]) -> &[u8] {
    data.strip_prefix(BYTE_ORDER_MARK).unwrap_or(data)
}

/// What a damaged archive is, in the words of Go's readers where they have a counterpart.
fn damaged(error: &std::io::Error) -> Error {
    Error::Archive(match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "unexpected EOF".to_owned(),
        std::io::ErrorKind::InvalidInput => "gzip: invalid header".to_owned(),
        _ => format!("archive/tar: invalid tar header ({error})"),
    })
}

/// Refuses a file that is no gzipped archive, before anything is unpacked.
pub(super) fn check(path: &str, content: &[u8]) -> Result<(), Error> {
    if content.starts_with(b"\x1f\x8b\x08") {
        return Ok(());
    }
    if [".yml", ".yaml"].iter().any(|yaml| path.ends_with(yaml)) {
        let problem =
            format!("file '{path}' seems to be a YAML file, but expected a gzipped archive");
        return Err(Error::Archive(problem));
    }
    let mut start = [0; 512];
    let length = content.len().min(start.len());
    start[..length].copy_from_slice(&content[..length]);
    let found = content_type(&start);
    Err(Error::Archive(format!(
        "file '{path}' does not appear to be a gzipped archive; got '{found}'"
    )))
}

/// What some bytes look like: the cases of the content sniffing of browsers that people meet here.
fn content_type(start: &[u8]) -> &'static str {
    let binary = |byte: &u8| matches!(byte, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f);
    match start {
        [b'P', b'K', 3, 4, ..] => "application/zip",
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [b'%', b'P', b'D', b'F', b'-', ..] => "application/pdf",
        _ if start.iter().any(binary) => "application/octet-stream",
        _ => "text/plain; charset=utf-8",
    }
}
