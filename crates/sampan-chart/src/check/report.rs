//! Reports in the forms that others read.

mod annotations;
mod junit;
mod quality;
mod sarif;

pub use annotations::github;
pub use junit::junit;
pub use quality::gitlab;
pub use sarif::sarif;
