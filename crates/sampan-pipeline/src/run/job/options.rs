//! Options of containers, as `docker create` takes them.

use sampan_container::Resources;
use sampan_model::yaml::Location;

use super::JobError;
use crate::github::{Options, words};
use crate::graph::{Container, Deferred};
use crate::run::environment::Variables;
use crate::run::stage_run::StageRun;
use crate::run::step::StepError;

/// Options that mean nothing here: names, and how Docker keeps and shows things.
const HARMLESS: [&str; 15] = [
    "--name",
    "--label",
    "--log-driver",
    "--log-opt",
    "--init",
    "--interactive",
    "--tty",
    "--rm",
    "--restart",
    "--network-alias",
    "--expose",
    "--pull",
    "--platform",
    "--stop-timeout",
    "--publish-all",
];

/// Puts the options of a container into what is known of it; gives the variables that they set.
pub(in crate::run) fn apply(
    run: &StageRun<'_>,
    container: &mut Container,
) -> Result<Variables, StepError> {
    let mut variables = Variables::new();
    let Some(options) = container.options.take() else {
        return Ok(variables);
    };
    let options = parse(&run.text(&options)?, &run.stage.location)?;
    put_all(container, &mut variables, &options)?;
    Ok(variables)
}

/// Looks whether options can be carried out.
pub(in crate::run) fn check(options: &Options) -> Result<(), JobError> {
    put_all(&mut Container::default(), &mut Variables::new(), options)
}

fn put_all(
    container: &mut Container,
    variables: &mut Variables,
    options: &Options,
) -> Result<(), JobError> {
    for (name, value) in &options.others {
        let value = value.as_deref().unwrap_or_default();
        if !HARMLESS.contains(&name.as_str()) && !put(container, variables, name, value) {
            return Err(JobError::Option {
                option: name.clone(),
            });
        }
    }
    Ok(())
}

/// Reads options.
pub(in crate::run) fn parse(text: &str, location: &Location) -> Result<Options, StepError> {
    Ok(Options::parse(text, location).map_err(JobError::Pipeline)?)
}

/// Puts one option in; false when it cannot be carried out.
fn put(container: &mut Container, variables: &mut Variables, name: &str, value: &str) -> bool {
    let limits = &mut container.limits;
    match name {
        "--env" => match value.split_once('=') {
            Some((name, value)) => drop(variables.insert(name.to_owned(), value.to_owned())),
            // The variable of a machine that there is not.
            None => return true,
        },
        "--user" => container.user = Some(value.to_owned()),
        "--privileged" => container.privileged = true,
        "--workdir" => container.working_directory = Some(Deferred::Now(value.to_owned())),
        "--add-host" => container.extra_hosts.push(value.to_owned()),
        "--cap-add" => container.cap_add.push(value.to_owned()),
        "--cap-drop" => container.cap_drop.push(value.to_owned()),
        "--device" => container.devices.push(value.to_owned()),
        "--dns" => container.dns.push(value.to_owned()),
        "--dns-search" => container.dns_search.push(value.to_owned()),
        "--tmpfs" => container.tmpfs.push(value.to_owned()),
        "--cpus" => match value.parse::<f64>() {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "numbers of processors are small, and large ones saturate"
            )]
            Ok(count) => limits.cpu_quota_us = Some((count * 100_000.0) as i64),
            Err(_) => return false,
        },
        "--cpuset-cpus" => limits.cpu_set = Some(value.to_owned()),
        "--memory-swappiness" => match value.parse::<u64>() {
            Ok(swappiness) if swappiness <= 100 && Resources::swappiness_is_known() => {
                limits.swappiness = Some(swappiness);
            }
            // -1 leaves it to the machine.
            _ => return value == "-1",
        },
        "--memory" | "--shm-size" => {
            let Some(bytes) = bytes(value) else {
                return false;
            };
            if name == "--memory" {
                limits.memory_bytes = Some(bytes);
            } else {
                limits.shared_memory_bytes = Some(bytes);
            }
        }
        _ => return name.starts_with("--health-") || name == "--no-healthcheck",
    }
    true
}

/// Bytes with a unit: `b`, `k`, `m` or `g`, powers of 1024.
fn bytes(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let lower = lower.strip_suffix('b').unwrap_or(&lower);
    let (number, shift) = match lower.chars().last()? {
        'k' => (&lower[..lower.len() - 1], 10),
        'm' => (&lower[..lower.len() - 1], 20),
        'g' => (&lower[..lower.len() - 1], 30),
        _ => (lower, 0),
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift)
}

/// A command line as a shell would split it.
pub(super) fn split(line: &str) -> Vec<String> {
    words(line).unwrap_or_else(|| vec![line.to_owned()])
}
