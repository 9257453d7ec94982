//! The output of a command, line by line as it comes.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use sampan_container::Attachment;

use crate::event::Stream;

/// As many lines wait at most until they are shown.
const QUEUE_LINES: usize = 256;

/// Lines are cut at this length, so that output without line ends takes no memory.
const LINE_LIMIT_BYTES: u64 = 64 * 1024;

/// Gives every line to `output`, until the command has closed both streams.
pub(super) fn forward(attachment: Attachment, output: &mut dyn FnMut(Stream, String)) {
    let Attachment { stdout, stderr, .. } = attachment;
    let (sender, receiver) = sync_channel(QUEUE_LINES);
    thread::scope(|scope| {
        for (stream, file) in [(Stream::Stdout, stdout), (Stream::Stderr, stderr)] {
            let sender = sender.clone();
            if let Some(file) = file {
                scope.spawn(move || read_lines(file, stream, &sender));
            }
        }
        drop(sender);
        for (stream, line) in receiver {
            output(stream, line);
        }
    });
}

fn read_lines(file: OwnedFd, stream: Stream, sender: &SyncSender<(Stream, String)>) {
    let mut reader = BufReader::new(File::from(file));
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut limited = std::io::Read::take(&mut reader, LINE_LIMIT_BYTES);
        match limited.read_until(b'\n', &mut line) {
            Ok(0) => return,
            Ok(_) => {
                let text = String::from_utf8_lossy(&line);
                let text = text.trim_end_matches(['\n', '\r']);
                // Programs that draw progress return to the start of the line: keep the last state.
                let shown = text.rsplit('\r').next().unwrap_or_default();
                if sender.send((stream, shown.to_owned())).is_err() {
                    return;
                }
            }
            Err(error) => {
                tracing::debug!(%error, "the output of a step ended");
                return;
            }
        }
    }
}
