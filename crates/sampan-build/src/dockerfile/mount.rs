//! `RUN --mount`: files that a command sees but that are no part of the layer.

use super::error::SyntaxError;

/// One mount of a RUN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// What is mounted.
    pub kind: MountKind,
    /// Where, as written; absolute, or relative to the working directory.
    pub target: String,
    /// Whether the command may not write there.
    pub read_only: bool,
}

/// The kinds of mounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MountKind {
    /// Files of the context, of a stage or of an image.
    Bind {
        /// The stage or image; the context when absent.
        from: Option<String>,
        /// The path there.
        source: String,
    },
    /// A folder that outlives the build.
    Cache {
        /// Which folder; the target's path when the Dockerfile gives none.
        id: String,
        /// What happens when several commands want it at the same time.
        sharing: Sharing,
        /// The permissions of a new folder.
        mode: u32,
        /// The owner of a new folder.
        uid: u32,
        /// The group of a new folder.
        gid: u32,
    },
    /// Memory.
    Tmpfs {
        /// The limit, in bytes.
        size_bytes: Option<u64>,
    },
}

/// What happens when commands of several builds want the same cache at the same time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sharing {
    /// All that say so use it together.
    #[default]
    Shared,
    /// Each gets a folder of its own.
    Private,
    /// They use it one after the other.
    Locked,
}

#[derive(Default)]
struct Fields<'a> {
    kind: Option<&'a str>,
    from: Option<&'a str>,
    source: Option<&'a str>,
    target: Option<&'a str>,
    read_only: Option<bool>,
    id: Option<&'a str>,
    sharing: Option<Sharing>,
    size: Option<&'a str>,
    mode: Option<u32>,
    uid: Option<u32>,
    gid: Option<u32>,
}

impl Mount {
    /// Reads `type=…,key=value,…`, expanded.
    ///
    /// # Errors
    /// Says which part is wrong, missing or not supported.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let mut fields = Fields::default();
        for field in text.split(',') {
            fields.read(field)?;
        }
        fields.finish()
    }

    /// The stage or image that an unexpanded mount names.
    pub(crate) fn source_of(text: &str) -> Option<String> {
        text.split(',')
            .find_map(|field| field.trim().strip_prefix("from="))
            .map(str::to_owned)
    }
}

impl<'a> Fields<'a> {
    fn read(&mut self, field: &'a str) -> Result<(), SyntaxError> {
        let (key, value) = match field.trim().split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (field.trim(), None),
        };
        let needed = || value.ok_or_else(|| wrong(format!("`{key}` needs a value")));
        match key.to_ascii_lowercase().as_str() {
            "type" => self.kind = Some(needed()?),
            "from" => self.from = Some(needed()?),
            "source" | "src" => self.source = Some(needed()?),
            "target" | "dst" | "destination" => self.target = Some(needed()?),
            "readonly" | "ro" => self.read_only = Some(switch(key, value)?),
            "readwrite" | "rw" => self.read_only = Some(!switch(key, value)?),
            "id" => self.id = Some(needed()?),
            "size" => self.size = Some(needed()?),
            "mode" => self.mode = Some(number(key, needed()?, 8)?),
            "uid" => self.uid = Some(number(key, needed()?, 10)?),
            "gid" => self.gid = Some(number(key, needed()?, 10)?),
            "sharing" => self.sharing = Some(sharing(needed()?)?),
            _ => return Err(wrong(format!("`{field}` is not known"))),
        }
        Ok(())
    }

    fn finish(self) -> Result<Mount, SyntaxError> {
        let kind = self.kind.unwrap_or("bind").to_ascii_lowercase();
        let target = match self.target.filter(|target| !target.is_empty()) {
            Some(target) => target.to_owned(),
            None => return Err(wrong("`target` is missing".to_owned())),
        };
        let kind = match kind.as_str() {
            "bind" => MountKind::Bind {
                from: self.from.map(str::to_owned),
                source: self.source.unwrap_or("/").to_owned(),
            },
            "cache" if self.from.is_none() => MountKind::Cache {
                id: self.id.unwrap_or(&target).to_owned(),
                sharing: self.sharing.unwrap_or_default(),
                mode: self.mode.unwrap_or(0o755),
                uid: self.uid.unwrap_or(0),
                gid: self.gid.unwrap_or(0),
            },
            "cache" => return Err(unsupported("a cache mount with `from`")),
            "tmpfs" => MountKind::Tmpfs {
                size_bytes: self.size.map(bytes).transpose()?,
            },
            "secret" | "ssh" => return Err(unsupported(&format!("a mount of type `{kind}`"))),
            other => return Err(wrong(format!("unknown type `{other}`"))),
        };
        let read_only = self
            .read_only
            .unwrap_or(matches!(kind, MountKind::Bind { .. }));
        Ok(Mount {
            kind,
            target,
            read_only,
        })
    }
}

fn wrong(problem: String) -> SyntaxError {
    SyntaxError::Mount { problem }
}

fn unsupported(what: &str) -> SyntaxError {
    SyntaxError::Unsupported {
        what: what.to_owned(),
        instead: "use mounts of type `bind`, `cache` or `tmpfs`",
    }
}

fn switch(key: &str, value: Option<&str>) -> Result<bool, SyntaxError> {
    match value.map(str::to_ascii_lowercase).as_deref() {
        None | Some("true" | "1" | "t") => Ok(true),
        Some("false" | "0" | "f") => Ok(false),
        Some(other) => Err(wrong(format!(
            "`{key}` is `true` or `false`, not `{other}`"
        ))),
    }
}

fn sharing(value: &str) -> Result<Sharing, SyntaxError> {
    match value.to_ascii_lowercase().as_str() {
        "shared" => Ok(Sharing::Shared),
        "private" => Ok(Sharing::Private),
        "locked" => Ok(Sharing::Locked),
        other => Err(wrong(format!(
            "`sharing` is `shared`, `private` or `locked`, not `{other}`"
        ))),
    }
}

fn number(key: &str, value: &str, radix: u32) -> Result<u32, SyntaxError> {
    u32::from_str_radix(value, radix).map_err(|_| wrong(format!("`{key}` is no number: `{value}`")))
}

/// A number of bytes with an optional unit, such as `64m` or `1GiB`.
fn bytes(value: &str) -> Result<u64, SyntaxError> {
    let lower = value.to_ascii_lowercase();
    let digits = lower.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let factor = match &lower[digits.len()..] {
        "" | "b" => Some(1),
        "k" | "kb" | "kib" => Some(1 << 10),
        "m" | "mb" | "mib" => Some(1 << 20),
        "g" | "gb" | "gib" => Some(1 << 30),
        _ => None,
    };
    let size = digits
        .parse::<u64>()
        .ok()
        .zip(factor)
        .and_then(|(count, unit)| count.checked_mul(unit));
    size.ok_or_else(|| wrong(format!("`size` is no number of bytes: `{value}`")))
}
