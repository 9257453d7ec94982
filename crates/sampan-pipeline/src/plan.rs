//! What runs next, what waits for what, and what is skipped and why.
//!
//! A [`Plan`] is told how things end and says what can begin. It is the one place that knows the rules by which a failure
//! spreads: within a stage every step looks at the state of the whole stage, as in Drone and Woodpecker; between stages
//! each looks at those that it needs. It does not run anything and does not evaluate expressions: the caller does both.

use sampan_model::on_one_line;
use serde::{Deserialize, Serialize};

use crate::graph::{Deferred, Dialect, Expression, Failure, Graph, RunWhen, Stage, Step, Verdict};

/// How something ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Well.
    Success,
    /// With an exit code other than 0, or none at all.
    Failure(Option<i32>),
    /// It was ended from outside.
    Cancelled,
}

/// Where something stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Something that it needs has not ended.
    Waits,
    /// It can begin, or has begun.
    Runs,
    /// It ended.
    Ended(End),
    /// It does not run; the text says why.
    Skipped(String),
}

/// Decides expressions that only the run can tell; the number is the place of the stage or step that they belong to.
pub type Decide<'a> = dyn FnMut(usize, &Expression) -> bool + 'a;

/// The steps of a stage, or the stages of a graph, on their way.
#[derive(Debug, Clone)]
pub struct Plan {
    items: Vec<Item>,
    among_steps: bool,
    early_exit: Option<i32>,
    /// Why nothing more begins.
    over: Option<&'static str>,
    cancelled: bool,
    /// Whether something failed before the first of them.
    failed_before: bool,
}

#[derive(Debug, Clone)]
struct Item {
    name: String,
    needs: Vec<usize>,
    /// Why it does not run whatever happens.
    against: Option<String>,
    when: RunWhen,
    failure: Failure,
    /// Whether others need it only to have begun.
    detached: bool,
    /// Whether it is skipped with what it needs.
    skipped_with: SkippedWith,
    state: State,
    /// Whether it, or what it waited for, went wrong.
    bad: bool,
}

/// Of which of its needs it is enough to be skipped for something to be skipped as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SkippedWith {
    None,
    Any,
    All,
}

impl Plan {
    /// The steps of a stage, by their places in it.
    #[must_use]
    pub fn of_steps(stage: &Stage) -> Self {
        let place = |name: &String| stage.steps.iter().position(|step| step.name == *name);
        let item = |step: &Step| Item {
            name: step.name.clone(),
            needs: step.needs.iter().filter_map(place).collect(),
            against: against(&step.verdict),
            when: step.when.clone(),
            failure: step.failure.clone(),
            detached: step.detached,
            skipped_with: SkippedWith::None,
            state: State::Waits,
            bad: false,
        };
        Self {
            items: stage.steps.iter().map(item).collect(),
            among_steps: true,
            early_exit: stage.early_exit,
            over: None,
            cancelled: false,
            failed_before: false,
        }
    }

    /// The stages of a graph, by their places in it.
    #[must_use]
    pub fn of_stages(graph: &Graph) -> Self {
        let place = |id: &String| graph.stages.iter().position(|stage| stage.id == *id);
        let item = |stage: &Stage| Item {
            name: stage.id.clone(),
            needs: stage.needs.iter().filter_map(place).collect(),
            against: against(&stage.verdict),
            when: stage.when.clone(),
            failure: if stage.ignores_failure.is_false() {
                Failure::Fails
            } else {
                Failure::Ignored(stage.ignores_failure.clone())
            },
            detached: false,
            skipped_with: match graph.dialect {
                // The end of a workflow that was called stands for all of its jobs.
                Dialect::GitHub if stage.needs.contains(&format!("{} / begin", stage.id)) => {
                    SkippedWith::All
                }
                Dialect::GitHub => SkippedWith::Any,
                _ => SkippedWith::None,
            },
            state: State::Waits,
            bad: false,
        };
        Self {
            items: graph.stages.iter().map(item).collect(),
            among_steps: false,
            early_exit: None,
            over: None,
            cancelled: false,
            failed_before: false,
        }
    }

    /// What can begin now, by place; it counts as running from here on.
    pub fn next(&mut self, decide: &mut Decide<'_>) -> Vec<usize> {
        self.next_with(&mut |place, expression, _| decide(place, expression))
    }

    /// As [`Self::next`], for those who need to know what stands where by then.
    pub fn next_with(
        &mut self,
        decide: &mut dyn FnMut(usize, &Expression, &[State]) -> bool,
    ) -> Vec<usize> {
        let mut begun = Vec::new();
        let mut changed = true;
        // What is skipped may be all that others waited for.
        while changed {
            changed = false;
            for place in 0..self.items.len() {
                if self.items[place].state != State::Waits || !self.is_free(place) {
                    continue;
                }
                changed = true;
                let bad = self.is_bad_before(place);
                let reason = self.reason_to_skip(place, bad, &mut |place, expression| {
                    let states: Vec<State> =
                        self.items.iter().map(|item| item.state.clone()).collect();
                    decide(place, expression, &states)
                });
                match reason {
                    None => {
                        self.items[place].state = State::Runs;
                        begun.push(place);
                    }
                    Some(reason) => {
                        self.items[place].bad = bad;
                        self.items[place].state = State::Skipped(reason);
                    }
                }
            }
        }
        begun
    }

