//! Finds the last lines of a file without reading all of it.

use std::fs::File;
use std::io::Result;
use std::os::unix::fs::FileExt;

const BLOCK_BYTES: u64 = 64 * 1024;

/// Where the last `lines` lines begin, and how many there are at most.
pub(super) fn start_of(file: &File, lines: usize) -> Result<(u64, usize)> {
    let mut end = file.metadata()?.len();
    if lines == 0 {
        return Ok((end, 0));
    }
    let mut found = 0;
    let mut block = vec![0; usize::try_from(BLOCK_BYTES).unwrap_or(usize::MAX)];
    // The newline that ends the last line begins no other.
    let mut is_last = true;
    while end > 0 {
        let start = end.saturating_sub(BLOCK_BYTES);
        let bytes = &mut block[..usize::try_from(end - start).unwrap_or_default()];
        file.read_exact_at(bytes, start)?;
        for (place, byte) in bytes.iter().enumerate().rev() {
            if *byte == b'\n' && !std::mem::take(&mut is_last) {
                found += 1;
                if found == lines {
                    return Ok((start + place as u64 + 1, found));
                }
            }
        }
        end = start;
    }
    // The first line has no newline before it.
    Ok((0, if is_last { 0 } else { found + 1 }))
}
