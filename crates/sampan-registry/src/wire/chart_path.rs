//! Paths of the chart repository, below `/charts/`.
//!
//! A **shelf** is what `ChartMuseum` calls a repository, and its first part is a project: all charts of the repository
//! of that name and below. Shelves can be as deep as repositories are. The API of a shelf is found where `ChartMuseum` has it
//! (`/charts/api/<shelf>/charts`), and below the shelf itself (`/charts/<shelf>/api/charts`).

use super::name::RepositoryName;
use super::query;

/// A resource of a shelf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartRoute {
    /// The shelf.
    pub shelf: RepositoryName,
    /// What of it.
    pub resource: ChartResource,
}

/// What a shelf has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChartResource {
    /// `<shelf>/index.yaml`.
    Index,
    /// `<shelf>/charts/<file>`: a packed chart or its provenance.
    File(String),
    /// `api/<shelf>/charts`.
    Charts,
    /// `api/<shelf>/charts/<name>`.
    Chart(String),
    /// `api/<shelf>/charts/<name>/<version>`.
    Version(String, String),
    /// `api/<shelf>/prov`.
    Provenance,
}

impl ChartRoute {
    /// Reads what follows `/charts/` in a path, still percent-encoded; nothing when it names nothing.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.split('/').collect();
        // A shelf may be called `api`.
        let file = Self::file(&parts);
        if file.is_some() {
            return file;
        }
        let rest = parts.strip_prefix(&["api"]).unwrap_or_default();
        // Where more than one reading makes sense, the shelf has as few parts as possible.
        let first = (1..rest.len()).find_map(|at| Self::on(&rest[..at], resource(&rest[at..])?));
        first.or_else(|| {
            let mut places = (1..parts.len()).filter(|at| parts[*at] == "api");
            places.find_map(|at| Self::on(&parts[..at], resource(&parts[at + 1..])?))
        })
    }

    /// The methods that the resource understands, as the header `Allow` lists them.
    #[must_use]
    pub fn methods(&self) -> &'static str {
        match self.resource {
            ChartResource::Charts => "GET, HEAD, POST",
            ChartResource::Version(..) => "GET, HEAD, DELETE",
            ChartResource::Provenance => "POST",
            ChartResource::Index | ChartResource::File(_) | ChartResource::Chart(_) => "GET, HEAD",
        }
    }

    fn file(parts: &[&str]) -> Option<Self> {
        match parts {
            [shelf @ .., "index.yaml"] => Self::on(shelf, ChartResource::Index),
            [shelf @ .., "charts", file] if is_file(file) => {
                Self::on(shelf, ChartResource::File(query::decode(file)))
            }
            _ => None,
        }
    }

    fn on(shelf: &[&str], resource: ChartResource) -> Option<Self> {
        let shelf = shelf.join("/").parse().ok()?;
        Some(Self { shelf, resource })
    }
}

/// What the API of a shelf has.
fn resource(path: &[&str]) -> Option<ChartResource> {
    match path {
        ["prov"] => Some(ChartResource::Provenance),
        ["charts"] | ["charts", ""] => Some(ChartResource::Charts),
        ["charts", name] => Some(ChartResource::Chart(query::decode(name))),
        ["charts", name, version] => Some(ChartResource::Version(
            query::decode(name),
            query::decode(version),
        )),
        _ => None,
    }
}

fn is_file(name: &str) -> bool {
    [".tgz", ".tgz.prov"].iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shelves_are_as_deep_as_they_like() {
        let cases = [
            ("team/index.yaml", "team", ChartResource::Index),
            ("team/a/b/index.yaml", "team/a/b", ChartResource::Index),
            ("api/index.yaml", "api", ChartResource::Index),
            (
                "team/charts/web-1.0.0%2Bb.tgz",
                "team",
                ChartResource::File("web-1.0.0+b.tgz".to_owned()),
            ),
            (
                "a/charts/charts/web-1.tgz.prov",
                "a/charts",
                ChartResource::File("web-1.tgz.prov".to_owned()),
            ),
            ("api/team/charts", "team", ChartResource::Charts),
            ("api/team/a/charts", "team/a", ChartResource::Charts),
            ("team/api/charts", "team", ChartResource::Charts),
            ("team/a/api/charts/", "team/a", ChartResource::Charts),
            (
                "api/team/charts/web",
                "team",
                ChartResource::Chart("web".to_owned()),
            ),
            (
                "api/team/charts/charts",
                "team",
                ChartResource::Chart("charts".to_owned()),
            ),
            (
                "team/api/charts/api",
                "team",
                ChartResource::Chart("api".to_owned()),
            ),
            (
                "api/team/charts/web/1.0.0",
                "team",
                ChartResource::Version("web".to_owned(), "1.0.0".to_owned()),
            ),
            (
                "team/api/charts/web/1.0.0",
                "team",
                ChartResource::Version("web".to_owned(), "1.0.0".to_owned()),
            ),
            ("api/team/prov", "team", ChartResource::Provenance),
            ("team/api/prov", "team", ChartResource::Provenance),
        ];
        for (path, shelf, resource) in cases {
            let expected = ChartRoute {
                shelf: shelf.parse().unwrap(),
                resource,
            };
            assert_eq!(ChartRoute::parse(path), Some(expected), "{path}");
        }
    }

    #[test]
    fn other_paths_name_nothing() {
        for path in [
            "",
            "index.yaml",
            "charts",
            "api/charts",
            "api/prov",
            "team",
            "team/",
            "team/charts",
            "team/charts/web",
            "team/charts/../web.tgz",
            "../index.yaml",
            "Team/index.yaml",
            "team%2Fa/index.yaml",
            "api/team/charts/web/1.0.0/more",
            "/index.yaml",
            "team//index.yaml",
        ] {
            assert_eq!(ChartRoute::parse(path), None, "{path}");
        }
    }
}
