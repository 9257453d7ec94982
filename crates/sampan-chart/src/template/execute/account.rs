//! What a rendering has used up of its bounds.

use std::time::{Duration, Instant};

use crate::limits;
use crate::value::Value;

/// Counts work, memory and depth over all templates that are carried out together.
pub(super) struct Account {
    until: Instant,
    steps: u64,
    /// Bytes of all that functions made.
    bytes: u64,
    /// Bytes that the templates that wait for another one have printed.
    held: usize,
    nesting: usize,
}

/// Why a rendering is ended.
pub(super) type Refusal = &'static str;

impl Account {
    /// One that ends when so much time has gone.
    pub(super) fn open(time: Duration) -> Self {
        Self {
            until: Instant::now() + time,
            steps: 0,
            bytes: 0,
            held: 0,
            nesting: 0,
        }
    }

    /// Counts a step of a template that has printed so many bytes.
    pub(super) fn step(&mut self, printed: usize) -> Result<(), Refusal> {
        self.steps += 1;
        if self.steps > limits::STEPS {
            return Err("the templates do too much: their work is bounded");
        }
        if self.held + printed > limits::TEXT_BYTES {
            return Err("the templates print too much: their output is bounded");
        }
        // Asking for the time at each step would cost more than most of them.
        if self.steps.is_multiple_of(64) {
            self.check_time()?;
        }
        Ok(())
    }

    fn check_time(&self) -> Result<(), Refusal> {
        if Instant::now() > self.until {
            return Err("the templates take too long: their time is bounded");
        }
        Ok(())
    }

    /// Until when the rendering may go on.
    pub(super) fn until(&self) -> Instant {
        self.until
    }

    /// Counts what a function made, which may have taken long.
    pub(super) fn charge(&mut self, value: &Value) -> Result<(), Refusal> {
        self.check_time()?;
        self.bytes = self.bytes.saturating_add(value.fresh_bytes());
        if self.bytes > limits::MADE_BYTES {
            return Err("the templates make too many values: their memory is bounded");
        }
        Ok(())
    }

    /// Counts a template or parenthesis within another.
    pub(super) fn enter(&mut self) -> Result<(), Refusal> {
        self.nesting += 1;
        if self.nesting > limits::NESTING {
            return Err("templates and parentheses are nested too deeply");
        }
        Ok(())
    }

    pub(super) fn leave(&mut self) {
        self.nesting = self.nesting.saturating_sub(1);
    }

    /// Notes that a template waits for another one with what it has printed.
    pub(super) fn hold(&mut self, printed: usize) {
        self.held += printed;
    }

    pub(super) fn release(&mut self, printed: usize) {
        self.held = self.held.saturating_sub(printed);
    }
}
