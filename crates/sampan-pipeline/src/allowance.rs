//! What reading the files of one run may cost.
//!
//! Each file, document and list has bounds of its own. But what is within all of them multiplies: the combinations of a
//! matrix with the steps of a stage, steps with the variables that each of them holds, conditions with the files that have
//! changed. So whatever is made of the files of a run is counted together, too. (Workflows of GitHub have
//! a count of their own, because there expressions make the texts.)

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::io;

use sampan_model::yaml::{Location, Node};
use serde::Serialize;

use crate::PipelineError;
use crate::graph::{Reason, Stage, Step};

/// How many bytes all documents may stand for, each read once for every combination of its matrix.
const LIMIT_READ: usize = 64 << 20;
/// What a value counts beside its text.
const VALUE_BYTES: usize = 16;
/// How many bytes all stages may take, as JSON.
const LIMIT_MADE: usize = 128 << 20;
/// How many steps conditions may take, of about a tenth of a microsecond.
const LIMIT_WORK: usize = 20_000_000;

/// What was used so far.
#[derive(Debug, Default)]
pub(crate) struct Allowance {
    read: Cell<usize>,
    made: Cell<usize>,
    work: Cell<usize>,
    notes: RefCell<HashSet<Reason>>,
}

impl Allowance {
    /// Accounts for a document that is about to be understood.
    pub(crate) fn document(&self, node: &Node) -> Result<(), PipelineError> {
        self.read.set(self.read.get().saturating_add(weight(node)));
        check(
            &node.location,
            "bytes in all combinations of the pipelines",
            self.read.get(),
            LIMIT_READ,
        )
    }

    /// Accounts for a step.
    pub(crate) fn step(&self, step: &Step) -> Result<(), PipelineError> {
        self.make(&step.location, json_bytes(step))
    }

    /// Accounts for what a stage has beside its steps, and what these wait for.
    pub(crate) fn stage(&self, stage: &Stage) -> Result<(), PipelineError> {
        let needs = stage.steps.iter().map(|step| bytes_of(&step.needs));
        let matrix = json_bytes(&stage.matrix) + json_bytes(&stage.verdict);
        self.make(&stage.location, needs.sum::<usize>() + matrix)
    }

    /// Accounts for a reason that is added to a stage.
    pub(crate) fn reason(&self, location: &Location, reason: &Reason) -> Result<(), PipelineError> {
        self.make(location, cost(reason))
    }

    /// Accounts for what a stage waits for.
    pub(crate) fn needs(&self, stage: &Stage) -> Result<(), PipelineError> {
        self.make(&stage.location, bytes_of(&stage.needs))
    }

    /// Adds the notes that are not there yet: those about one combination are likely those about the next one.
    pub(crate) fn notes(
        &self,
        location: &Location,
        more: Vec<Reason>,
        notes: &mut Vec<Reason>,
    ) -> Result<(), PipelineError> {
        for note in more {
            if self.notes.borrow_mut().insert(note.clone()) {
                self.make(location, cost(&note))?;
                notes.push(note);
            }
        }
        Ok(())
    }

    /// Accounts for work; whether there is room for it.
    pub(crate) fn spend(&self, work: usize) -> bool {
        self.work.set(self.work.get().saturating_add(work));
        self.work.get() <= LIMIT_WORK
    }

    /// Accounts for comparing texts of so many bytes with patterns of so many characters.
    pub(crate) fn compare(
        &self,
        location: &Location,
        bytes: usize,
        characters: usize,
    ) -> Result<(), PipelineError> {
        // A word of the processor does about so many of these steps in the time of another one.
        const AT_ONCE: usize = 128;
        self.spend(bytes.saturating_mul(characters) / AT_ONCE);
        check(
            location,
            "comparisons with patterns",
            self.work.get(),
            LIMIT_WORK,
        )
    }

    fn make(&self, location: &Location, bytes: usize) -> Result<(), PipelineError> {
        self.made.set(self.made.get().saturating_add(bytes));
        check(location, "bytes in all stages", self.made.get(), LIMIT_MADE)
    }
}

fn check(
    location: &Location,
    what: &'static str,
    count: usize,
    limit: usize,
) -> Result<(), PipelineError> {
    if count <= limit {
        return Ok(());
    }
    Err(PipelineError::TooMany {
        location: location.clone(),
        what,
        count,
        limit,
    })
}

/// What a node stands for. It nests no deeper than the reader of YAML allows.
fn weight(node: &Node) -> usize {
    let items = node.items().iter().map(weight);
    let entries = node
        .entries()
        .iter()
        .map(|(key, value)| VALUE_BYTES + key.name.len() + weight(value));
    VALUE_BYTES + node.scalar().map_or(0, str::len) + items.sum::<usize>() + entries.sum::<usize>()
}

/// What a reason takes, with its place and where it is kept a second time.
fn cost(reason: &Reason) -> usize {
    2 * (reason.text.len() + VALUE_BYTES)
}

fn bytes_of(names: &[String]) -> usize {
    names.iter().map(|name| VALUE_BYTES + name.len()).sum()
}

fn json_bytes(value: &impl Serialize) -> usize {
    struct Counter(usize);

    impl io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut counter = Counter(0);
    // What cannot be written is not counted further; all of a graph can be written.
    drop(serde_json::to_writer(&mut counter, value));
    counter.0
}
