//! Which images pipelines get for the names that they write.
//!
//! Pipelines name images of registries that a site does not reach. A [`Table`] says what stands in their place:
//!
//! ```yaml
//! images:
//!   golang:1.21: localhost:7080/ci/golang:1.21.13   # this tag
//!   golang: localhost:7080/ci/golang                # every other tag, which is kept
//!   plugins/*: localhost:7080/ci/plugin-*           # what `*` stands for is put in
//!   docker.io/**: localhost:7080/docker.io/**       # all that is left of the usual registry
//! ```
//!
//! The most exact row counts: a name before a pattern, with a tag before without one, and of two patterns the one with
//! more letters.

mod pattern;

use sampan_model::yaml::Location;

pub use pattern::ImagePattern;

/// Which images stand in for which.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// The most exact first.
    rows: Vec<Row>,
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The names that it is for.
    pub pattern: ImagePattern,
    /// The image in their place.
    pub image: String,
    /// Where the row stands.
    pub location: Location,
}

/// What a name of a pipeline stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped<'a> {
    /// The image's name.
    pub image: String,
    /// The row that says so; `None` when the name stands for itself.
    pub row: Option<&'a Row>,
}

impl Table {
    /// A table of these rows.
    #[must_use]
    pub fn new(mut rows: Vec<Row>) -> Self {
        // Sorting is stable: of equal rows the first counts.
        rows.sort_by_key(|row| std::cmp::Reverse(row.pattern.exactness()));
        Self { rows }
    }

    /// The rows, the most exact first.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// What stands for an image. A name that is pinned to a digest is looked up as well: the bytes are the same there.
    #[must_use]
    pub fn map(&self, image: &str) -> Mapped<'_> {
        let found = self
            .rows
            .iter()
            .find_map(|row| Some((row, row.pattern.fill(image, &row.image)?)));
        match found {
            Some((row, image)) => Mapped {
                image,
                row: Some(row),
            },
            None => Mapped {
                image: image.to_owned(),
                row: None,
            },
        }
    }
}
