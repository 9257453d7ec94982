//! The query parameters of logs, commands and attachments.

use jiff::Timestamp;

use crate::api::query::form;
use crate::error::Error;

/// What a command or an attachment is to be connected with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are the protocol's parameters"
)]
pub(super) struct RemoteOptions {
    pub(super) container: Option<String>,
    pub(super) command: Vec<String>,
    pub(super) stdin: bool,
    pub(super) stdout: bool,
    pub(super) stderr: bool,
    pub(super) terminal: bool,
}

impl RemoteOptions {
    /// Reads the parameters.
    pub(super) fn parse(query: &str) -> Result<Self, Error> {
        let mut options = Self::default();
        for (name, value) in form(query) {
            match name.as_str() {
                "container" => options.container = Some(value).filter(|name| !name.is_empty()),
                "command" => options.command.push(value),
                "stdin" => options.stdin = is_true(&value),
                "stdout" => options.stdout = is_true(&value),
                "stderr" => options.stderr = is_true(&value),
                "tty" => options.terminal = is_true(&value),
                _ => {}
            }
        }
        if options.terminal {
            // A terminal has one output only.
            options.stderr = false;
        }
        if !(options.stdin || options.stdout || options.stderr) {
            return Err(Error::BadRequest(
                "you must specify at least 1 of stdin, stdout, stderr".to_owned(),
            ));
        }
        Ok(options)
    }
}

/// Which part of a log is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LogQuery {
    pub(super) container: Option<String>,
    pub(super) follow: bool,
    pub(super) previous: bool,
    pub(super) timestamps: bool,
    pub(super) since: Option<Timestamp>,
    pub(super) tail: Option<usize>,
    pub(super) limit_bytes: Option<u64>,
}

impl LogQuery {
    /// Reads the parameters; `now` is what `sinceSeconds` counts from.
    pub(super) fn parse(query: &str, now: Timestamp) -> Result<Self, Error> {
        let mut options = Self::default();
        for (name, value) in form(query) {
            let invalid =
                |what: &str| Error::BadRequest(format!("{name}: Invalid value: {value:?}: {what}"));
            let number = || {
                value
                    .parse::<i64>()
                    .map_err(|_| invalid("must be an integer"))
            };
            let at_least = |least: i64| match number()? {
                number if number < least => Err(invalid(&format!(
                    "must be greater than or equal to {least}"
                ))),
                number => Ok(number.unsigned_abs()),
            };
            match name.as_str() {
                "container" => options.container = Some(value).filter(|name| !name.is_empty()),
                "follow" => options.follow = is_true(&value),
                "previous" => options.previous = is_true(&value),
                "timestamps" => options.timestamps = is_true(&value),
                "tailLines" => {
                    options.tail = Some(usize::try_from(at_least(0)?).unwrap_or(usize::MAX));
                }
                "limitBytes" => options.limit_bytes = Some(at_least(1)?),
                "sinceSeconds" => {
                    let seconds = i64::try_from(at_least(1)?).unwrap_or(i64::MAX);
                    let since = now.as_second().saturating_sub(seconds);
                    options.since = Timestamp::from_second(since).ok();
                }
                "sinceTime" => {
                    let time = value
                        .parse()
                        .map_err(|_| invalid("must be a time (RFC 3339)"))?;
                    options.since = Some(time);
                }
                _ => {}
            }
        }
        Ok(options)
    }
}

fn is_true(value: &str) -> bool {
    matches!(value, "1" | "t" | "T" | "true" | "True" | "TRUE")
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{LogQuery, RemoteOptions};

    #[test]
    fn a_command_keeps_its_words() {
        let query = "container=web&command=sh&command=-c&command=echo+%22a%20b%22%26&stdout=true&\
            stderr=true&tty=false";
        let options = RemoteOptions::parse(query).unwrap();
        assert_eq!(options.command, ["sh", "-c", "echo \"a b\"&"]);
        assert!(options.stdout && options.stderr && !options.stdin);
        assert!(RemoteOptions::parse("command=ls").is_err());
    }

    #[test]
    fn parts_of_a_log() {
        let now = Timestamp::from_second(1000).unwrap();
        let query = LogQuery::parse("follow=true&tailLines=5&sinceSeconds=60", now).unwrap();
        assert!(query.follow);
        assert_eq!(query.tail, Some(5));
        assert_eq!(query.since, Some(Timestamp::from_second(940).unwrap()));
        assert!(LogQuery::parse("tailLines=-1", now).is_err());
        assert!(LogQuery::parse("sinceTime=yesterday", now).is_err());
    }
}
