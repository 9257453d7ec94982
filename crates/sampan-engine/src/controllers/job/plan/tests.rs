use super::*;
use serde_json::{Value, json};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn job(mut spec: Value, status: &Value) -> Job {
    spec["template"] = json!({"spec": {"restartPolicy": "Never", "containers": []}});
    serde_json::from_value(json!({
        "metadata": {"name": "sums", "namespace": "default", "uid": "j"},
        "spec": spec,
        "status": status,
    }))
    .unwrap()
}

fn pod(name: &str, phase: &str, ended: Option<i64>) -> Pod {
    let state = ended.map_or_else(
        || json!({"running": {}}),
        |ended| json!({"terminated": {"exitCode": 1, "finishedAt": at(ended)}}),
    );
    serde_json::from_value(json!({
        "metadata": {"name": name, "uid": name},
        "spec": {"containers": []},
        "status": {"phase": phase, "containerStatuses": [
            {"name": "c", "image": "", "imageID": "", "ready": false, "restartCount": 0, "state": state}]},
    }))
    .unwrap()
}

fn indexed(index: i32, phase: &str) -> Pod {
    let mut pod = pod(&format!("sums-{index}"), phase, Some(1));
    let annotations = pod.metadata.annotations.get_or_insert_default();
    annotations.insert(indexes::INDEX.to_owned(), index.to_string());
    pod
}

fn told_to_end(mut pod: Pod) -> Pod {
    pod.metadata.deletion_timestamp = Some(Time(at(5)));
    pod
}

/// The job after a round.
fn after(job: &Job, plan: &Plan) -> Job {
    Job {
        status: Some(plan.status.clone()),
        ..job.clone()
    }
}

fn condition(plan: &Plan, kind: &str) -> Option<String> {
    let conditions = plan.status.conditions.as_deref().unwrap_or_default();
    conditions::find(conditions, kind).map(|condition| condition.status.clone())
}

#[test]
fn as_many_pods_run_as_are_missing_and_allowed() {
    let job = job(json!({"completions": 5, "parallelism": 2}), &json!({}));
    let begun = plan(&job, &[], at(10));
    assert_eq!(begun.create.len(), 2);
    assert_eq!(begun.status.start_time, Some(Time(at(10))));
    let owned = [pod("a", "Succeeded", Some(9)), pod("b", "Running", None)];
    let going_on = plan(&job, &owned, at(10));
    assert_eq!(going_on.create.len(), 1);
    let status = going_on.status;
    assert_eq!((status.succeeded, status.active), (Some(1), Some(1)));
}

#[test]
fn a_pod_counts_once_and_also_when_it_is_deleted() {
    let job = job(json!({"completions": 3, "parallelism": 1}), &json!({}));
    let first = [pod("a", "Succeeded", Some(1))];
    let job = after(&job, &plan(&job, &first, at(10)));
    let again = plan(&job, &first, at(11));
    assert_eq!(again.status.succeeded, Some(1));
    let job = after(&job, &again);
    let next = plan(&job, &[pod("b", "Succeeded", Some(12))], at(13));
    assert_eq!(next.status.succeeded, Some(2));
    assert_eq!(next.create.len(), 1);
}

fn marked(mut pod: Pod) -> Pod {
    let annotations = pod.metadata.annotations.get_or_insert_default();
    annotations.insert(ended::COUNTED.to_owned(), "true".to_owned());
    pod
}

#[test]
fn counted_pods_are_marked_and_then_no_longer_listed() {
    let job = job(json!({"completions": 3, "parallelism": 1}), &json!({}));
    let first = pod("a", "Succeeded", Some(1));
    let counted = plan(&job, std::slice::from_ref(&first), at(10));
    let listed = |plan: &Plan| {
        let pods = plan.status.uncounted_terminated_pods.clone();
        pods.unwrap_or_default().succeeded.unwrap_or_default()
    };
    assert_eq!(
        (&counted.mark[..], listed(&counted)),
        (&["a".to_owned()][..], vec!["a".to_owned()])
    );
    let job = after(&job, &counted);
    // Whoever is killed before the mark finds the pod in the list.
    let again = plan(&job, std::slice::from_ref(&first), at(11));
    assert_eq!((again.status.succeeded, again.mark.len()), (Some(1), 1));
    let owned = [marked(first), pod("b", "Failed", Some(11))];
    let next = plan(&job, &owned, at(12));
    assert_eq!(
        (next.status.succeeded, next.status.failed),
        (Some(1), Some(1))
    );
    assert!(listed(&next).is_empty());
    assert_eq!(next.mark, ["b"]);
    let job = after(&job, &next);
    let owned = owned.map(marked);
    let last = plan(&job, &owned, at(13));
    assert_eq!(
        (last.status.succeeded, last.status.failed),
        (Some(1), Some(1))
    );
    let none = UncountedTerminatedPods::default();
    assert_eq!(last.status.uncounted_terminated_pods, Some(none));
}

