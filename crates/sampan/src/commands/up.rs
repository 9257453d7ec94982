//! `sampan up`: the server of an installation.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use crate::context::Context;
use crate::failure::{Failure, OrFail as _};
use crate::server::{self, ServerFacts};
use crate::wiring::{self, Addresses};

/// How long a server that goes on in the background may take until it serves.
const START_LIMIT: Duration = Duration::from_mins(1);

/// From which size on the server's log is put aside when a server starts.
const LOG_LIMIT_BYTES: u64 = 16 << 20;

/// Arguments of `sampan up`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Go on in the background, logging to `server.log` in the data folder
    #[arg(long, short)]
    detach: bool,
    /// Where the Kubernetes API listens
    #[arg(long, value_name = "ADDRESS", default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 6443)))]
    kube_listen: SocketAddr,
    /// Where the gateway serves HTTP [default: port 80 of all addresses, or 8080 when not permitted]
    #[arg(long, value_name = "ADDRESS")]
    http_listen: Option<SocketAddr>,
    /// Where the registry listens, with and without TLS on the same port
    #[arg(long, value_name = "ADDRESS", default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 7080)))]
    registry_listen: SocketAddr,
    /// Resolvers that pods may ask for names outside of the cluster; none by default
    #[arg(long, value_name = "ADDRESS")]
    dns_forward: Vec<SocketAddr>,
    /// Lead a session of its own (set by `--detach`)
    #[arg(long, hide = true)]
    session: bool,
}

/// Serves until told to stop, or sees a server in the background to its start.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    context.require_root("running pods")?;
    if args.detach {
        let facts = detach(args, context)?;
        say_ready(&facts, context)?;
        return Ok(ExitCode::SUCCESS);
    }
    if args.session {
        nix::unistd::setsid().or_fail("cannot start a session")?;
    }
    let addresses = Addresses {
        kubernetes: args.kube_listen,
        http: args.http_listen.map_or_else(
            || {
                [80, 8080]
                    .map(|port| SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)))
                    .into()
            },
            |address| vec![address],
        ),
        registry: args.registry_listen,
        dns_forward: args.dns_forward.clone(),
    };
    wiring::serve(context, &addresses, |facts| say_ready(facts, context))?;
    Ok(ExitCode::SUCCESS)
}

fn say_ready(facts: &ServerFacts, context: &Context) -> Result<(), Failure> {
    if context.json() {
        return context.ui().json(facts);
    }
    let ui = context.ui();
    ui.line(format!(
        "Sampan {} is up (process {})",
        facts.version, facts.pid
    ))?;
    ui.line(format!("  gateway          http://{}", facts.http))?;
    ui.line(format!("  Kubernetes API   https://{}", facts.kubernetes))?;
    ui.line(format!("  registry         {}", facts.registry))?;
    ui.line("  next: `sampan load BUNDLE` and `sampan deploy APP@VERSION`; `sampan kubeconfig` for kubectl")
}

fn detach(args: &Args, context: &Context) -> Result<ServerFacts, Failure> {
    if let Some(facts) = answering(context)? {
        return Ok(facts);
    }
    std::fs::create_dir_all(context.data()).or_fail("cannot make the data folder")?;
    let log_path = context.data().join("server.log");
    let (log, log_start) = open_log(&log_path)?;
    let mut command =
        Command::new(std::env::current_exe().or_fail("cannot find the program's own file")?);
    command
        .arg("--data")
        .arg(context.data())
        .args(["--quiet", "up", "--session"])
        .arg(format!("--kube-listen={}", args.kube_listen))
        .arg(format!("--registry-listen={}", args.registry_listen));
    if let Some(address) = &args.http_listen {
        command.arg("--http-listen").arg(address.to_string());
    }
    for address in &args.dns_forward {
        command.arg("--dns-forward").arg(address.to_string());
    }
    let mut child = command
        .args(context.log_arguments())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .or_fail("cannot start the server")?;
    let waiting = context.ui().spinner("waiting for the server");
    let deadline = Instant::now() + START_LIMIT;
    loop {
        if let Some(facts) =
            server::running(context.data())?.filter(|facts| facts.pid.cast_unsigned() == child.id())
        {
            return Ok(facts);
        }
        if child
            .try_wait()
            .or_fail("cannot wait for the server")?
            .is_some()
        {
            return Err(refusal(&log_path, log_start));
        }
        if Instant::now() > deadline {
            return Err(
                Failure::new(format!("the server does not serve after {START_LIMIT:?}"))
                    .with_hint(format!("look at `{}`", log_path.display())),
            );
        }
        waiting.set_label("waiting for the server");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The server that runs already, if one does.
fn answering(context: &Context) -> Result<Option<ServerFacts>, Failure> {
    let deadline = Instant::now() + START_LIMIT;
    while let Some(facts) = server::running(context.data())? {
        if facts.answers() {
            return Ok(Some(facts));
        }
        if Instant::now() > deadline {
            return Err(Failure::new(format!(
                "the server (process {}) is alive but does not answer",
                facts.pid
            ))
            .with_hint("stop it with `sampan down`; what runs in it is started again"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(None)
}

/// Opens the log at its end and says where that is. A large one is put aside, in place of the one before it.
fn open_log(path: &Path) -> Result<(File, u64), Failure> {
    let size = |path: &Path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    if size(path) > LOG_LIMIT_BYTES {
        std::fs::rename(path, path.with_extension("log.1"))
            .or_fail(format!("cannot put `{}` aside", path.display()))?;
    }
    let log = File::options()
        .create(true)
        .append(true)
        .open(path)
        .or_fail(format!("cannot open `{}`", path.display()))?;
    Ok((log, size(path)))
}

/// What a server that ended at once had to say: its own message rather than one about it.
fn refusal(log_path: &Path, log_start: u64) -> Failure {
    let mut said = Vec::new();
    let read = File::open(log_path).and_then(|mut log| {
        log.seek(SeekFrom::Start(log_start))?;
        log.take(LOG_LIMIT_BYTES).read_to_end(&mut said)
    });
    if let Err(error) = read {
        tracing::debug!(%error, "cannot read the server's log");
    }
    let said = String::from_utf8_lossy(&said);
    let mut parts = Vec::new();
    let mut hint = None;
    for line in said.lines().skip_while(|line| !line.starts_with("error: ")) {
        let line = line.trim_start();
        parts.extend(
            line.strip_prefix("error: ")
                .or_else(|| line.strip_prefix("because: ")),
        );
        hint = hint.or_else(|| line.strip_prefix("hint: ").map(str::to_owned));
    }
    let message = if parts.is_empty() {
        "the server ended at once".to_owned()
    } else {
        parts.join(": ")
    };
    Failure::new(message)
        .with_hint(hint.unwrap_or_else(|| format!("look at `{}`", log_path.display())))
}
