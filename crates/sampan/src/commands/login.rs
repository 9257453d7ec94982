//! `sampan login`: who asks a registry, verified before it is kept.

use std::process::ExitCode;

use sampan_registry::client::{Client, Kept, Secret};
use serde_json::json;

use super::remote::{Connection, Host, failure, password_from_stdin, shown};
use crate::config;
use crate::context::Context;
use crate::failure::Failure;

/// Arguments of `sampan login`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The registry, such as `registry.example:5000`
    #[arg(value_name = "HOST")]
    host: Host,
    /// The name; asked for when it is not given
    #[arg(long, short)]
    username: Option<String>,
    /// Read the password from standard input
    #[arg(long, requires = "username")]
    password_stdin: bool,
    /// Speak to the registry without TLS
    #[arg(long, visible_alias = "insecure")]
    plain_http: bool,
    #[command(flatten)]
    connection: Connection,
}

/// Asks, verifies and keeps.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let host = args.host.as_str();
    let plain = args.plain_http.then(|| host.to_owned());
    let settings = args.connection.settings(context, plain)?;
    let username = match &args.username {
        Some(username) => username.clone(),
        None => ask(context, "Username", false)?,
    };
    let password = Secret::new(if args.password_stdin {
        password_from_stdin(context)?
    } else {
        ask(context, "Password", true)?
    });
    let client = Client::new(settings);
    context.block_on(async {
        let verified = client.verify(host, &username, &password).await;
        verified.map_err(|error| match error {
            error @ sampan_registry::client::ClientError::Unauthorized { .. } => {
                failure(error).with_hint("check the name and the password; nothing was kept")
            }
            error => failure(error),
        })
    })?;
    let files = config::credential_files();
    let kept = files.keep(host, &username, &password);
    let kept = kept.map_err(|error| failure(error.into()))?;
    if let Some(path) = files.explicit.as_ref()
        && let Ok(Some(first)) = files.elsewhere(host)
        && first == *path
    {
        context.ui().note(format!(
            "`{}` has credentials for {host} as well, which come first",
            path.display()
        ));
    }
    report(context, host, &username, &kept)?;
    Ok(ExitCode::SUCCESS)
}

fn ask(context: &Context, what: &str, secret: bool) -> Result<String, Failure> {
    context.ui().ask(what, secret)?.ok_or_else(|| {
        Failure::new("there is nobody to ask for name and password")
            .with_hint("give `--username NAME --password-stdin` and the password on standard input")
    })
}

fn report(context: &Context, host: &str, username: &str, kept: &Kept) -> Result<(), Failure> {
    let (file, helper) = match kept {
        Kept::File(path) => (Some(shown(path)), None),
        Kept::Helper(name) => (None, Some(name)),
    };
    if context.json() {
        return context.ui().json(&json!({
            "registry": host,
            "username": username,
            "file": file,
            "helper": helper,
        }));
    }
    let place = match (file, helper) {
        (Some(file), _) => format!("kept in `{file}`, legible for you and root"),
        (None, helper) => format!(
            "kept by `docker-credential-{}`",
            helper.map_or("", |name| name)
        ),
    };
    context
        .ui()
        .line(format!("logged in to {host} as {username}; {place}"))
}
