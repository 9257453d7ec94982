//! The values that the user gives to a chart: the options of all commands that render.

use std::cell::Cell;
use std::io::Read as _;

use sampan_chart::compatibility::Compatibility;
use sampan_chart::repository::Remote;
use sampan_chart::values::{Sources, Table, local_file};

use crate::failure::{Exit, Failure};

/// The largest file of values that is read from another machine, in bytes.
const LIMIT_BYTES: usize = 16 << 20;

/// Options about values, as Helm has them. Files come first, then the others in the order of this list; inside of one
/// option what comes later wins.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Values")]
pub(crate) struct Values {
    /// Values in a YAML file, at an address, or `-` for standard input
    #[arg(
        long = "values",
        short = 'f',
        value_name = "FILE",
        value_delimiter = ','
    )]
    files: Vec<String>,
    /// Values as JSON: `NAME=JSON,…`
    #[arg(
        long = "set-json",
        value_name = "NAME=JSON",
        allow_hyphen_values = true
    )]
    json: Vec<String>,
    /// Values: `NAME=VALUE,…`
    #[arg(long = "set", value_name = "NAME=VALUE", allow_hyphen_values = true)]
    plain: Vec<String>,
    /// Values that are text whatever they look like
    #[arg(
        long = "set-string",
        value_name = "NAME=TEXT",
        allow_hyphen_values = true
    )]
    text: Vec<String>,
    /// Values that are the content of a file
    #[arg(
        long = "set-file",
        value_name = "NAME=FILE",
        allow_hyphen_values = true
    )]
    file_text: Vec<String>,
    /// One value that is text as it stands, whatever characters are in it
    #[arg(
        long = "set-literal",
        value_name = "NAME=TEXT",
        allow_hyphen_values = true
    )]
    literal: Vec<String>,
}

impl Values {
    /// What was given, for whoever reads it in another way.
    pub(crate) fn sources(&self) -> Sources {
        Sources {
            files: self.files.clone(),
            json: self.json.clone(),
            plain: self.plain.clone(),
            text: self.text.clone(),
            file_text: self.file_text.clone(),
            literal: self.literal.clone(),
        }
    }

    /// Reads the files and carries the assignments out; `remote` fetches what is named by address.
    pub(crate) fn read(
        &self,
        remote: &dyn Remote,
        compatibility: Compatibility,
    ) -> Result<Table, Failure> {
        // The texts are those of Helm and hold no causes.
        let absent = Cell::new(false);
        let reader = |path: &str| {
            let content = read(path, remote);
            absent.set(content.is_err() && is_absent(path));
            content
        };
        let values = self.sources().read(&reader, compatibility);
        values.map_err(|error| {
            let failure = Failure::from(error);
            if absent.get() {
                failure.with_exit(Exit::NotFound)
            } else {
                failure
            }
        })
    }
}

/// Whether a file that was named is not there.
fn is_absent(path: &str) -> bool {
    matches!(std::fs::exists(path.trim()), Ok(false))
}

fn read(path: &str, remote: &dyn Remote) -> Result<Vec<u8>, String> {
    let path = path.trim();
    if path == "-" {
        let mut content = Vec::new();
        let read = std::io::stdin().read_to_end(&mut content);
        return read.map(|_| content).map_err(|error| error.to_string());
    }
    if path.starts_with("http://") || path.starts_with("https://") {
        return remote
            .file(path, LIMIT_BYTES)
            .map_err(|error| error.to_string());
    }
    local_file(path)
}
