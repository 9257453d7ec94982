//! What can go wrong with charts; the messages are those of `ChartMuseum` where it has one.

/// Why a request about charts is not answered as hoped.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// There is no chart of that name.
    #[error("chart not found")]
    Unknown,
    /// The chart has no such version.
    #[error("no chart version found for {name}-{version}")]
    VersionUnknown {
        /// The chart.
        name: String,
        /// The version.
        version: String,
    },
    /// There is no such file.
    #[error("object not found")]
    FileUnknown,
    /// What is uploaded is there already.
    #[error("file already exists")]
    Exists,
    /// What is uploaded is not a packed chart.
    #[error("invalid chart package")]
    Package(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The name of the chart is no repository's.
    #[error(
        "the chart `{name}` cannot be stored: only lower-case letters, digits and single `-`, `_`, `.` may be in its name"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// The version of the chart cannot be a tag.
    #[error("the version `{version}` is too long to be a tag")]
    Version {
        /// The version.
        version: String,
    },
    /// What is uploaded is not a provenance file.
    #[error("invalid provenance file")]
    Provenance,
    /// The provenance file speaks of another chart.
    #[error("the provenance file is that of another chart")]
    OtherProvenance,
    /// The body is not a form.
    #[error("the form cannot be read")]
    Form,
    /// Nothing is uploaded.
    #[error("no package or provenance file found in form fields chart and prov")]
    Empty,
    /// More is uploaded than is taken.
    #[error("the upload is larger than {limit_bytes} bytes")]
    TooLarge {
        /// What is taken.
        limit_bytes: u64,
    },
    /// Too many others upload.
    #[error("too many charts are being uploaded")]
    Busy,
    /// The chart went away meanwhile, or is not as Helm writes it.
    #[error("the chart has changed meanwhile")]
    Gone,
}

/// Whether something is wrong with the request, is not there, or stands in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChartFault {
    Request,
    Absence,
    Conflict,
    Size,
    Load,
}

impl ChartError {
    pub(crate) fn fault(&self) -> ChartFault {
        match self {
            Self::Unknown | Self::VersionUnknown { .. } | Self::FileUnknown => ChartFault::Absence,
            Self::Exists | Self::Gone => ChartFault::Conflict,
            Self::TooLarge { .. } => ChartFault::Size,
            Self::Busy => ChartFault::Load,
            Self::Package(_)
            | Self::Name { .. }
            | Self::Version { .. }
            | Self::Provenance
            | Self::OtherProvenance
            | Self::Form
            | Self::Empty => ChartFault::Request,
        }
    }
}
