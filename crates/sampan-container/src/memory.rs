//! Gives back what starting has touched.
//!
//! The supervisor is the whole program, of which it uses little once its container runs. Pages of files that
//! nobody has written to can be taken out of a process at any time: the kernel brings back those that are used.

use std::io;

use nix::libc;

/// A part of the address space, as `/proc/PID/smaps` shows it.
#[derive(Debug, Default)]
struct Area {
    start: usize,
    end: usize,
    /// Whether it shows a file.
    file: bool,
    /// Whether the process has pages of its own there, which exist nowhere else.
    own: bool,
}

/// Gives back unchanged pages of files and unused heap.
pub(super) fn give_back() -> io::Result<()> {
    let text = std::fs::read_to_string("/proc/self/smaps")?;
    let unchanged: Vec<Area> = areas(&text).filter(|area| area.file && !area.own).collect();
    drop(text);
    trim_heap();
    // Last, and in a small loop: whatever runs afterwards brings its own pages back.
    unchanged.iter().try_for_each(forget)
}

fn areas(text: &str) -> impl Iterator<Item = Area> {
    let mut lines = text.lines().peekable();
    std::iter::from_fn(move || {
        let mut area = parse_head(lines.next()?)?;
        while let Some(line) = lines.next_if(|line| parse_head(line).is_none()) {
            let own = ["Anonymous:", "Swap:"];
            let counts = own.iter().find_map(|name| line.strip_prefix(name));
            area.own |= counts.is_some_and(|count| count.trim() != "0 kB");
        }
        Some(area)
    })
}

/// `START-END PERMISSIONS OFFSET DEVICE INODE [PATH]`. Only what cannot be written counts as a file.
fn parse_head(line: &str) -> Option<Area> {
    let mut fields = line.split_ascii_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let permissions = fields.next()?;
    let path = fields.nth(3);
    Some(Area {
        start: usize::from_str_radix(start, 16).ok()?,
        end: usize::from_str_radix(end, 16).ok()?,
        file: !permissions.contains('w') && path.is_some_and(|path| path.starts_with('/')),
        own: false,
    })
}

#[expect(unsafe_code, reason = "advice about memory is unsafe in general")]
fn forget(area: &Area) -> io::Result<()> {
    let start = std::ptr::with_exposed_provenance_mut(area.start);
    // SAFETY: the area shows a file, cannot be written and has no page that differs from the file, so that every
    // page reads the same when it is brought back.
    match unsafe { libc::madvise(start, area.end - area.start, libc::MADV_DONTNEED) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(target_env = "gnu")]
#[expect(unsafe_code, reason = "the allocator has no safe face for this")]
fn trim_heap() {
    // SAFETY: only unused memory is given back to the kernel.
    unsafe { libc::malloc_trim(0) };
}

#[cfg(not(target_env = "gnu"))]
fn trim_heap() {}
