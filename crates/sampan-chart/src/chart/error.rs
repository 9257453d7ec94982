//! Why a chart cannot be used.

use sampan_model::Hint;

use super::limits::Limits;
use crate::render::NoStack;

/// Why a chart cannot be loaded or its parts cannot be put together; the texts are Helm's where Helm has one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A file or folder cannot be read.
    #[error("{0}")]
    Read(String),
    /// `.helmignore` is wrong.
    #[error("{0}")]
    Ignore(String),
    /// There is no `Chart.yaml`.
    #[error("Chart.yaml file is missing")]
    NoMetadata,
    /// The form of the chart is unknown; Helm 3 takes any.
    #[error("{0}")]
    ApiVersion(&'static str),
    /// A file does not hold what it must.
    #[error("cannot load {file}: {problem}")]
    File {
        /// The file.
        file: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// `Chart.yaml` says something that must not be.
    #[error("validation: {0}")]
    Invalid(String),
    /// A chart below `charts` is wrong.
    #[error("error unpacking subchart {subchart} in {chart}: {problem}")]
    Subchart {
        /// The file or folder below `charts`.
        subchart: String,
        /// The chart that it is in.
        chart: String,
        /// What is wrong with it.
        problem: Box<Self>,
    },
    /// An archive below `charts` is not directly below it.
    #[error("error unpacking subchart tar in {chart}: expected {expected}, got {found}")]
    SubchartFolder {
        /// The chart.
        chart: String,
        /// Where it should be.
        expected: String,
        /// Where it is.
        found: String,
    },
    /// An archive is none, or is damaged.
    #[error("{0}")]
    Archive(String),
    /// A file of an archive would land somewhere else.
    #[error("{0}")]
    Path(String),
    /// A file or all of them are too large.
    #[error("{0}")]
    TooLarge(String),
    /// There are too many files or folders.
    #[error("chart has more than {} files and folders", Limits::ENTRIES)]
    TooMany,
    /// Charts in charts, or folders in folders, go too deep.
    #[error("chart is nested deeper than {} levels", Limits::LEVELS)]
    TooDeep,
    /// A symbolic link leads out of the chart.
    #[error("symbolic link {link} leads out of the chart to {target}")]
    LinkOut {
        /// The link.
        link: String,
        /// Where it leads.
        target: String,
    },
    /// A symbolic link leads back to a folder that it is in.
    #[error("symbolic link {0} leads to a folder that it is in")]
    LinkLoop(String),
    /// A value stands where the table of a dependency must stand.
    #[error(transparent)]
    Values(#[from] crate::values::Mismatch),
    /// A dependency of `Chart.yaml` is not there.
    #[error("{0}")]
    Missing(String),
    /// There is no room for it.
    #[error(transparent)]
    Stack(#[from] NoStack),
    /// An item of `import-values` is wrong.
    #[error("import-values of {0} must be names or tables with the texts `child` and `parent`")]
    Import(String),
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoMetadata => "a chart is a folder or archive with a `Chart.yaml`",
            Self::SubchartFolder { .. } => "put archives directly into `charts`",
            Self::TooLarge(_) | Self::TooMany => {
                "keep what is not part of the chart out of it with `.helmignore`"
            }
            Self::LinkOut { .. } => "copy what the link leads to into the chart",
            Self::LinkLoop(_) => "remove the link, or name it in `.helmignore`",
            Self::Ignore(_) => "write `.helmignore` rules without `**`",
            Self::Subchart { problem, .. } => return problem.hint(),
            Self::Stack(error) => return error.hint(),
            Self::Values(mismatch) => {
                return Some(format!(
                    "`{}` must be a table of values for the chart of that name",
                    mismatch.chart
                ));
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }
}
