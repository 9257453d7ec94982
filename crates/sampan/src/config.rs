//! The environment, read here and nowhere else.
//!
//! Options with an `env` in `cli` are read by clap; what follows has no option of its own.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the one home of the environment"
)]

use std::path::PathBuf;

use sampan_registry::client::{CredentialFiles, Proxies};

use crate::failure::Failure;

/// The proxy settings that a build passes to its `RUN` steps, as `NAME=value`.
pub(crate) fn proxy_variables() -> Vec<(String, String)> {
    const NAMES: [&str; 8] = [
        "http_proxy",
        "https_proxy",
        "ftp_proxy",
        "no_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "FTP_PROXY",
        "NO_PROXY",
    ];
    NAMES
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)))
        .collect()
}

/// Where docker and podman keep credentials: `REGISTRY_AUTH_FILE`, then `DOCKER_CONFIG` or `HOME`, then
/// `XDG_RUNTIME_DIR` and `XDG_CONFIG_HOME`.
pub(crate) fn credential_files() -> CredentialFiles {
    let folder = |name: &str| {
        let path = std::env::var_os(name).filter(|path| !path.is_empty());
        path.map(PathBuf::from)
    };
    let docker = folder("DOCKER_CONFIG").or_else(|| Some(folder("HOME")?.join(".docker")));
    // Podman's places (containers-auth.json(5)); root often has no runtime folder of its own.
    let runtime = folder("XDG_RUNTIME_DIR").map_or_else(
        || PathBuf::from(format!("/run/containers/{}", nix::unistd::geteuid())),
        |folder| folder.join("containers"),
    );
    let configured = folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")));
    let configured = configured.map(|folder| folder.join("containers"));
    let podman = [Some(runtime), configured].into_iter().flatten();
    CredentialFiles {
        explicit: folder("REGISTRY_AUTH_FILE"),
        docker: docker.map(|folder| folder.join("config.json")),
        others: podman.map(|folder| folder.join("auth.json")).collect(),
    }
}

/// `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, in small letters first: the proxies on the way to registries.
///
/// # Errors
/// When one of them is no address: nobody shall be gone around in silence.
pub(crate) fn proxies() -> Result<Proxies, Failure> {
    let text = |name: &str| {
        let either = [name.to_lowercase(), name.to_owned()].map(std::env::var);
        let mut either = either.into_iter().filter_map(Result::ok);
        either.find(|text| !text.is_empty())
    };
    let url = |name: &str| {
        let Some(text) = text(name) else {
            return Ok(None);
        };
        let whole = if text.contains("://") {
            text
        } else {
            format!("http://{text}")
        };
        let parsed = whole.parse().ok().filter(Proxies::can_be);
        // The text may hold a password.
        parsed.map(Some).ok_or_else(|| {
            Failure::new(format!("the variable {name} holds no address of a proxy"))
                .with_hint("give one such as `http://proxy.example:3128`, or unset the variable")
        })
    };
    let except = text("NO_PROXY").unwrap_or_default();
    let except = except.split(',').map(str::trim).map(str::to_owned);
    Ok(Proxies {
        http: url("HTTP_PROXY")?,
        https: url("HTTPS_PROXY")?,
        except: except.filter(|one| !one.is_empty()).collect(),
    })
}

/// `SOURCE_DATE_EPOCH`: the time, in seconds since 1970, that reproducible builds give to what they make.
///
/// # Errors
/// When it is set to something else than a number: times must not silently be others than those that were asked for.
pub(crate) fn source_date_epoch() -> Result<Option<i64>, Failure> {
    let Some(text) = std::env::var_os("SOURCE_DATE_EPOCH").filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let seconds = text.to_str().and_then(|text| text.parse().ok());
    seconds.map(Some).ok_or_else(|| {
        let text = text.to_string_lossy();
        Failure::new(format!(
            "the variable SOURCE_DATE_EPOCH is `{text}`, which is no number of seconds"
        ))
        .with_hint(
            "give whole seconds since 1970, such as `git log -1 --format=%ct` prints, or unset it",
        )
    })
}

/// A variable that the user names on the command line, such as with `--build-arg NAME` or `--env NAME`.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// `TERM`, for interactive processes in containers.
pub(crate) fn terminal_type() -> Option<String> {
    std::env::var("TERM").ok()
}

/// `USER` (or `SUDO_USER` before it): who gives an order.
pub(crate) fn user_name() -> String {
    std::env::var("SUDO_USER")
        .or_else(|_| std::env::var("USER"))
        .unwrap_or_else(|_| "root".to_owned())
}
