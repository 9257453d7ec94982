//! Gives back what starting has touched.
//!
//! The server and each supervisor are the whole program, of which they use little once they have started. Pages of
//! files that nobody has written to can be taken out of a process at any time: the kernel brings back those that are
//! used.

use std::io;
use std::path::Path;

use nix::libc;

/// A part of the address space, as `/proc/PID/smaps` shows it.
#[derive(Debug, Default)]
struct Area {
    start: usize,
    end: usize,
    /// Whether it shows the program or one of its libraries, and cannot be written.
    program: bool,
    /// Whether the process has pages of its own there, which exist nowhere else.
    own: bool,
}

/// Gives back unchanged pages of the program and unused heap.
///
/// # Errors
/// When the kernel does not tell what the process holds, or does not take it.
pub fn give_back() -> io::Result<()> {
    let program = std::env::current_exe()?;
    let text = std::fs::read_to_string("/proc/self/smaps")?;
    let unchanged: Vec<Area> = areas(&text, &program)
        .filter(|area| area.program && !area.own)
        .collect();
    drop(text);
    trim_heap();
    // Last, and in a small loop: whatever runs afterwards brings its own pages back.
    unchanged.iter().try_for_each(forget)
}

fn areas<'t>(text: &'t str, program: &'t Path) -> impl Iterator<Item = Area> + 't {
    let mut lines = text.lines().peekable();
    std::iter::from_fn(move || {
        let mut area = parse_head(lines.next()?, program)?;
        while let Some(line) = lines.next_if(|line| parse_head(line, program).is_none()) {
            let own = ["Anonymous:", "Swap:"];
            let counts = own.iter().find_map(|name| line.strip_prefix(name));
            area.own |= counts.is_some_and(|count| count.trim() != "0 kB");
        }
        Some(area)
    })
}

/// `START-END PERMISSIONS OFFSET DEVICE INODE [PATH]`, as `proc_pid_smaps(5)` tells. Of other files nothing is taken:
/// another thread may put something else in their place meanwhile.
fn parse_head(line: &str, program: &Path) -> Option<Area> {
    let mut fields = line.split_ascii_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let permissions = fields.next()?;
    let path = line.find('/').map(|at| Path::new(&line[at..]));
    let library = |path: &Path| {
        let name = path.file_name().unwrap_or_default();
        name.to_string_lossy().contains(".so")
    };
    Some(Area {
        start: usize::from_str_radix(start, 16).ok()?,
        end: usize::from_str_radix(end, 16).ok()?,
        program: !permissions.contains('w')
            && path.is_some_and(|path| path == program || library(path)),
        own: false,
    })
}

#[expect(unsafe_code, reason = "advice about memory is unsafe in general")]
fn forget(area: &Area) -> io::Result<()> {
    let start = std::ptr::with_exposed_provenance_mut(area.start);
    // SAFETY: the area shows the program or a library, which stay where they are, cannot be written and has no page
    // that differs from the file, so that every page reads the same when it is brought back.
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
