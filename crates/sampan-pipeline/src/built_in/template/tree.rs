//! What a template consists of.

/// A template, or what stands in a block.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Program {
    pub(super) body: Vec<Node>,
    /// The names that the block gives to its context and its place.
    pub(super) names: Vec<String>,
    /// Whether it is what follows `{{else NAME …}}`: one block.
    pub(super) is_chained: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Content(Content),
    Comment(Strip),
    Mustache(Mustache),
    Block(Box<Block>),
}

/// Text that is printed as it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Content {
    pub(super) text: String,
    pub(super) left_stripped: bool,
    pub(super) right_stripped: bool,
}

/// An expression that is printed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mustache {
    pub(super) call: Call,
    pub(super) is_escaped: bool,
    pub(super) strip: Strip,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Block {
    pub(super) call: Call,
    pub(super) program: Option<Program>,
    pub(super) inverse: Option<Program>,
    pub(super) open: Strip,
    /// That of `{{else}}`.
    pub(super) middle: Option<Strip>,
    pub(super) close: Option<Strip>,
}

/// Whether a tag takes the white space before and behind it away (`~`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Strip {
    pub(super) before: bool,
    pub(super) behind: bool,
}

/// A name with parameters.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    pub(super) line: usize,
    pub(super) target: Operand,
    pub(super) places: Vec<Operand>,
    pub(super) names: Vec<(String, Operand)>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operand {
    Path(Path),
    Text(String),
    /// A number with its text.
    Number(super::Value, String),
    Bool(bool),
    Call(Box<Call>),
}

/// A way to a value: `../build.author.name`, `@index`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Path {
    /// How many contexts it goes out first.
    pub(super) depth: usize,
    pub(super) parts: Vec<String>,
    /// Whether it begins with `@`.
    pub(super) is_data: bool,
    /// Whether it begins with `this` or `.`.
    pub(super) is_scoped: bool,
    /// As it is written.
    pub(super) written: String,
}

impl Operand {
    /// The name by which the end of a block repeats its beginning.
    pub(super) fn canonical(&self) -> &str {
        match self {
            Self::Path(path) => &path.written,
            Self::Text(text) | Self::Number(_, text) => text,
            Self::Bool(true) => "true",
            Self::Bool(false) => "false",
            Self::Call(call) => call.target.canonical(),
        }
    }
}

impl Call {
    /// The name of the helper that it calls, if there is one of that name.
    pub(super) fn helper(&self) -> Option<&str> {
        match &self.target {
            Operand::Path(path) if !path.is_data && path.parts.len() == 1 => {
                (path.depth == 0 && !path.is_scoped).then(|| path.parts[0].as_str())
            }
            _ => None,
        }
    }
}
