//! Addresses of remotes: what they tell of a repository and its forge.

use sampan_pipeline::build::Repository;

/// The repository that an address leads to. What logs in is left out: addresses become variables of steps.
pub(super) fn repository(url: &str) -> Repository {
    let Some(parts) = Parts::of(url) else {
        let path = url.trim_end_matches('/');
        let name = path.rsplit('/').next().unwrap_or(path);
        return Repository {
            name: without_extension(name).to_owned(),
            clone_url: url.to_owned(),
            ..Repository::default()
        };
    };
    let path = without_extension(parts.path.trim_matches('/'));
    let (owner, name) = path.rsplit_once('/').unwrap_or(("", path));
    let web = format!("{}://{}", parts.scheme(), parts.web_host());
    let link = format!("{web}/{path}");
    Repository {
        owner: owner.to_owned(),
        name: name.to_owned(),
        clone_url: format!("{link}.git"),
        clone_ssh_url: if parts.is_ssh {
            url.to_owned()
        } else {
            String::new()
        },
        forge: forge(parts.host).to_owned(),
        forge_url: web,
        link,
        ..Repository::default()
    }
}

struct Parts<'a> {
    is_ssh: bool,
    is_plain: bool,
    host: &'a str,
    port: Option<&'a str>,
    path: &'a str,
}

impl<'a> Parts<'a> {
    /// `SCHEME://[USER@]HOST[:PORT]/PATH` or `[USER@]HOST:PATH`; `None` for a path of this machine.
    fn of(url: &'a str) -> Option<Self> {
        if let Some((scheme, rest)) = url.split_once("://") {
            let (authority, path) = rest.split_once('/')?;
            let host = authority.rsplit('@').next()?;
            let (host, port) = match host.rsplit_once(':') {
                Some((host, port)) if !port.contains(']') => (host, Some(port)),
                _ => (host, None),
            };
            return (scheme != "file" && !host.is_empty()).then_some(Self {
                is_ssh: scheme.contains("ssh"),
                is_plain: scheme == "http",
                host,
                port,
                path,
            });
        }
        let (host, path) = url.split_once(':')?;
        if host.contains('/') || host.is_empty() {
            return None;
        }
        Some(Self {
            is_ssh: true,
            is_plain: false,
            host: host.rsplit('@').next()?,
            port: None,
            path,
        })
    }

    fn scheme(&self) -> &'static str {
        if self.is_plain { "http" } else { "https" }
    }

    /// Pages are not served at the port of SSH.
    fn web_host(&self) -> String {
        match self.port.filter(|_| !self.is_ssh) {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.to_owned(),
        }
    }
}

fn without_extension(path: &str) -> &str {
    path.strip_suffix(".git").unwrap_or(path)
}

/// The kind of forge, where its name tells.
fn forge(host: &str) -> &'static str {
    let kinds = ["github", "gitlab", "gitea", "forgejo", "gogs", "bitbucket"];
    let found = kinds.into_iter().find(|kind| host.contains(kind));
    match (found, host) {
        (Some(kind), _) => kind,
        (None, "codeberg.org") => "forgejo",
        (None, _) => "",
    }
}

#[cfg(test)]
mod tests {
    use super::repository;

    #[test]
    fn addresses_tell_repository_and_forge() {
        for (url, slug, clone, forge) in [
            (
                "https://github.com/team/shop.git",
                "team/shop",
                "https://github.com/team/shop.git",
                "github",
            ),
            (
                "https://robot:secret@git.example:8443/a/b/shop",
                "a/b/shop",
                "https://git.example:8443/a/b/shop.git",
                "",
            ),
            (
                "git@gitlab.example:team/shop.git",
                "team/shop",
                "https://gitlab.example/team/shop.git",
                "gitlab",
            ),
            (
                "ssh://git@git.example:2222/team/shop.git",
                "team/shop",
                "https://git.example/team/shop.git",
                "",
            ),
            ("/srv/git/shop.git", "shop", "/srv/git/shop.git", ""),
            ("../shop", "shop", "../shop", ""),
        ] {
            let found = repository(url);
            assert_eq!(found.slug(), slug, "{url}");
            assert_eq!(found.clone_url, clone, "{url}");
            assert_eq!(found.forge, forge, "{url}");
            assert!(!found.forge_url.contains("secret"), "{url}");
        }
    }
}
