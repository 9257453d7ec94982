//! What a path names.

use crate::custom::Kinds;
use crate::error::Error;
use crate::resources::{Resource, Subresource};

/// An object, or all objects of a resource, or a part of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// The resource.
    pub(crate) resource: &'static Resource,
    /// The namespace, `None` for all namespaces and for objects outside of them.
    pub(crate) namespace: Option<String>,
    /// The name, `None` for all objects.
    pub(crate) name: Option<String>,
    /// The part of the object.
    pub(crate) subresource: Option<Subresource>,
}

/// Whether the parts of a path lead to objects, and not to something that tells of the API.
pub(crate) fn names_objects(parts: &[&str]) -> bool {
    match parts {
        ["api", rest @ ..] => rest.len() > 1,
        ["apis", rest @ ..] => rest.len() > 2,
        _ => false,
    }
}

impl Target {
    /// Reads `/api/v1/…` and `/apis/GROUP/VERSION/…`.
    pub(crate) fn parse(path: &str, kinds: &Kinds) -> Result<Self, Error> {
        let new = |kind, namespace, name, part| Self::new(kinds, kind, namespace, name, part);
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let (group, version, rest) = match parts.as_slice() {
            ["api", version, rest @ ..] => ("", *version, rest),
            ["apis", group, version, rest @ ..] => (*group, *version, rest),
            _ => return Err(Error::NoSuchResource),
        };
        match rest {
            // The namespace itself, or one of its own parts.
            ["namespaces", name] => new((group, version, "namespaces"), None, Some(name), None),
            ["namespaces", name, part @ ("status" | "finalize")] => {
                new((group, version, "namespaces"), None, Some(name), Some(part))
            }
            ["namespaces", namespace, plural] => {
                new((group, version, plural), Some(namespace), None, None)
            }
            ["namespaces", namespace, plural, name] => {
                new((group, version, plural), Some(namespace), Some(name), None)
            }
            ["namespaces", namespace, plural, name, part] => new(
                (group, version, plural),
                Some(namespace),
                Some(name),
                Some(part),
            ),
            [plural] => new((group, version, plural), None, None, None),
            [plural, name] => new((group, version, plural), None, Some(name), None),
            [plural, name, part] => new((group, version, plural), None, Some(name), Some(part)),
            _ => Err(Error::NoSuchResource),
        }
    }

    fn new(
        kinds: &Kinds,
        (group, version, plural): (&str, &str, &str),
        namespace: Option<&str>,
        name: Option<&str>,
        part: Option<&str>,
    ) -> Result<Self, Error> {
        let resource = kinds
            .find(group, version, plural)
            .ok_or(Error::NoSuchResource)?;
        let fits = if resource.namespaced() {
            // Without a namespace, objects in namespaces can only be listed.
            namespace.is_some() || name.is_none()
        } else {
            namespace.is_none()
        };
        if !fits {
            return Err(Error::NoSuchResource);
        }
        let subresource = part
            .map(|part| {
                resource
                    .subresources
                    .iter()
                    .copied()
                    .find(|one| one.path() == part)
                    .ok_or(Error::NoSuchResource)
            })
            .transpose()?;
        Ok(Self {
            resource,
            namespace: namespace.map(str::to_owned),
            name: name.map(str::to_owned),
            subresource,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_objects_lists_and_parts() {
        let read = |path: &str| {
            Target::parse(path, &Kinds::default()).map(|target| {
                (
                    target.resource.plural,
                    target.namespace.unwrap_or_default(),
                    target.name.unwrap_or_default(),
                    target.subresource.map(Subresource::path),
                )
            })
        };
        let text = str::to_owned;
        assert_eq!(
            read("/api/v1/pods").unwrap(),
            ("pods", text(""), text(""), None)
        );
        assert_eq!(
            read("/api/v1/namespaces/a/pods/b/log").unwrap(),
            ("pods", text("a"), text("b"), Some("log"))
        );
        assert_eq!(
            read("/api/v1/namespaces/a/finalize").unwrap(),
            ("namespaces", text(""), text("a"), Some("finalize"))
        );
        assert_eq!(
            read("/apis/apps/v1/namespaces/a/deployments/b/scale").unwrap(),
            ("deployments", text("a"), text("b"), Some("scale"))
        );
        for wrong in [
            "/api/v1/pods/b",
            "/api/v1/namespaces/a/nodes",
            "/apis/apps/v2/deployments",
            "/api/v1/namespaces/a/pods/b/scale",
            "/other",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