#[test]
fn a_job_is_complete_when_enough_have_succeeded_and_none_runs() {
    let job = job(json!({"completions": 1, "parallelism": 1}), &json!({}));
    let done = plan(&job, &[pod("a", "Succeeded", Some(9))], at(10));
    assert_eq!(condition(&done, "Complete").as_deref(), Some("True"));
    assert_eq!(
        condition(&done, "SuccessCriteriaMet").as_deref(),
        Some("True")
    );
    assert_eq!(done.status.completion_time, Some(Time(at(10))));
    assert_eq!(done.news, Some(News::Completed));
    let ended = after(&job, &done);
    assert_eq!(
        super::super::outcome(&ended),
        Some(super::super::Outcome::Complete)
    );
}

#[test]
fn one_success_is_enough_for_a_job_without_a_number() {
    let mut job = job(json!({"parallelism": 2}), &json!({}));
    job.spec.as_mut().unwrap().completions = None;
    let owned = [pod("a", "Succeeded", Some(9)), pod("b", "Running", None)];
    let waiting = plan(&job, &owned, at(10));
    assert!(waiting.create.is_empty() && waiting.delete.is_empty());
    assert_eq!(condition(&waiting, "Complete"), None);
}

#[test]
fn failures_make_the_next_pod_wait_longer_and_longer() {
    let job = job(
        json!({"completions": 1, "parallelism": 1, "backoffLimit": 6}),
        &json!({}),
    );
    let once = [pod("a", "Failed", Some(100))];
    let waiting = plan(&job, &once, at(105));
    assert_eq!((waiting.create.len(), waiting.again_at), (0, Some(at(110))));
    assert_eq!(plan(&job, &once, at(110)).create.len(), 1);
    let twice = [pod("a", "Failed", Some(100)), pod("b", "Failed", Some(120))];
    assert_eq!(plan(&job, &twice, at(121)).again_at, Some(at(140)));
}

#[test]
fn too_many_failures_end_the_job_once_its_pods_have_ended() {
    let spec = json!({"completions": 2, "parallelism": 2, "backoffLimit": 0});
    let job = job(spec, &json!({}));
    let owned = [pod("a", "Failed", Some(1)), pod("b", "Running", None)];
    let given_up = plan(&job, &owned, at(10));
    assert_eq!(given_up.delete, ["b"]);
    assert_eq!(
        condition(&given_up, "FailureTarget").as_deref(),
        Some("True")
    );
    assert_eq!(condition(&given_up, "Failed"), None);
    let job = after(&job, &given_up);
    let ending = [owned[0].clone(), told_to_end(owned[1].clone())];
    let ending = plan(&job, &ending, at(11));
    assert_eq!(condition(&ending, "Failed"), None);
    let failed = plan(&after(&job, &ending), &owned[..1], at(12));
    assert_eq!(condition(&failed, "Failed").as_deref(), Some("True"));
    assert_eq!(failed.status.failed, Some(2));
    let Some(News::Failed { reason, .. }) = failed.news else {
        panic!("nobody was told");
    };
    assert_eq!(reason, "BackoffLimitExceeded");
}

#[test]
fn restarts_in_a_pod_count_against_the_limit() {
    let mut job = job(
        json!({"completions": 1, "parallelism": 1, "backoffLimit": 2}),
        &json!({}),
    );
    let template = &mut job.spec.as_mut().unwrap().template;
    template.spec.as_mut().unwrap().restart_policy = Some("OnFailure".to_owned());
    let mut restarted = pod("a", "Running", None);
    let restarts = |pod: &mut Pod, count| {
        let status = pod.status.as_mut().unwrap();
        status.container_statuses.as_mut().unwrap()[0].restart_count = count;
    };
    restarts(&mut restarted, 1);
    assert!(plan(&job, &[restarted.clone()], at(10)).delete.is_empty());
    restarts(&mut restarted, 2);
    assert_eq!(plan(&job, &[restarted], at(10)).delete, ["a"]);
}

#[test]
fn a_deadline_ends_the_job() {
    let spec = json!({"completions": 1, "parallelism": 1, "activeDeadlineSeconds": 30});
    let job = job(spec, &json!({"startTime": at(100)}));
    let owned = [pod("a", "Running", None)];
    assert_eq!(plan(&job, &owned, at(110)).again_at, Some(at(130)));
    let late = plan(&job, &owned, at(130));
    assert_eq!(late.delete, ["a"]);
    assert_eq!(condition(&late, "FailureTarget").as_deref(), Some("True"));
}

