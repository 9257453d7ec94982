use super::*;
use serde_json::{Value, json};

fn at(text: &str) -> Timestamp {
    format!("2026-01-01T{text}Z").parse().unwrap()
}

fn cron(spec: Value, last: Option<&str>) -> CronJob {
    let mut spec = spec;
    spec["jobTemplate"] = json!({"spec": {"template": {}}});
    let last = last.map(at);
    serde_json::from_value(json!({
        "metadata": {"name": "report", "namespace": "default", "creationTimestamp": at("00:00:00")},
        "spec": spec,
        "status": {"lastScheduleTime": last},
    }))
    .unwrap()
}

fn job(name: &str, started: &str, end: Option<&str>) -> Job {
    let conditions = end.map(|end| json!([{"type": end, "status": "True"}]));
    let complete = (end == Some("Complete")).then(|| at(started));
    serde_json::from_value(json!({
        "metadata": {"name": name, "namespace": "default", "uid": name},
        "spec": {"template": {}},
        "status": {"startTime": at(started), "conditions": conditions, "completionTime": complete},
    }))
    .unwrap()
}

fn reasons(plan: &Plan) -> Vec<&str> {
    plan.news.iter().map(|news| news.reason).collect()
}

#[test]
fn a_job_is_made_when_it_is_due_and_only_once() {
    let hourly = json!({"schedule": "0 * * * *"});
    let early = plan(&cron(hourly.clone(), None), &[], at("00:55:00"));
    assert_eq!((early.start, early.again_at), (None, Some(at("01:00:00"))));
    let due = plan(&cron(hourly.clone(), None), &[], at("01:00:02"));
    assert_eq!(due.start, Some(at("01:00:00")));
    assert_eq!(due.status.last_schedule_time, Some(Time(at("01:00:00"))));
    // The clock may be set meanwhile, so nobody sleeps for an hour.
    assert_eq!(due.again_at, Some(at("01:10:02")));
    let again = plan(&cron(hourly, Some("01:00:00")), &[], at("01:30:00"));
    assert_eq!(again.start, None);
}

#[test]
fn of_missed_times_only_the_last_is_made_good() {
    let minutely = json!({"schedule": "* * * * *"});
    let due = plan(
        &cron(minutely.clone(), Some("01:00:00")),
        &[],
        at("01:05:30"),
    );
    assert_eq!(due.start, Some(at("01:05:00")));
    assert!(due.news.is_empty());
    let late = plan(&cron(minutely, Some("01:00:00")), &[], at("04:00:00"));
    assert_eq!(late.start, Some(at("04:00:00")));
    assert_eq!(reasons(&late), ["TooManyMissedTimes"]);
}

#[test]
fn what_is_later_than_its_deadline_is_missed() {
    let spec = json!({"schedule": "0 * * * *", "startingDeadlineSeconds": 60});
    let missed = plan(&cron(spec.clone(), None), &[], at("01:02:00"));
    assert_eq!(missed.start, None);
    assert_eq!(reasons(&missed), ["MissSchedule"]);
    let in_time = plan(&cron(spec, None), &[], at("01:01:00"));
    assert_eq!(in_time.start, Some(at("01:00:00")));
}

#[test]
fn a_running_job_is_let_be_waited_for_or_replaced() {
    let running = [job("report-1", "00:30:00", None)];
    let with = |policy: &str| {
        let spec = json!({"schedule": "0 * * * *", "concurrencyPolicy": policy});
        plan(&cron(spec, None), &running, at("01:00:00"))
    };
    let allowed = with("Allow");
    assert!(allowed.start.is_some() && allowed.delete.is_empty());
    assert_eq!(allowed.status.active.map(|active| active.len()), Some(1));
    let forbidden = with("Forbid");
    assert_eq!(
        (forbidden.start, reasons(&forbidden)),
        (None, vec!["JobAlreadyActive"])
    );
    assert_eq!(forbidden.status.last_schedule_time, None);
    let replaced = with("Replace");
    assert_eq!(replaced.delete, ["report-1"]);
    assert!(replaced.start.is_some() && replaced.status.active.is_none());
}

#[test]
fn old_jobs_go_and_the_last_success_is_kept() {
    let spec = json!({"schedule": "0 5 * * *", "successfulJobsHistoryLimit": 1, "failedJobsHistoryLimit": 0});
    let jobs = [
        job("new", "00:20:00", Some("Complete")),
        job("old", "00:10:00", Some("Complete")),
        job("bad", "00:15:00", Some("Failed")),
    ];
    let pruned = plan(&cron(spec, None), &jobs, at("01:00:00"));
    assert_eq!(pruned.delete, ["old", "bad"]);
    assert_eq!(
        pruned.status.last_successful_time,
        Some(Time(at("00:20:00")))
    );
    assert_eq!(pruned.status.active, None);
}

#[test]
fn a_suspended_cron_job_starts_nothing() {
    let spec = json!({"schedule": "* * * * *", "suspend": true});
    let suspended = plan(&cron(spec, None), &[], at("01:00:00"));
    assert_eq!((suspended.start, suspended.again_at), (None, None));
}

#[test]
fn a_job_that_was_made_before_a_kill_is_neither_replaced_nor_repeated() {
    let spec = json!({"schedule": "0 * * * *", "concurrencyPolicy": "Replace"});
    let cron = cron(spec, Some("00:00:00"));
    let made = job(&name_for(&cron, at("01:00:00")), "01:00:01", None);
    let again = plan(&cron, &[made], at("01:00:05"));
    assert_eq!((again.start, again.delete.len()), (None, 0));
    assert_eq!(again.status.last_schedule_time, Some(Time(at("01:00:00"))));
    assert_eq!(again.status.active.map(|active| active.len()), Some(1));
}
