//! From an image and options to the description of a container.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use sampan_container::{
    Capabilities, ContainerSpec, DnsConfig, HostEntry, Mount, MountKind, Network, Process,
    Resources, RootFs, Signal, user,
};
use sampan_model::Hint as _;
use sampan_oci::{Config, Image, Reference};

use super::options::{Args, NetworkMode};
use crate::context::Context;
use crate::failure::{Exit, Failure, OrFail as _};

/// The size at which the log of a container is rotated, in bytes.
const LOG_LIMIT_BYTES: u64 = 64 << 20;

/// Describes the container.
pub(super) fn describe(args: &Args, context: &Context) -> Result<ContainerSpec, Failure> {
    let (reference, image) = find(&args.image, context)?;
    let lower = context.snapshots()?.prepare(&context.content()?, &image)?;
    let process = process(args, &image, &lower)?;
    let stop_signal = match (args.stop_signal, image.setting(Config::stop_signal)) {
        (Some(signal), _) => Some(signal),
        (None, Some(text)) => Some(text.parse()?),
        (None, None) => None,
    };
    let dns = !args.dns.is_empty() || !args.dns_search.is_empty();
    Ok(ContainerSpec {
        name: args.name.clone(),
        image: reference.familiar(),
        rootfs: RootFs {
            lower,
            upper: None,
            read_only: args.read_only,
            directories: image.volumes(),
        },
        process,
        hostname: args.hostname.clone(),
        mounts: mounts(args, context)?,
        network: network(args)?,
        resources: Resources {
            memory_bytes: args.memory,
            cpu_millis: args.cpus,
            pids: args.pids_limit,
            ..Resources::default()
        },
        labels: labels(args, &image),
        stop_signal,
        hosts: args
            .add_host
            .iter()
            .map(|(name, address)| HostEntry {
                address: *address,
                names: vec![name.clone()],
            })
            .collect(),
        dns: dns.then(|| DnsConfig {
            servers: args.dns.clone(),
            host_servers: true,
            search: args.dns_search.clone(),
            options: Vec::new(),
        }),
        log_limit_bytes: Some(LOG_LIMIT_BYTES),
        auto_remove: args.rm,
        ..ContainerSpec::default()
    })
}

/// The image of a name.
fn find(name: &str, context: &Context) -> Result<(Reference, Image), Failure> {
    let reference: Reference = name.parse()?;
    let store = context.content()?;
    let Some(descriptor) = store.resolve(&reference)? else {
        return Err(Failure::new(format!("no image `{}`", reference.familiar()))
            .with_hint(
                "`sampan image ls` lists the images; bring one with `sampan pull` or \
                 `sampan load`, or make one with `sampan build` or `sampan image import`",
            )
            .with_exit(Exit::NotFound));
    };
    let image = store.image(&descriptor)?;
    Ok((reference, image))
}

fn process(args: &Args, image: &Image, lower: &[PathBuf]) -> Result<Process, Failure> {
    let name = args.user.clone().or_else(|| image.setting(Config::user));
    let mut env = image.setting(Config::env).unwrap_or_default();
    if args.tty
        && let Some(kind) = crate::config::terminal_type()
    {
        env.push(format!("TERM={kind}"));
    }
    env.extend(environment(&args.env, &args.env_file)?);
    let cwd = args
        .workdir
        .clone()
        .or_else(|| image.setting(Config::working_dir));
    let cwd = cwd
        .filter(|cwd| !cwd.is_empty())
        .unwrap_or_else(|| "/".to_owned());
    if !cwd.starts_with('/') {
        return Err(Failure::new(format!(
            "the working directory `{cwd}` is not an absolute path"
        ))
        .with_hint("begin it with `/`"));
    }
    Ok(Process {
        args: command(args, image)?,
        env,
        cwd,
        user: user::resolve(lower, name.as_deref().unwrap_or_default())?,
        terminal: args.tty,
        stdin: args.interactive,
        stdin_once: args.interactive && !args.detach,
        capabilities: Capabilities {
            add: args.cap_add.clone(),
            drop: args.cap_drop.clone(),
        },
        privileged: args.privileged,
        no_new_privileges: args.no_new_privileges,
        ..Process::default()
    })
}

fn command(args: &Args, image: &Image) -> Result<Vec<String>, Failure> {
    // An empty entry point only takes the image's away.
    let entrypoint = args.entrypoint.as_ref().map(|own| {
        let word = Some(own.clone()).filter(|own| !own.is_empty());
        word.into_iter().collect()
    });
    let command = Some(args.command.clone()).filter(|command| !command.is_empty());
    let line = image.command_line(entrypoint, command);
    if line.is_empty() {
        return Err(Failure::new("the image names no command")
            .with_hint("write the command behind the image, as in `sampan run IMAGE sh`"));
    }
    Ok(line)
}

/// Variables of files and options, the later winning.
pub(crate) fn environment(given: &[String], files: &[PathBuf]) -> Result<Vec<String>, Failure> {
    let mut lines = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(file)
            .or_fail(format!("cannot read the variables in `{}`", file.display()))?;
        let meant = text.lines().map(str::trim_start);
        lines.extend(
            meant
                .filter(|line| !line.is_empty() && !line.starts_with('#'))
                .map(str::to_owned),
        );
    }
    lines.extend(given.iter().cloned());
    let mut variables = Vec::new();
    for line in lines {
        match line.split_once('=') {
            Some(("", _)) => {
                return Err(Failure::new(format!("`{line}` is not a variable"))
                    .with_hint("write NAME=VALUE, or NAME to pass the caller's"));
            }
            Some(_) => variables.push(line),
            None => {
                variables
                    .extend(crate::config::variable(&line).map(|value| format!("{line}={value}")));
            }
        }
    }
    Ok(variables)
}