#[test]
fn a_suspended_job_stops_its_pods_without_failing_them() {
    let job = job(
        json!({"completions": 1, "parallelism": 1, "backoffLimit": 0, "suspend": true}),
        &json!({}),
    );
    let running = pod("a", "Running", None);
    let suspended = plan(&job, std::slice::from_ref(&running), at(10));
    assert_eq!(suspended.delete, ["a"]);
    assert_eq!(suspended.news, Some(News::Suspended));
    let mut job = after(&job, &suspended);
    let ending = plan(&job, &[told_to_end(running)], at(11));
    assert_eq!((ending.status.failed, ending.news.as_ref()), (None, None));
    job = after(&job, &ending);
    job.spec.as_mut().unwrap().suspend = Some(false);
    let resumed = plan(&job, &[], at(20));
    assert_eq!(resumed.create.len(), 1);
    assert_eq!(resumed.news, Some(News::Resumed));
    assert_eq!(condition(&resumed, "Suspended").as_deref(), Some("False"));
    assert_eq!(resumed.status.start_time, Some(Time(at(20))));
}

#[test]
fn indexes_are_made_good_one_by_one() {
    let spec = json!({"completions": 4, "parallelism": 2, "completionMode": "Indexed"});
    let job = job(spec, &json!({"completedIndexes": "0", "succeeded": 1}));
    let going_on = plan(
        &job,
        &[indexed(1, "Succeeded"), indexed(3, "Running")],
        at(10),
    );
    assert_eq!(going_on.create, [Some(2)]);
    assert_eq!(going_on.status.completed_indexes.as_deref(), Some("0,1"));
    assert_eq!(going_on.status.succeeded, Some(2));
}

#[test]
fn pods_whose_containers_never_ran_are_followed_by_others() {
    let job = job(json!({"completions": 1, "parallelism": 1}), &json!({}));
    let mut pod: Pod = serde_json::from_value(json!({
        "metadata": {"name": "a", "uid": "a", "creationTimestamp": at(90)},
        "spec": {"containers": []},
        "status": {"phase": "Failed", "containerStatuses": [
            {"name": "c", "image": "", "imageID": "", "ready": false, "restartCount": 0,
             "state": {"waiting": {"reason": "PodInitializing"}}}]},
    }))
    .unwrap();
    let next = |pod: &Pod, now| {
        let plan = plan(&job, std::slice::from_ref(pod), at(now));
        (plan.create.len(), plan.again_at)
    };
    assert_eq!(next(&pod, 95), (0, Some(at(100))));
    assert_eq!(next(&pod, 100), (1, None));
    let status = pod.status.as_mut().unwrap();
    let unready = json!([{"type": "Ready", "status": "False", "lastTransitionTime": at(95)}]);
    status.conditions = serde_json::from_value(unready).unwrap();
    assert_eq!(next(&pod, 100), (0, Some(at(105))));
    let status = pod.status.as_mut().unwrap();
    let init = json!([{"name": "i", "image": "", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"terminated": {"exitCode": 1, "finishedAt": at(93)}}}]);
    status.init_container_statuses = serde_json::from_value(init).unwrap();
    assert_eq!(next(&pod, 100), (0, Some(at(103))));
    assert_eq!(next(&pod, 103), (1, None));
}

#[test]
fn a_job_that_has_succeeded_is_not_failed_by_its_deadline() {
    let spec = json!({"completions": 1, "parallelism": 1, "activeDeadlineSeconds": 30});
    let job = job(spec, &json!({"startTime": at(100)}));
    let ending = [
        pod("a", "Succeeded", Some(120)),
        told_to_end(pod("b", "Running", None)),
    ];
    let met = plan(&job, &ending, at(121));
    assert_eq!(
        condition(&met, "SuccessCriteriaMet").as_deref(),
        Some("True")
    );
    let late = plan(&after(&job, &met), &ending, at(140));
    assert_eq!(condition(&late, "FailureTarget"), None);
    let done = plan(&after(&job, &late), &ending[..1], at(150));
    assert_eq!(condition(&done, "Complete").as_deref(), Some("True"));
}

#[test]
fn a_job_that_shrinks_stops_the_indexes_that_it_has_not_any_more() {
    let spec = json!({"completions": 3, "parallelism": 3, "completionMode": "Indexed"});
    let job = job(spec, &json!({}));
    let mut twin = indexed(1, "Pending");
    twin.metadata.name = Some("twin".to_owned());
    let running: Vec<Pod> = [0, 1, 3, 4]
        .map(|index| indexed(index, "Running"))
        .into_iter()
        .chain([twin])
        .collect();
    let mut shrunk = plan(&job, &running, at(10));
    shrunk.delete.sort_unstable();
    assert_eq!(shrunk.delete, ["sums-3", "sums-4", "twin"]);
    assert!(shrunk.create.is_empty());
    let next = plan(&after(&job, &shrunk), &running[..2], at(11));
    assert_eq!((next.create, next.status.failed), (vec![Some(2)], None));
}
