//! The script that runs a step's commands.
//!
//! `/bin/sh -e` runs it: each command is shown after `+ ` before it runs, and the first that fails ends the step with its
//! exit code. What shows a command never runs a part of it.

use std::fmt::Write;

/// Takes what the clone credentials are for and hides them from the commands.
const BEGIN: &str = r#"
for prefix in CI DRONE; do
  eval "machine=\${${prefix}_NETRC_MACHINE:-} login=\${${prefix}_NETRC_USERNAME:-} password=\${${prefix}_NETRC_PASSWORD:-}"
  if [ -n "$machine" ] && [ -n "${HOME:-}" ]; then
    (umask 077; printf 'machine %s\nlogin %s\npassword %s\n' "$machine" "$login" "$password" > "$HOME/.netrc")
  fi
done
unset prefix machine login password
unset CI_NETRC_USERNAME CI_NETRC_PASSWORD DRONE_NETRC_USERNAME DRONE_NETRC_PASSWORD
"#;

/// The text of the script; it is run as a file, so that commands may read their input.
#[must_use]
pub fn of_commands(commands: &[String]) -> String {
    let mut script = BEGIN.trim_start().to_owned();
    for command in commands {
        let shown = format!("+ {command}").replace('\'', r"'\''");
        let written = write!(script, "\nprintf '%s\\n' '{shown}'\n{command}\n");
        debug_assert!(written.is_ok(), "a string takes any text");
    }
    script
}
