//! Assignments on the command line: `--set a.b[0]=c,d={x,y}` and its relatives.
//!
//! The grammar is Helm's, with everything that follows from it: keys split at dots, brackets and commas, `\` takes the
//! next character as it is, a value ends at a comma, `{a,b}` is a list, and several odd spellings pass in silence. The
//! texts of the errors are Helm's too.

use super::tree::Table;
use crate::compatibility::Compatibility;
use parser::{Parser, Stop};

mod parser;
mod source;

/// What an assignment may hold, and how its value is read.
#[derive(Clone, Copy)]
pub enum Form<'a> {
    /// `--set`: several assignments; numbers and booleans are recognised.
    Plain,
    /// `--set-string`: as `--set`, but every value is text.
    Text,
    /// `--set-json`: values are JSON.
    Json,
    /// `--set-literal`: one assignment, all behind `=` is the value.
    Literal,
    /// `--set-file`: values are the paths of the files that hold the text.
    File(&'a dyn Fn(&str) -> Result<Vec<u8>, String>),
}

/// Carries an assignment out on a table.
///
/// # Errors
/// What is wrong with the assignment, as Helm says it.
pub fn assign(
    assignment: &str,
    form: Form<'_>,
    compatibility: Compatibility,
    table: &mut Table,
) -> Result<(), String> {
    match Parser::new(assignment, form).run(table) {
        Stop::End => Ok(()),
        // Helm 4 looks through its own wrapping, and takes the end of the text inside of an index for a good end.
        Stop::EndInIndex if compatibility == Compatibility::Helm4 => Ok(()),
        Stop::EndInIndex => Err("error parsing index: EOF".to_owned()),
        Stop::Error(text) => Err(text),
    }
}