    /// Takes note of how something ended.
    pub fn ended(&mut self, place: usize, end: End, decide: &mut Decide<'_>) {
        let item = &mut self.items[place];
        item.state = State::Ended(end);
        let code = match end {
            End::Success => return,
            // Who serves the others may end as it likes.
            _ if item.detached => return,
            End::Cancelled => None,
            End::Failure(code) => code,
        };
        if code.is_some() && code == self.early_exit {
            item.state = State::Ended(End::Success);
            self.over = Some("a step ended the stage early and well");
            return;
        }
        let ignored = match &item.failure {
            Failure::Ignored(Deferred::Now(ignored)) => *ignored,
            Failure::Ignored(Deferred::Later(expression)) => decide(place, expression),
            Failure::Fails | Failure::FailsFast => false,
        };
        item.bad = !ignored;
        if item.failure == Failure::FailsFast {
            self.over = Some("a step failed after which nothing shall run");
        }
    }

    /// Nothing more begins, whatever it waits for.
    pub fn stop(&mut self, reason: &'static str) {
        self.over.get_or_insert(reason);
    }

    /// From now on only begins what is there for every end, or whose expression asks for it.
    pub fn cancel(&mut self) {
        self.cancelled = true;
    }

    /// Lets something wait again that can begin but has not, so that it is decided anew whether it does.
    pub fn put_back(&mut self, place: usize) {
        self.items[place].state = State::Waits;
    }

    /// Something failed that belongs to none of them, before any has begun.
    pub fn fail_before(&mut self) {
        self.failed_before = true;
    }

    /// Ends something that has not begun, or has begun without doing anything.
    pub fn give_up(&mut self, place: usize, reason: String) {
        let item = &mut self.items[place];
        item.bad = true;
        item.state = State::Skipped(reason);
    }

    /// Lets something count as it ended in an earlier run; what it needs must have been taken over before.
    pub fn take_over(&mut self, place: usize, state: &State, decide: &mut Decide<'_>) {
        match state {
            State::Ended(end) => self.ended(place, *end, decide),
            State::Skipped(reason) => {
                self.items[place].bad = self.is_bad_before(place);
                self.items[place].state = State::Skipped(reason.clone());
            }
            State::Waits | State::Runs => {}
        }
    }

    /// Takes over where everything of the same name stands in another plan, as far as it has begun there.
    pub fn carry_over(&mut self, before: &Self) {
        for item in &mut self.items {
            if let Some(old) = before.items.iter().find(|old| old.name == item.name) {
                item.state = old.state.clone();
                item.bad = old.bad;
            }
        }
    }

    /// Whether something went wrong, or did not run because something before it did.
    #[must_use]
    pub fn is_bad(&self, place: usize) -> bool {
        self.items[place].bad
    }

    /// Where something stands.
    #[must_use]
    pub fn state(&self, place: usize) -> &State {
        &self.items[place].state
    }

    /// What something still waits for, by name.
    #[must_use]
    pub fn waits_for(&self, place: usize) -> Vec<&str> {
        let needs = self.items[place].needs.iter();
        needs
            .filter(|need| !self.is_done(**need))
            .map(|need| self.items[*need].name.as_str())
            .collect()
    }

    /// Whether something went wrong that was not to be ignored.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        let mut items = self.items.iter();
        self.failed_before || items.any(|item| item.bad && matches!(item.state, State::Ended(_)))
    }

    /// Whether nothing more will begin and nothing that others wait for runs.
    #[must_use]
    pub fn is_over(&self) -> bool {
        (0..self.items.len()).all(|place| self.is_done(place))
    }

    fn is_free(&self, place: usize) -> bool {
        self.over.is_some()
            || self.items[place]
                .needs
                .iter()
                .all(|need| self.is_done(*need))
    }

    fn is_done(&self, place: usize) -> bool {
        let item = &self.items[place];
        match item.state {
            State::Waits => false,
            State::Runs => item.detached,
            State::Ended(_) | State::Skipped(_) => true,
        }
    }

    fn is_bad_before(&self, place: usize) -> bool {
        if self.among_steps {
            self.has_failed()
        } else {
            self.items[place]
                .needs
                .iter()
                .any(|need| self.items[*need].bad)
        }
    }

    /// What was skipped so that the item is skipped as well.
    fn skipped_need(&self, item: &Item) -> Option<&str> {
        let skipped = |need: &&usize| matches!(self.items[**need].state, State::Skipped(_));
        let first = item.needs.iter().find(skipped)?;
        let enough = match item.skipped_with {
            SkippedWith::None => false,
            SkippedWith::Any => true,
            SkippedWith::All => item.needs.iter().all(|need| skipped(&need)),
        };
        enough.then(|| self.items[*first].name.as_str())
    }

    fn reason_to_skip(&self, place: usize, bad: bool, decide: &mut Decide<'_>) -> Option<String> {
        let item = &self.items[place];
        if item.against.is_some() {
            return item.against.clone();
        }
        if let Some(over) = self.over {
            return Some(over.to_owned());
        }
        if item.when.is_default()
            && let Some(need) = self.skipped_need(item)
        {
            return Some(format!("`{need}`, which it needs, was skipped"));
        }
        match &item.when {
            RunWhen::Status { success, failure } if self.cancelled && !(*success && *failure) => {
                Some("it was cancelled before".to_owned())
            }
            RunWhen::Status { success, .. } if !bad && !success => {
                Some("it runs only after a failure, and there is none".to_owned())
            }
            RunWhen::Status { failure, .. } if bad && !failure => {
                Some("something before it failed".to_owned())
            }
            RunWhen::Status { .. } => None,
            RunWhen::Expression(expression) => (!decide(place, expression))
                .then(|| format!("`{}` is false", on_one_line(&expression.expression))),
        }
    }
}

fn against(verdict: &Verdict) -> Option<String> {
    let reasons: Vec<_> = verdict
        .against
        .iter()
        .map(|reason| reason.text.as_str())
        .collect();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}