fn labels(args: &Args, image: &Image) -> BTreeMap<String, String> {
    let own = image.setting(Config::labels).unwrap_or_default();
    let given = args.label.iter().map(|label| {
        let (name, value) = label.split_once('=').unwrap_or((label, ""));
        (name.to_owned(), value.to_owned())
    });
    own.into_iter().chain(given).collect()
}

fn network(args: &Args) -> Result<Network, Failure> {
    if args.network != NetworkMode::Bridge && !args.publish.is_empty() {
        return Err(
            Failure::new("ports can be published with the bridge network only").with_hint(
                "leave `--publish` out: with `--network host` every port is the machine's own",
            ),
        );
    }
    Ok(match args.network {
        NetworkMode::Bridge => Network::Bridge {
            ports: args.publish.clone(),
        },
        NetworkMode::Host => Network::Host,
        NetworkMode::None => Network::None,
    })
}

fn mounts(args: &Args, context: &Context) -> Result<Vec<Mount>, Failure> {
    let mut mounts = Vec::new();
    for text in &args.volume {
        mounts.push(volume(text, context.data())?);
    }
    for text in &args.tmpfs {
        mounts.push(tmpfs(text)?);
    }
    Ok(mounts)
}

/// `TARGET[:OPTION,…]`, with the options `size=BYTES`, `rw` and `ro`.
fn tmpfs(text: &str) -> Result<Mount, Failure> {
    let (target, options) = text.split_once(':').unwrap_or((text, ""));
    let mut mount = Mount {
        source: PathBuf::new(),
        target: PathBuf::from(target),
        read_only: false,
        kind: MountKind::Tmpfs { size_bytes: None },
    };
    for option in options.split(',').filter(|option| !option.is_empty()) {
        match (option, option.strip_prefix("size=")) {
            ("rw", _) => mount.read_only = false,
            ("ro", _) => mount.read_only = true,
            (_, Some(size)) => {
                mount.kind = MountKind::Tmpfs {
                    size_bytes: Some(parse_bytes(size).map_err(Failure::new)?),
                };
            }
            _ => {
                return Err(
                    Failure::new(format!("`{option}` is no option of `--tmpfs`"))
                        .with_hint("write TARGET or TARGET:size=BYTES, with `,ro` for one that cannot be written"),
                );
            }
        }
    }
    Ok(mount)
}

/// `SOURCE:TARGET[:ro]`: a path that is made when it does not exist, or the name of a volume.
fn volume(text: &str, data: &Path) -> Result<Mount, Failure> {
    let malformed = || {
        Failure::new(format!("`{text}` is not a volume"))
            .with_hint("write SOURCE:TARGET or SOURCE:TARGET:ro; TARGET begins with `/`")
    };
    let mut parts = text.split(':');
    let (Some(source), Some(target)) = (parts.next(), parts.next()) else {
        return Err(malformed());
    };
    let read_only = match (parts.next(), parts.next()) {
        (None | Some("rw"), None) => false,
        (Some("ro"), None) => true,
        _ => return Err(malformed()),
    };
    if source.is_empty() || !target.starts_with('/') {
        return Err(malformed());
    }
    let source = if source.contains('/') || source.starts_with('.') {
        std::path::absolute(source).or_fail(format!("cannot use `{source}`"))?
    } else {
        data.join("volumes").join(source)
    };
    if !source.exists() {
        std::fs::create_dir_all(&source)
            .or_fail(format!("cannot make the folder `{}`", source.display()))?;
    }
    Ok(Mount {
        source,
        target: PathBuf::from(target),
        read_only,
        kind: MountKind::Bind,
    })
}

/// Bytes with a unit as docker's: `b`, `k`, `m`, `g`, powers of 1024.
pub(super) fn parse_bytes(text: &str) -> Result<u64, String> {
    let lower = text.to_ascii_lowercase();
    let lower = lower.strip_suffix("ib").unwrap_or(&lower);
    let (number, shift) = match lower.char_indices().last() {
        Some((end, 'b')) => (&lower[..end], 0),
        Some((end, 'k')) => (&lower[..end], 10),
        Some((end, 'm')) => (&lower[..end], 20),
        Some((end, 'g')) => (&lower[..end], 30),
        _ => (lower, 0),
    };
    let number: u64 = number
        .parse()
        .map_err(|_| "write a number such as 512m or 2g".to_owned())?;
    number
        .checked_shl(shift)
        .filter(|bytes| bytes >> shift == number && number > 0)
        .ok_or_else(|| "the number is too large, or zero".to_owned())
}

/// Processors as a decimal number, in thousandths.
pub(super) fn parse_cpus(text: &str) -> Result<u64, String> {
    let wrong = || "write a number such as 2 or 0.5".to_owned();
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let whole: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().map_err(|_| wrong())?
    };
    let digits: String = part.chars().chain("000".chars()).take(3).collect();
    let part: u64 = digits.parse().map_err(|_| wrong())?;
    let millis = whole
        .checked_mul(1000)
        .and_then(|millis| millis.checked_add(part));
    millis.filter(|millis| *millis > 0).ok_or_else(wrong)
}

/// `NAME:ADDRESS`.
pub(super) fn parse_host(text: &str) -> Result<(String, IpAddr), String> {
    text.split_once(':')
        .and_then(|(name, address)| Some((name.to_owned(), address.parse().ok()?)))
        .ok_or_else(|| "write NAME:ADDRESS, as in db:10.0.0.7".to_owned())
}

pub(super) fn parse_signal(text: &str) -> Result<Signal, String> {
    text.parse::<Signal>()
        .map_err(|error| error.hint().unwrap_or_else(|| error.to_string()))
}
