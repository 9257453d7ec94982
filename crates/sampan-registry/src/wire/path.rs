//! Which resource a path names. Repository names contain slashes, so paths are read from their end.

use super::chart_path::ChartRoute;
use super::name::RepositoryName;
use super::query;

/// The resource behind a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// `/v2/`: whether this is a registry.
    Base,
    /// `/v2/_catalog`: all repositories.
    Catalog,
    /// `/v2/token`: where tokens are issued.
    Token,
    /// `/v2/<name>/tags/list`.
    Tags(RepositoryName),
    /// `/v2/<name>/manifests/<tag or digest>`.
    Manifest(RepositoryName, String),
    /// `/v2/<name>/blobs/<digest>`.
    Blob(RepositoryName, String),
    /// `/v2/<name>/blobs/uploads/`: where uploads begin.
    Uploads(RepositoryName),
    /// `/v2/<name>/blobs/uploads/<id>`: an upload.
    Upload(RepositoryName, String),
    /// `/v2/<name>/referrers/<digest>`.
    Referrers(RepositoryName, String),
    /// `/api/registry/collection`: where collections are ordered.
    Collection,
    /// `/charts/…`.
    Chart(ChartRoute),
    /// `/metrics`.
    Metrics,
    /// `/healthz`: whether the process lives.
    Health,
    /// `/readyz`: whether it can serve.
    Readiness,
}

/// Why a path names nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// There is no such resource.
    #[error("`{path}` is not a resource of this server")]
    Unknown {
        /// The path.
        path: String,
    },
    /// The part where a repository's name is expected is none.
    #[error("`{name}` is not the name of a repository")]
    Name {
        /// The part.
        name: String,
    },
}

impl Route {
    /// Reads the path of a request, still percent-encoded.
    ///
    /// # Errors
    /// [`PathError`] when it names nothing.
    pub fn parse(path: &str) -> Result<Self, PathError> {
        match path {
            "/v2/" | "/v2" => return Ok(Self::Base),
            "/v2/_catalog" => return Ok(Self::Catalog),
            "/v2/token" => return Ok(Self::Token),
            "/api/registry/collection" => return Ok(Self::Collection),
            "/metrics" => return Ok(Self::Metrics),
            "/healthz" => return Ok(Self::Health),
            "/readyz" => return Ok(Self::Readiness),
            _ => {}
        }
        let unknown = || PathError::Unknown {
            path: path.to_owned(),
        };
        if let Some(rest) = path.strip_prefix("/charts/") {
            return ChartRoute::parse(rest).map(Self::Chart).ok_or_else(unknown);
        }
        let rest = path.strip_prefix("/v2/").ok_or_else(unknown)?;
        Self::in_repository(rest).ok_or_else(unknown)?
    }

    fn in_repository(rest: &str) -> Option<Result<Self, PathError>> {
        let (head, last) = rest.rsplit_once('/')?;
        let (name, route): (&str, fn(RepositoryName, String) -> Self) =
            if let Some(name) = head.strip_suffix("/manifests") {
                (name, Self::Manifest)
            } else if let Some(name) = head.strip_suffix("/blobs/uploads") {
                (name, |name, id| match id.as_str() {
                    "" => Self::Uploads(name),
                    _ => Self::Upload(name, id),
                })
            } else if let Some(name) = head.strip_suffix("/blobs") {
                (name, |name, digest| match digest.as_str() {
                    "uploads" => Self::Uploads(name),
                    _ => Self::Blob(name, digest),
                })
            } else if let Some(name) = head.strip_suffix("/referrers") {
                (name, Self::Referrers)
            } else if let Some(name) = head.strip_suffix("/tags")
                && last == "list"
            {
                (name, |name, _| Self::Tags(name))
            } else {
                return None;
            };
        Some(match name.parse() {
            Ok(name) => Ok(route(name, query::decode(last))),
            Err(_) => Err(PathError::Name {
                name: name.to_owned(),
            }),
        })
    }

    /// The repository that the path lies in.
    #[must_use]
    pub fn repository(&self) -> Option<&RepositoryName> {
        match self {
            Self::Tags(name)
            | Self::Manifest(name, _)
            | Self::Blob(name, _)
            | Self::Uploads(name)
            | Self::Upload(name, _)
            | Self::Referrers(name, _) => Some(name),
            Self::Chart(chart) => Some(&chart.shelf),
            Self::Base
            | Self::Catalog
            | Self::Token
            | Self::Collection
            | Self::Metrics
            | Self::Health
            | Self::Readiness => None,
        }
    }

    /// What kind of resource it is, in one word, for metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Catalog => "catalog",
            Self::Token => "token",
            Self::Tags(_) => "tags",
            Self::Manifest(..) => "manifest",
            Self::Blob(..) => "blob",
            Self::Uploads(_) => "uploads",
            Self::Upload(..) => "upload",
            Self::Referrers(..) => "referrers",
            Self::Collection => "collection",
            Self::Chart(_) => "chart",
            Self::Metrics => "metrics",
            Self::Health | Self::Readiness => "health",
        }
    }

    /// The methods that the resource understands, as the header `Allow` lists them.
    #[must_use]
    pub fn methods(&self) -> &'static str {
        match self {
            Self::Manifest(..) => "GET, HEAD, PUT, DELETE",
            Self::Blob(..) => "GET, HEAD, DELETE",
            Self::Uploads(_) | Self::Collection => "POST",
            Self::Token => "GET, POST",
            Self::Chart(chart) => chart.methods(),
            Self::Upload(..) => "GET, PATCH, PUT, DELETE",
            _ => "GET, HEAD",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> RepositoryName {
        text.parse().unwrap()
    }

    #[test]
    fn paths_are_read_from_their_end() {
        let route = |path| Route::parse(path).unwrap();
        assert_eq!(route("/v2/"), Route::Base);
        assert_eq!(
            route("/v2/a/blobs/uploads/"),
            Route::Uploads(name("a")),
            "where uploads begin"
        );
        assert_eq!(route("/v2/a/blobs/uploads"), Route::Uploads(name("a")));
        assert_eq!(
            route("/v2/a/blobs/uploads/17"),
            Route::Upload(name("a"), "17".to_owned())
        );
        assert_eq!(
            route("/v2/manifests/blobs/tags/tags/list"),
            Route::Tags(name("manifests/blobs/tags"))
        );
        assert_eq!(
            route("/v2/a/manifests/b/manifests/sha256%3Aabc"),
            Route::Manifest(name("a/manifests/b"), "sha256:abc".to_owned())
        );
    }

    #[test]
    fn tricks_with_paths_name_nothing() {
        for path in [
            "/v2/../etc/manifests/x",
            "/v2/a//b/manifests/x",
            "/v2/%2e%2e/manifests/x",
            "/v2/a%2Fb/manifests/x",
            "/v2/A/manifests/x",
            "/v2//manifests/x",
        ] {
            assert!(
                matches!(Route::parse(path), Err(PathError::Name { .. })),
                "{path}"
            );
        }
        for path in ["", "/", "/v3/", "/v2/a", "/v2/a/tags/all", "/v2/tags/list"] {
            assert!(
                matches!(Route::parse(path), Err(PathError::Unknown { .. })),
                "{path}"
            );
        }
    }
}
