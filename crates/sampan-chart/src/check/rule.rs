//! Rules: what they are about, and how they judge.

use std::borrow::Cow;
use std::sync::Arc;

use sampan_model::yaml::Node;
use serde::Serialize;

use super::finding::{Finding, Grade};
use super::object::Object;
use super::own::OwnRule;
use super::pod::{Container, Pod};
use super::relation::Target;
use super::schema::Flaw;
use super::settings::Settings;
use super::world::World;

/// What a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// Whether Kubernetes takes the manifest at all.
    Schema,
    /// Whether what it refers to is there.
    Relation,
    /// Whether it is done as it is best done.
    Practice,
    /// Whether it works at a site without a network.
    AirGap,
    /// Rules of the user.
    Own,
}

impl Group {
    /// The name that switches the whole group on and off.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Schema => "schema",
            Self::Relation => "relation",
            Self::Practice => "practice",
            Self::AirGap => "air-gap",
            Self::Own => "own",
        }
    }
}

/// A rule.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// The id by which it is switched on and off, ignored and explained.
    pub id: Cow<'static, str>,
    /// What it is about.
    pub group: Group,
    /// How bad it is when the rule does not hold.
    pub grade: Grade,
    /// Whether it is judged only when it is asked for.
    pub optional: bool,
    /// What must hold, in one line.
    pub summary: Cow<'static, str>,
    /// Why it matters.
    pub why: Cow<'static, str>,
    /// How to make it hold.
    pub mend: Cow<'static, str>,
    #[serde(skip)]
    pub(super) judge: Judge,
}

/// How a rule judges.
#[derive(Debug, Clone)]
pub(super) enum Judge {
    /// While the inputs are read.
    Reading,
    /// Every object.
    Objects(fn(&Object, &mut Sink<'_>)),
    /// The objects of these kinds.
    Kinds(&'static [&'static str], fn(&Object, &mut Sink<'_>)),
    /// Every object with a pod.
    Pods(fn(&Pod<'_>, &mut Sink<'_>)),
    /// Every container of every pod.
    Containers(fn(&Container<'_>, &mut Sink<'_>)),
    /// Every object that refers to such a thing.
    References(Target),
    /// As the user's expression says.
    Own(Arc<OwnRule>),
}

/// A rule of this program.
pub(super) const fn rule(
    id: &'static str,
    group: Group,
    grade: Grade,
    judge: Judge,
    [summary, why, mend]: [&'static str; 3],
) -> Rule {
    Rule {
        id: Cow::Borrowed(id),
        group,
        grade,
        optional: false,
        summary: Cow::Borrowed(summary),
        why: Cow::Borrowed(why),
        mend: Cow::Borrowed(mend),
        judge,
    }
}

impl Rule {
    /// The rule, judged only when it is asked for.
    pub(super) fn when_asked_for(mut self) -> Self {
        self.optional = true;
        self
    }
}

/// An object with all that rules may ask about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) world: &'a World,
    pub(super) settings: &'a Settings,
    pub(super) object: &'a Object,
}

/// Where a rule puts what it finds about an object.
#[derive(Debug)]
pub(super) struct Sink<'a> {
    pub(super) world: &'a World,
    pub(super) settings: &'a Settings,
    pub(super) object: &'a Object,
    rule: &'a Rule,
    flaws: Option<&'a [Flaw<'a>]>,
    found: Vec<Finding>,
    /// Whether there was something to judge.
    judged: bool,
}

impl<'a> Sink<'a> {
    pub(super) fn new(
        subject: &Subject<'a>,
        rule: &'a Rule,
        flaws: Option<&'a [Flaw<'a>]>,
    ) -> Self {
        Self {
            world: subject.world,
            settings: subject.settings,
            object: subject.object,
            rule,
            flaws,
            found: Vec::new(),
            judged: true,
        }
    }

    /// What is wrong with the fields of the object; none when nobody knows its kind.
    pub(super) fn flaws(&self) -> Option<&'a [Flaw<'a>]> {
        self.flaws
    }

    /// The rule does not hold at `node`, a part of the object.
    pub(super) fn report(&mut self, node: &Node, message: impl Into<String>) {
        self.report_as(self.rule.grade, node, message);
    }

    /// The rule does not hold, with another grade than usual.
    pub(super) fn report_as(&mut self, grade: Grade, node: &Node, message: impl Into<String>) {
        self.found.push(Finding {
            rule: self.rule.id.to_string(),
            grade: self.settings.grade_of(self.rule).unwrap_or(grade),
            message: message.into(),
            mend: Some(self.rule.mend.to_string()).filter(|mend| !mend.is_empty()),
            place: self.object.place(node),
            object: Some(self.object.full_name()),
            path: self.object.path_of(node),
            reason: None,
            environments: Vec::new(),
        });
    }

    /// Says how to mend what was reported last, better than the rule knows.
    pub(super) fn mend(&mut self, mend: impl Into<String>) {
        if let Some(last) = self.found.last_mut() {
            last.mend = Some(mend.into());
        }
    }

    /// Says why what was reported last was not judged.
    pub(super) fn skip(&mut self, node: &Node, reason: impl Into<String>) {
        let reason = reason.into();
        self.report_as(Grade::Skipped, node, reason.clone());
        if let Some(last) = self.found.last_mut() {
            last.grade = Grade::Skipped;
            last.reason = Some(reason);
            last.mend = None;
        }
    }

    /// There was nothing that the rule is about.
    pub(super) fn nothing_to_judge(&mut self) {
        self.judged = false;
    }

    /// There was something to judge after all.
    pub(super) fn has_judged(&mut self) {
        self.judged = true;
    }

    /// What was found; none when there was nothing to judge.
    pub(super) fn finish(self) -> Option<Vec<Finding>> {
        (self.judged || !self.found.is_empty()).then_some(self.found)
    }
}
