//! The process that carries an order out, named so that others can tell whether it still does.

use std::fs;
use std::io;

/// Names this process: its boot, its id and its start time, so that no later process is taken for it.
///
/// # Errors
/// When `/proc` cannot be read.
pub fn this_process() -> io::Result<String> {
    let id = std::process::id();
    Ok(format!("{}/{id}/{}", boot()?, start_time(id)?))
}

/// Whether the process that was named so is still there.
#[must_use]
pub fn is_alive(runner: &str) -> bool {
    let mut parts = runner.split('/');
    let (Some(its_boot), Some(id), Some(start)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let Ok(id) = id.parse() else { return false };
    boot().is_ok_and(|boot| boot == its_boot) && start_time(id).is_ok_and(|time| time == start)
}

fn boot() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?
        .trim()
        .to_owned())
}

/// In clock ticks since the boot; field 22 of `stat`, counted after the name, which may hold anything.
fn start_time(id: u32) -> io::Result<String> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    // The state is the third field and the first after the name.
    let time = fields.split_whitespace().nth(22 - 3);
    time.map(str::to_owned)
        .ok_or_else(|| io::Error::other("`stat` has no start time"))
}

#[cfg(test)]
mod tests {
    use super::{is_alive, this_process};

    #[test]
    fn tells_whether_a_process_is_there() {
        let me = this_process().expect("/proc can be read");
        assert!(is_alive(&me));
        assert!(!is_alive(&format!("{me}1")));
        let (boot, _) = me.split_once('/').expect("the name has parts");
        assert!(!is_alive(&me.replacen(boot, "another-boot", 1)));
        assert!(!is_alive("nonsense"));
    }
}
