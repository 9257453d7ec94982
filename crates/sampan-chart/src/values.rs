//! The values of a chart: what the user gives, and how it comes together with what the charts say.
//!
//! Values at rest are [`Tree`]s. Coalescing works on Go's shared dictionaries, because which tables are shared after it
//! shows in templates: `set .Values.global.a "k" 1` in a subchart is seen by whoever has the same table.

mod assignment;
mod coalesce;
mod path;
mod sources;
mod tree;

pub use assignment::{Form, assign};
pub(crate) use coalesce::deep_copy;
pub use coalesce::{Coalescer, Mismatch, Nulls};
pub use path::{PathError, path_value, table};
pub(crate) use sources::system_text;
pub use sources::{Error, FileReader, Sources, local_file, merged, read_table};
pub(crate) use tree::whole;
pub use tree::{Table, Tree, from_dict, to_dict};
