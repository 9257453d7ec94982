//! The nodes of a parsed template, and how Go prints them in errors (`text/template/parse/node.go`).

use std::ops::Range;
use std::rc::Rc;

use super::number::Number;
use crate::functions::Callable;
use crate::value::{Text, lossy, quote};

/// The text that templates were parsed from.
#[derive(Debug)]
pub(super) struct Source {
    /// The name that errors give it.
    pub(super) name: Text,
    pub(super) text: Text,
}

/// A named template.
#[derive(Debug)]
pub(super) struct Definition {
    pub(super) name: Text,
    pub(super) source: Rc<Source>,
    pub(super) body: List,
}

/// Nodes in their order.
pub(super) type List = Box<[Node]>;

/// What stands in a template.
#[derive(Debug)]
pub(super) enum Node {
    /// Plain text: a piece of the source.
    Text(Range<usize>),
    /// A pipeline whose value is printed, or which declares variables.
    Action(Pipe),
    If(Box<Branch>),
    With(Box<Branch>),
    Range(Box<Branch>),
    Template(Box<Call>),
    Break(usize),
    Continue(usize),
}

/// A pipeline that decides what is carried out.
#[derive(Debug)]
pub(super) struct Branch {
    pub(super) pipe: Pipe,
    pub(super) list: List,
    pub(super) otherwise: Option<List>,
}

/// `{{template "name" pipeline}}`
#[derive(Debug)]
pub(super) struct Call {
    pub(super) position: usize,
    pub(super) name: Text,
    pub(super) pipe: Option<Pipe>,
}

/// `$a, $b := command | command`
#[derive(Debug)]
pub(super) struct Pipe {
    pub(super) position: usize,
    pub(super) assigns: bool,
    pub(super) declared: Box<[Variable]>,
    pub(super) commands: Box<[Command]>,
}

/// A variable: its number in the source, and how it is written.
#[derive(Debug, Clone)]
pub(super) struct Variable {
    pub(super) symbol: u32,
    pub(super) name: Rc<str>,
}

/// The variable `$`.
pub(super) const DOLLAR: u32 = 0;

/// An operand and its arguments.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) position: usize,
    pub(super) operands: Box<[Operand]>,
}

/// A term, and where it stands.
#[derive(Debug)]
pub(super) struct Operand {
    pub(super) position: usize,
    pub(super) term: Term,
}

/// What a command is made of.
pub(super) enum Term {
    Bool(bool),
    Nil,
    Dot,
    /// A number, and how it is written.
    Number(Box<Number>, Box<str>),
    /// A text, and the piece of the source with its quotes.
    Text(Text, Range<usize>),
    Field(FieldNames),
    Variable(Variable, FieldNames),
    Function(Callable),
    /// A term and the fields behind it.
    Chain(Box<Operand>, FieldNames),
    Pipe(Box<Pipe>),
}

/// Names of fields behind one another, as they are written: each with its dot, such as `.Values.image`.
#[derive(Default)]
pub(super) struct FieldNames(Box<str>);

impl FieldNames {
    /// The names in a text that is empty or begins with a dot.
    pub(super) fn new(written: impl Into<Box<str>>) -> Self {
        Self(written.into())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How they are written.
    pub(super) fn written(&self) -> &str {
        &self.0
    }

    /// The names, without their dots.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let mut rest = &*self.0;
        std::iter::from_fn(move || {
            let name = rest.strip_prefix('.')?;
            // Byte by byte: to begin a search costs more than these short names take.
            let end = name.bytes().position(|byte| byte == b'.');
            let (name, behind) = name.split_at(end.unwrap_or(name.len()));
            rest = behind;
            Some(name)
        })
    }
}

impl std::fmt::Debug for Term {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&print(|out| write_term(self, &[], out)))
    }
}

