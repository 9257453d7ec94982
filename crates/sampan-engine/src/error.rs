//! Why an operation on an object failed: the reasons that the Kubernetes API knows.
//!
//! The texts are those of the Kubernetes API server, because clients show them and some compare them.

use sampan_store::Error as StoreError;

use crate::resources::Resource;

/// Why one field of an object was refused (`details.causes` of a `Status`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// What kind of mistake it is.
    pub reason: CauseReason,
    /// The path of the field, such as `spec.containers[0].image`.
    pub field: String,
    /// What is wrong, without the field's path: `Required value`, `Invalid value: "x": must be …`.
    pub message: String,
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

/// The kinds of mistakes in a field (`CauseType` and `field.ErrorType` of Kubernetes).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CauseReason {
    /// A needed field is missing.
    Required,
    /// A value occurs twice where it must be unique.
    Duplicate,
    /// The value is malformed or out of range.
    Invalid,
    /// The value is not one of those that exist.
    NotSupported,
    /// The value may not be given or changed here.
    Forbidden,
    /// The value names something that does not exist.
    NotFound,
    /// The text is too long.
    TooLong,
    /// The list has too many items.
    TooMany,
    /// The value has another JSON type than the field.
    TypeInvalid,
    /// Another field manager owns the field (server-side apply).
    FieldManagerConflict,
}

impl CauseReason {
    /// The word used on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Required => "FieldValueRequired",
            Self::Duplicate => "FieldValueDuplicate",
            Self::Invalid => "FieldValueInvalid",
            Self::NotSupported => "FieldValueNotSupported",
            Self::Forbidden => "FieldValueForbidden",
            Self::NotFound => "FieldValueNotFound",
            Self::TooLong => "FieldValueTooLong",
            Self::TooMany => "FieldValueTooMany",
            Self::TypeInvalid => "FieldValueTypeInvalid",
            Self::FieldManagerConflict => "FieldManagerConflict",
        }
    }
}

/// An operation on the API that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such object.
    #[error("{} \"{name}\" not found", .resource.qualified())]
    NotFound {
        /// The resource that was asked for.
        resource: &'static Resource,
        /// The name that was asked for.
        name: String,
    },
    /// The server has no such path or resource.
    #[error("the server could not find the requested resource")]
    NoSuchResource,
    /// An object of that name exists.
    #[error("{} \"{name}\" already exists", .resource.qualified())]
    AlreadyExists {
        /// The resource of the object.
        resource: &'static Resource,
        /// The name that is taken.
        name: String,
    },
    /// The object is not in the state that the request was made for.
    #[error(
        "Operation cannot be fulfilled on {} \"{name}\": {message}",
        .resource.qualified()
    )]
    Conflict {
        /// The resource of the object.
        resource: &'static Resource,
        /// The name of the object.
        name: String,
        /// What differs.
        message: String,
    },
    /// Fields are owned by other managers (server-side apply without force).
    #[error("{message}")]
    ApplyConflict {
        /// The sentence that names the managers.
        message: String,
        /// One cause per field.
        causes: Vec<Cause>,
    },
    /// The object breaks rules of its kind.
    #[error("{} \"{name}\" is invalid: {}", .resource.qualified_kind(), join(.causes))]
    Invalid {
        /// The resource of the object.
        resource: &'static Resource,
        /// The name of the object.
        name: String,
        /// Every broken rule.
        causes: Vec<Cause>,
    },
    /// A revision is asked for that does not exist yet.
    #[error("Too large resource version: {asked}, current: {newest}")]
    FutureRevision {
        /// What was asked for.
        asked: i64,
        /// The newest revision.
        newest: i64,
    },
    /// The request itself is malformed.
    #[error("{0}")]
    BadRequest(String),
    /// The request is understood and refused.
    #[error("{} \"{name}\" is forbidden: {message}", .resource.qualified())]
    Forbidden {
        /// The resource of the object.
        resource: &'static Resource,
        /// The name of the object.
        name: String,
        /// Why it is refused.
        message: String,
    },
    /// Who asks has no right to.
    #[error("{}forbidden: {message}", about(*.resource, .name))]
    Denied {
        /// The resource that was asked for, if it was one.
        resource: Option<&'static Resource>,
        /// The name that was asked for, if it was one.
        name: String,
        /// What is not allowed to whom.
        message: String,
    },
    /// The resource does not know the verb.
    #[error("the server does not allow this method on the requested resource")]
    MethodNotAllowed,
    /// The caller sent no valid credentials.
    #[error("Unauthorized")]
    Unauthorized,
    /// The body is in a format that is not understood here.
    #[error(
        "the body of the request was in an unknown format - accepted media types include: {accepted}"
    )]
    UnsupportedMediaType {
        /// The formats that are.
        accepted: &'static str,
    },
    /// None of the formats that the caller accepts is offered.
    #[error("only the following media types are accepted: {accepted}")]
    NotAcceptable {
        /// The formats that are.
        accepted: &'static str,
    },
    /// The body is larger than the server takes.
    #[error("Request entity too large: limit is {limit_bytes}")]
    TooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// The asked-for revision is no longer in the history.
    #[error("{0}")]
    Expired(String),
    /// Too many callers at once, or an eviction that must wait.
    #[error("{message}")]
    TooManyRequests {
        /// What to wait for.
        message: String,
    },
    /// The metadata store failed.
    #[error("the object store failed")]
    Store(#[source] StoreError),
    /// An object does not have the shape of its kind.
    #[error("cannot read the {kind} as its kind")]
    Shape {
        /// The kind.
        kind: &'static str,
        /// What does not fit.
        #[source]
        source: serde_json::Error,
    },
    /// Something failed that the caller cannot help.
    #[error("Internal error occurred: {0}")]
    Internal(String),
}

impl Error {
    /// Whether the object was not there.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// Whether somebody else changed the object in between; reading it again and retrying helps.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. })
    }

    /// Whether an object of that name is there already.
    #[must_use]
    pub fn is_already_exists(&self) -> bool {
        matches!(self, Self::AlreadyExists { .. })
    }
}

/// The beginning of a sentence about a resource or an object.
fn about(resource: Option<&Resource>, name: &str) -> String {
    match resource.map(Resource::qualified) {
        None => String::new(),
        Some(resource) if name.is_empty() => format!("{resource} is "),
        Some(resource) => format!("{resource} \"{name}\" is "),
    }
}

/// Joins causes as Kubernetes does: one alone, several in brackets.
fn join(causes: &[Cause]) -> String {
    match causes {
        [one] => one.to_string(),
        many => {
            let all: Vec<_> = many.iter().map(ToString::to_string).collect();
            format!("[{}]", all.join(", "))
        }
    }
}
