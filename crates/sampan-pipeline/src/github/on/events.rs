//! The events that GitHub documents, with the filters that each of them takes.

/// What an event takes.
pub(super) struct Known {
    name: &'static str,
    pub(super) branches: bool,
    pub(super) tags: bool,
    pub(super) paths: bool,
    /// The values of `types`; empty where any are taken, `None` where there is no such key.
    pub(super) types: Option<&'static [&'static str]>,
}

const fn event(name: &'static str, types: Option<&'static [&'static str]>) -> Known {
    Known {
        name,
        branches: false,
        tags: false,
        paths: false,
        types,
    }
}

const fn pull_request(name: &'static str) -> Known {
    Known {
        branches: true,
        paths: true,
        ..event(name, Some(PULL_REQUEST))
    }
}

const PULL_REQUEST: &[&str] = &[
    "opened",
    "synchronize",
    "reopened",
    "closed",
    "edited",
    "assigned",
    "unassigned",
    "labeled",
    "unlabeled",
    "milestoned",
    "demilestoned",
    "locked",
    "unlocked",
    "enqueued",
    "dequeued",
    "converted_to_draft",
    "ready_for_review",
    "review_requested",
    "review_request_removed",
    "auto_merge_enabled",
    "auto_merge_disabled",
    "stacked",
];

const CHANGES: Option<&[&str]> = Some(&["created", "edited", "deleted"]);

const EVENTS: &[Known] = &[
    Known {
        branches: true,
        tags: true,
        paths: true,
        ..event("push", None)
    },
    pull_request("pull_request"),
    pull_request("pull_request_target"),
    event("workflow_dispatch", None),
    event("workflow_call", None),
    event("schedule", None),
    Known {
        branches: true,
        ..event(
            "workflow_run",
            Some(&["completed", "requested", "in_progress"]),
        )
    },
    event("repository_dispatch", Some(&[])),
    Known {
        branches: true,
        ..event("merge_group", Some(&["checks_requested"]))
    },
    event(
        "release",
        Some(&[
            "published",
            "unpublished",
            "created",
            "edited",
            "deleted",
            "prereleased",
            "released",
        ]),
    ),
    event("create", None),
    event("delete", None),
    event("deployment", None),
    event("deployment_status", None),
    event("fork", None),
    event("gollum", None),
    event("page_build", None),
    event("public", None),
    event("status", None),
    event("watch", Some(&["started"])),
    event("branch_protection_rule", CHANGES),
    event(
        "check_run",
        Some(&["created", "rerequested", "completed", "requested_action"]),
    ),
    event("check_suite", Some(&["completed"])),
    event(
        "discussion",
        Some(&[
            "created",
            "edited",
            "deleted",
            "transferred",
            "pinned",
            "unpinned",
            "labeled",
            "unlabeled",
            "locked",
            "unlocked",
            "category_changed",
            "answered",
            "unanswered",
        ]),
    ),
    event("discussion_comment", CHANGES),
    event("image_version", Some(&["created", "ready", "deleted"])),
    event("issue_comment", CHANGES),
    event(
        "issues",
        Some(&[
            "opened",
            "edited",
            "deleted",
            "transferred",
            "pinned",
            "unpinned",
            "closed",
            "reopened",
            "assigned",
            "unassigned",
            "labeled",
            "unlabeled",
            "locked",
            "unlocked",
            "milestoned",
            "demilestoned",
            "typed",
            "untyped",
            "field_added",
            "field_removed",
        ]),
    ),
    event("label", CHANGES),
    event(
        "milestone",
        Some(&["created", "closed", "opened", "edited", "deleted"]),
    ),
    event(
        "project",
        Some(&["created", "closed", "reopened", "edited", "deleted"]),
    ),
    event(
        "project_card",
        Some(&["created", "moved", "converted", "edited", "deleted"]),
    ),
    event(
        "project_column",
        Some(&["created", "updated", "moved", "deleted"]),
    ),
    event("pull_request_comment", CHANGES),
    event(
        "pull_request_review",
        Some(&["submitted", "edited", "dismissed"]),
    ),
    event("pull_request_review_comment", CHANGES),
    event("registry_package", Some(&["published", "updated"])),
];

/// The event of a name.
pub(super) fn known(name: &str) -> Option<&'static Known> {
    EVENTS.iter().find(|event| event.name == name)
}

/// The names of all events.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    EVENTS.iter().map(|event| event.name)
}