/// Any node that an error can speak of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'t> {
    Node(&'t Node),
    Pipe(&'t Pipe),
    Command(&'t Command),
    Operand(&'t Operand),
}

impl Place<'_> {
    /// Where it stands, in bytes.
    pub(super) fn position(self) -> usize {
        match self {
            Self::Node(Node::Text(range)) => range.start,
            Self::Node(Node::Action(pipe)) | Self::Pipe(pipe) => pipe.position,
            Self::Node(Node::If(branch) | Node::With(branch) | Node::Range(branch)) => {
                branch.pipe.position
            }
            Self::Node(Node::Template(call)) => call.position,
            Self::Node(Node::Break(position) | Node::Continue(position)) => *position,
            Self::Command(command) => command.position,
            Self::Operand(operand) => operand.position,
        }
    }

    /// How Go prints it.
    pub(super) fn print(self, source: &[u8]) -> String {
        print(|out| match self {
            Self::Node(node) => write_node(node, source, out),
            Self::Pipe(pipe) => write_pipe(pipe, source, out),
            Self::Command(command) => write_command(command, source, out),
            Self::Operand(operand) => write_term(&operand.term, source, out),
        })
    }
}

fn print(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut text = Vec::new();
    write(&mut text);
    String::from_utf8(text)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Prints a term as the parser's errors do.
pub(super) fn print_term(term: &Term, source: &[u8]) -> String {
    print(|out| write_term(term, source, out))
}

fn write_list(list: &[Node], source: &[u8], out: &mut Vec<u8>) {
    for node in list {
        write_node(node, source, out);
    }
}

fn write_node(node: &Node, source: &[u8], out: &mut Vec<u8>) {
    match node {
        Node::Text(range) => out.extend_from_slice(&source[range.clone()]),
        Node::Action(pipe) => {
            out.extend_from_slice(b"{{");
            write_pipe(pipe, source, out);
            out.extend_from_slice(b"}}");
        }
        Node::If(branch) => write_branch("if", branch, source, out),
        Node::With(branch) => write_branch("with", branch, source, out),
        Node::Range(branch) => write_branch("range", branch, source, out),
        Node::Template(call) => {
            out.extend_from_slice(b"{{template ");
            out.extend_from_slice(quote::quote(&call.name).as_bytes());
            if let Some(pipe) = &call.pipe {
                out.push(b' ');
                write_pipe(pipe, source, out);
            }
            out.extend_from_slice(b"}}");
        }
        Node::Break(_) => out.extend_from_slice(b"{{break}}"),
        Node::Continue(_) => out.extend_from_slice(b"{{continue}}"),
    }
}

fn write_branch(name: &str, branch: &Branch, source: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"{{");
    out.extend_from_slice(name.as_bytes());
    out.push(b' ');
    write_pipe(&branch.pipe, source, out);
    out.extend_from_slice(b"}}");
    write_list(&branch.list, source, out);
    if let Some(otherwise) = &branch.otherwise {
        out.extend_from_slice(b"{{else}}");
        write_list(otherwise, source, out);
    }
    out.extend_from_slice(b"{{end}}");
}

fn write_pipe(pipe: &Pipe, source: &[u8], out: &mut Vec<u8>) {
    for (position, variable) in pipe.declared.iter().enumerate() {
        if position > 0 {
            out.extend_from_slice(b", ");
        }
        out.extend_from_slice(variable.name.as_bytes());
    }
    if !pipe.declared.is_empty() {
        out.extend_from_slice(if pipe.assigns { b" = " } else { b" := " });
    }
    for (position, command) in pipe.commands.iter().enumerate() {
        if position > 0 {
            out.extend_from_slice(b" | ");
        }
        write_command(command, source, out);
    }
}

fn write_command(command: &Command, source: &[u8], out: &mut Vec<u8>) {
    for (position, operand) in command.operands.iter().enumerate() {
        if position > 0 {
            out.push(b' ');
        }
        write_enclosed(&operand.term, source, out);
    }
}

/// A term, in parentheses when it is a pipeline.
fn write_enclosed(term: &Term, source: &[u8], out: &mut Vec<u8>) {
    if let Term::Pipe(pipe) = term {
        out.push(b'(');
        write_pipe(pipe, source, out);
        out.push(b')');
    } else {
        write_term(term, source, out);
    }
}

fn write_term(term: &Term, source: &[u8], out: &mut Vec<u8>) {
    let mut fields = "";
    match term {
        Term::Bool(true) => out.extend_from_slice(b"true"),
        Term::Bool(false) => out.extend_from_slice(b"false"),
        Term::Nil => out.extend_from_slice(b"nil"),
        Term::Dot => out.push(b'.'),
        Term::Number(_, written) => out.extend_from_slice(written.as_bytes()),
        Term::Text(_, range) => {
            out.extend_from_slice(source.get(range.clone()).unwrap_or_default());
        }
        Term::Field(names) => fields = names.written(),
        Term::Variable(variable, names) => {
            out.extend_from_slice(variable.name.as_bytes());
            fields = names.written();
        }
        Term::Function(function) => out.extend_from_slice(function.name().as_bytes()),
        Term::Chain(base, names) => {
            write_enclosed(&base.term, source, out);
            fields = names.written();
        }
        Term::Pipe(pipe) => write_pipe(pipe, source, out),
    }
    out.extend_from_slice(fields.as_bytes());
}

/// Whether nothing but blanks and comments stands in a template.
pub(super) fn is_empty(list: &[Node], source: &[u8]) -> bool {
    list.iter().all(|node| match node {
        Node::Text(range) => lossy(&source[range.clone()]).trim().is_empty(),
        _ => false,
    })
}
