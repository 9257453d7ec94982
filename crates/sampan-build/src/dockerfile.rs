//! Dockerfiles: from text to stages of typed instructions.

pub mod environment;
pub mod error;
pub mod expand;
pub mod instruction;
pub mod mount;
pub mod statement;

mod convert;
mod directive;
mod flags;
mod health;
mod heredoc;
mod pattern;
mod source;
mod words;

pub use heredoc::Heredoc;
pub use pattern::PatternError;
pub use source::Span;

use error::{ParseError, SyntaxError};
use instruction::{Argument, From, Instruction, Step};
use statement::Statements;

/// A Dockerfile, understood but not yet resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dockerfile {
    /// The ARGs before the first FROM, each with its place.
    pub arguments: Vec<(Argument, Span)>,
    /// The stages, in order; at least one.
    pub stages: Vec<Stage>,
    /// The escape character of the file.
    pub escape: char,
}

/// A FROM and the instructions up to the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// The FROM.
    pub from: From,
    /// The FROM as written.
    pub original: String,
    /// Where the FROM stands.
    pub span: Span,
    /// The instructions behind it.
    pub steps: Vec<Step>,
}

impl Dockerfile {
    /// Reads a Dockerfile.
    ///
    /// # Errors
    /// Names the line, the instruction and what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let Statements { statements, escape } = Statements::parse(text)?;
        let mut file = Self {
            arguments: Vec::new(),
            stages: Vec::new(),
            escape,
        };
        for statement in &statements {
            let step = Step::from_statement(statement)?;
            match (step.instruction, file.stages.last_mut()) {
                (Instruction::From(from), _) => file.stages.push(Stage {
                    from,
                    original: step.original,
                    span: step.span,
                    steps: Vec::new(),
                }),
                (instruction, Some(stage)) => {
                    stage.steps.push(Step {
                        instruction,
                        ..step
                    });
                }
                (Instruction::Arg(arguments), None) => {
                    file.arguments
                        .extend(arguments.into_iter().map(|arg| (arg, step.span)));
                }
                (_, None) => {
                    return Err(ParseError::new(
                        step.span,
                        &step.original,
                        SyntaxError::BeforeFrom,
                    ));
                }
            }
        }
        if file.stages.is_empty() {
            let span = statements
                .last()
                .map_or(Span { first: 1, last: 1 }, |last| last.span);
            return Err(ParseError::new(span, "", SyntaxError::NoStage));
        }
        Ok(file)
    }

    /// Reads the one instruction of an ONBUILD trigger, placed where the FROM stands.
    ///
    /// # Errors
    /// As [`Dockerfile::parse`].
    pub fn parse_trigger(text: &str, span: Span) -> Result<Step, ParseError> {
        let Statements { mut statements, .. } = Statements::parse(text)?;
        let Some(mut statement) = statements.pop().filter(|_| statements.is_empty()) else {
            let cause = SyntaxError::OnbuildTrigger {
                keyword: text.to_owned(),
            };
            return Err(ParseError::new(span, text, cause));
        };
        statement.set_span(span);
        Step::from_statement(&statement)
    }
}
