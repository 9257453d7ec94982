//! What the user gives: files of values, and assignments on the command line.

use sampan_model::Hint;

use super::assignment::{Form, assign};
use super::tree::{Table, Tree, from_dict};
use crate::compatibility::Compatibility;
use crate::yaml;

/// What the user gives, by kind. The kinds have a fixed order: files, then JSON, plain, text, files of text, literals;
/// inside of a kind, what comes later wins.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// `-f`: paths of YAML files.
    pub files: Vec<String>,
    /// `--set-json`
    pub json: Vec<String>,
    /// `--set`
    pub plain: Vec<String>,
    /// `--set-string`
    pub text: Vec<String>,
    /// `--set-file`
    pub file_text: Vec<String>,
    /// `--set-literal`
    pub literal: Vec<String>,
}

/// Reads a file or what an address leads to; says what went wrong in the words of [`local_file`].
pub type FileReader<'a> = dyn Fn(&str) -> Result<Vec<u8>, String> + 'a;

/// Why the user's values cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A file of values cannot be read.
    #[error("{0}")]
    Read(String),
    /// A file of values holds something else.
    #[error("failed to parse {path}: {problem}")]
    Parse {
        /// The file.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A `--set-json` is none; Helm repeats what was given.
    #[error("failed parsing --set-json data {}{given}", if *.whole { "JSON: " } else { "" })]
    Json {
        /// What was given.
        given: String,
        /// Whether it was taken for a whole object, as Helm 4 does.
        whole: bool,
    },
    /// An assignment is wrong.
    #[error("failed parsing {flag} data: {problem}")]
    Assignment {
        /// The flag that it came with.
        flag: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Read(_) => None,
            Self::Parse { path, .. } => {
                Some(format!("`{path}` must hold one YAML table of values"))
            }
            Self::Json { .. } => Some("give `key={\"json\": 1}`, quoted for the shell".to_owned()),
            Self::Assignment { .. } => Some(
                "a comma, dot or bracket that belongs to a name or value needs `\\`".to_owned(),
            ),
        }
    }
}

impl Sources {
    /// Reads the files and carries the assignments out.
    ///
    /// # Errors
    /// The first thing that is wrong, in Helm's words.
    pub fn read(
        &self,
        reader: &FileReader<'_>,
        compatibility: Compatibility,
    ) -> Result<Table, Error> {
        let mut values = Table::new();
        for path in &self.files {
            let content = reader(path).map_err(Error::Read)?;
            let more = read_table(&content, compatibility);
            let more = more.map_err(|problem| Error::Parse {
                path: path.clone(),
                problem,
            })?;
            values = merged(values, more);
        }
        for given in &self.json {
            values = set_json(values, given, compatibility)?;
        }
        let read_file = |path: &str| reader(path);
        let kinds = [
            (&self.plain, Form::Plain, "--set"),
            (&self.text, Form::Text, "--set-string"),
            (&self.file_text, Form::File(&read_file), "--set-file"),
            (&self.literal, Form::Literal, "--set-literal"),
        ];
        for (given, form, flag) in kinds {
            for assignment in given {
                let done = assign(assignment, form, compatibility, &mut values);
                done.map_err(|problem| Error::Assignment { flag, problem })?;
            }
        }
        Ok(values)
    }
}

fn set_json(mut values: Table, given: &str, compatibility: Compatibility) -> Result<Table, Error> {
    let refused = |whole| Error::Json {
        given: given.to_owned(),
        whole,
    };
    if compatibility == Compatibility::Helm4 && given.trim().starts_with('{') {
        let object: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(given.trim()).map_err(|_| refused(true))?;
        let object = object
            .into_iter()
            .map(|(key, value)| (key, Tree::from(value)));
        return Ok(merged(values, object.collect()));
    }
    assign(given, Form::Json, compatibility, &mut values).map_err(|_| refused(false))?;
    Ok(values)
}

/// Reads a file from the local machine.
///
/// # Errors
/// What went wrong, in Go's words.
pub fn local_file(path: &str) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::IsADirectory => format!("read {path}: is a directory"),
        _ => format!("open {path}: {}", system_text(&error)),
    })
}

/// The system's text for an error without its number and with a small letter, as Go prints it.
pub(crate) fn system_text(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text
        .split_once(" (os error")
        .map_or(text.as_str(), |(text, _)| text);
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}

/// The tables of all documents of a YAML file, merged; Helm 3 sees the first only.
///
/// # Errors
/// What is wrong with the file, in Helm's words.
pub fn read_table(content: &[u8], compatibility: Compatibility) -> Result<Table, String> {
    match compatibility {
        Compatibility::Helm3 => one_table(content),
        Compatibility::Helm4 => {
            let mut table = Table::new();
            for document in documents(content)? {
                let more = one_table(&document);
                let more =
                    more.map_err(|problem| format!("cannot unmarshal yaml document: {problem}"))?;
                table = merged(table, more);
            }
            Ok(table)
        }
    }
}

fn one_table(content: &[u8]) -> Result<Table, String> {
    let table = yaml::decode_dict(content).map_err(|error| error.to_string())?;
    Ok(table
        .and_then(|table| from_dict(&table))
        .unwrap_or_default())
}

/// The documents of a file, as Kubernetes' reader splits them: a line that begins with `---` separates, and belongs to
/// a document only as its first line.
fn documents(content: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let mut documents = vec![Vec::new()];
    for line in content.split_inclusive(|byte| *byte == b'\n') {
        let separator = line.strip_prefix(b"---").map(<[u8]>::trim_ascii);
        if let Some(rest) = separator.filter(|rest| !rest.is_empty() && !rest.starts_with(b"#")) {
            let rest = String::from_utf8_lossy(rest);
            return Err(format!(
                "error reading yaml document: invalid Yaml document separator: {rest}"
            ));
        }
        match documents.last_mut() {
            Some(document) if separator.is_none() || document.is_empty() => {
                document.extend_from_slice(line);
            }
            _ => documents.push(Vec::new()),
        }
    }
    Ok(documents)
}

/// Two tables in one; where both have a key, tables are merged and otherwise the second wins.
#[must_use]
pub fn merged(mut table: Table, more: Table) -> Table {
    for (key, value) in more {
        let value = match (table.remove(&key), value) {
            (Some(Tree::Table(old)), Tree::Table(new)) => Tree::Table(merged(old, new)),
            (_, value) => value,
        };
        table.insert(key, value);
    }
    table
}
