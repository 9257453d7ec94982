//! Compiled expressions. Charts use few of them often, so the last ones are kept.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;
use std::time::Instant;

use regex_automata::Input;
use regex_automata::meta::{Config, Regex};
use regex_automata::util::captures::Captures;

use super::subject::Subject;
use super::syntax::{self, SyntaxError};
use crate::deadline;
use crate::functions::FunctionError;
use crate::functions::bounds::check_items;

/// What a compiled expression may take, in bytes.
const MAX_COMPILED_BYTES: usize = 10 << 20;

/// What an expression may take and the text it searches, multiplied: the longest time that one search can take.
const MAX_WORK: usize = 1 << 39;

/// How many expressions are kept compiled.
const MAX_KEPT: usize = 64;

thread_local! {
    static KEPT: RefCell<HashMap<Vec<u8>, Expression>> = RefCell::default();
}

/// Until when the matches of a text may be looked for. Each may search to its end, so that all together take a time that
/// grows with its square.
pub(super) struct Clock(Instant);

impl Clock {
    pub(super) fn start() -> Self {
        Self(deadline::until())
    }

    pub(super) fn check(&self) -> Result<(), FunctionError> {
        if Instant::now() <= self.0 {
            return Ok(());
        }
        Err(FunctionError::new(
            "a regular expression takes too long: the time of a rendering is bounded".to_owned(),
        ))
    }
}

/// A compiled expression.
#[derive(Clone)]
pub(super) struct Expression {
    automaton: Rc<Regex>,
    /// The names of the groups, from the first one that captures.
    names: Rc<[Option<String>]>,
}

impl Expression {
    pub(super) fn compile(pattern: &[u8]) -> Result<Self, SyntaxError> {
        if let Some(kept) = KEPT.with_borrow(|kept| kept.get(pattern).cloned()) {
            return Ok(kept);
        }
        let parsed = syntax::parse(pattern)?;
        let config = Config::new()
            .nfa_size_limit(Some(MAX_COMPILED_BYTES))
            .onepass(false)
            .hybrid_cache_capacity(4 << 20);
        let automaton = Regex::builder()
            .configure(config)
            .build_from_hir(&parsed.expression);
        let automaton = automaton.map_err(|_| SyntaxError::too_large(pattern))?;
        let expression = Self {
            automaton: Rc::new(automaton),
            names: parsed.names.into(),
        };
        KEPT.with_borrow_mut(|kept| {
            if kept.len() >= MAX_KEPT {
                kept.clear();
            }
            kept.insert(pattern.to_vec(), expression.clone());
        });
        Ok(expression)
    }

    pub(super) fn is_match(&self, subject: &Subject<'_>) -> bool {
        self.automaton.is_match(subject.text())
    }

    /// The first match from a place on.
    pub(super) fn find_at(&self, subject: &Subject<'_>, place: usize) -> Option<Range<usize>> {
        let input = Input::new(subject.text()).range(place..);
        self.automaton.search(&input).map(|found| found.range())
    }

    /// The groups of the first match from a place on.
    pub(super) fn captures_at(&self, subject: &Subject<'_>, place: usize) -> Option<Captures> {
        let mut captures = self.automaton.create_captures();
        let input = Input::new(subject.text()).range(place..);
        self.automaton.search_captures(&input, &mut captures);
        captures.is_match().then_some(captures)
    }

    /// Refuses a text that the expression could search for too long.
    pub(super) fn check_work(&self, subject: &Subject<'_>) -> Result<(), FunctionError> {
        let bytes = subject.text().len();
        if self.automaton.memory_usage().saturating_mul(bytes) <= MAX_WORK {
            return Ok(());
        }
        let text = format!("a text of {bytes} bytes is too long for so large a regular expression");
        Err(FunctionError::new(text))
    }

    /// All matches, except for empty ones right behind another.
    pub(super) fn find_all(
        &self,
        subject: &Subject<'_>,
        limit: usize,
    ) -> Result<Vec<Range<usize>>, FunctionError> {
        let clock = Clock::start();
        let mut found = Vec::new();
        let (mut place, mut last_end) = (0, None);
        while found.len() < limit && place <= subject.text().len() {
            clock.check()?;
            let Some(next) = self.find_at(subject, place) else {
                break;
            };
            let is_accepted = next.end != place || Some(next.start) != last_end;
            place = if next.end == place {
                let width = subject.width_at(place);
                if width == 0 {
                    subject.text().len() + 1
                } else {
                    place + width
                }
            } else {
                next.end
            };
            last_end = Some(next.end);
            if is_accepted {
                found.push(next);
                check_items(found.len())?;
            }
        }
        Ok(found)
    }

    /// The numbers of the groups of a name.
    pub(super) fn groups_named(&self, name: &str) -> impl Iterator<Item = usize> {
        let groups = self.names.iter().zip(1..);
        groups
            .filter(move |(own, _)| own.as_deref() == Some(name))
            .map(|(_, number)| number)
    }
}
