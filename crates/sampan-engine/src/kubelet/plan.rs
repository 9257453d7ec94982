//! Which containers of a pod are to be started now. Pure.

use jiff::Timestamp;

use super::record::{Ended, Record, Role, State, have_begun};

/// Whether ended containers are started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RestartPolicy {
    /// Whatever happened.
    Always,
    /// When they failed.
    OnFailure,
    /// Not at all.
    Never,
}

impl RestartPolicy {
    /// Reads the policy of a pod; absent means always.
    pub(crate) fn parse(text: Option<&str>) -> Self {
        match text {
            Some("Never") => Self::Never,
            Some("OnFailure") => Self::OnFailure,
            _ => Self::Always,
        }
    }

    /// Whether a container that ended like this is started again.
    pub(crate) fn restarts(self, role: Role, ended: &Ended) -> bool {
        match (role, self) {
            (Role::Sidecar, _) | (Role::App, Self::Always) => true,
            (Role::Init | Role::App, Self::Never) => false,
            (Role::Init, _) | (Role::App, Self::OnFailure) => ended.code != 0,
        }
    }
}

/// What to do with a pod's containers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Places of the containers to start, in this order.
    pub(crate) start: Vec<usize>,
    /// Places of containers that have to wait before they are restarted.
    pub(crate) back_off: Vec<usize>,
    /// When the first of those that wait may go.
    pub(crate) again_at: Option<Timestamp>,
}

impl Plan {
    /// Starts a container, or lets it wait as long as it has to.
    fn want(&mut self, index: usize, record: &Record, now: Timestamp) {
        let crash = match &record.state {
            State::Running { .. } => return,
            State::Ended(ended) => record.backoff.until(ended.finished_at),
            State::Waiting { .. } => record
                .last
                .as_ref()
                .and_then(|ended| record.backoff.until(ended.finished_at)),
        };
        let until = crash.max(record.retry_at).filter(|until| *until > now);
        match until {
            None => self.start.push(index),
            Some(until) => {
                if crash == Some(until) {
                    self.back_off.push(index);
                }
                self.again_at = Some(self.again_at.map_or(until, |at| at.min(until)));
            }
        }
    }
}

/// Plans from the records of a pod, init containers first.
pub(crate) fn plan(records: &[Record], policy: RestartPolicy, now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    let begun = have_begun(records);
    for (index, record) in records.iter().enumerate() {
        match record.role {
            // After the containers proper have begun, init containers are history.
            Role::Init if begun => {}
            Role::Init => match &record.state {
                State::Ended(ended) if ended.code == 0 => {}
                State::Ended(ended) if !policy.restarts(record.role, ended) => return plan,
                _ => {
                    plan.want(index, record, now);
                    return plan;
                }
            },
            Role::Sidecar => {
                plan.want(index, record, now);
                let serves = record.running().is_some() && record.started;
                if !begun && !serves {
                    return plan;
                }
            }
            Role::App => {
                let over = match &record.state {
                    State::Ended(ended) => !policy.restarts(record.role, ended),
                    _ => false,
                };
                if !over {
                    plan.want(index, record, now);
                }
            }
        }
    }
    plan
}

/// Whether all containers proper have ended for good, so that sidecars may end too.
pub(crate) fn is_over(records: &[Record], policy: RestartPolicy) -> bool {
    let ended = |record: &Record| match &record.state {
        State::Ended(ended) => !policy.restarts(record.role, ended),
        _ => false,
    };
    let failed_init = records.iter().any(|record| {
        record.role == Role::Init && ended(record) && record.ended().is_some_and(|e| e.code != 0)
    });
    failed_init
        || records
            .iter()
            .filter(|record| record.role == Role::App)
            .all(ended)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn ended(code: i32, second: i64) -> Ended {
        Ended {
            id: None,
            code,
            signal: None,
            reason: String::new(),
            message: None,
            started_at: None,
            finished_at: at(second),
        }
    }

    fn running() -> State {
        let id = "0123456789abcdef0123456789abcdef".parse().unwrap();
        State::Running {
            id,
            started_at: at(0),
        }
    }

    fn records() -> Vec<Record> {
        vec![
            Record::new("prepare", Role::Init),
            Record::new("proxy", Role::Sidecar),
            Record::new("web", Role::App),
            Record::new("log", Role::App),
        ]
    }

    #[test]
    fn init_containers_and_sidecars_come_one_after_the_other() {
        let mut records = records();
        let start = |records: &[Record]| plan(records, RestartPolicy::Always, at(1)).start;
        assert_eq!(start(&records), [0]);
        records[0].state = running();
        assert_eq!(start(&records), [0_usize; 0]);
        records[0].state = State::Ended(ended(0, 1));
        assert_eq!(start(&records), [1]);
        records[1].state = running();
        assert_eq!(
            start(&records),
            [0_usize; 0],
            "its startup probe has not passed"
        );
        records[1].started = true;
        assert_eq!(start(&records), [2, 3]);
    }

    #[test]
    fn a_failed_init_container_is_repeated_or_ends_the_pod() {
        let mut records = records();
        records[0].state = State::Ended(ended(1, 1));
        assert_eq!(plan(&records, RestartPolicy::Always, at(2)).start, [0]);
        assert_eq!(plan(&records, RestartPolicy::Never, at(2)), Plan::default());
        assert!(is_over(&records, RestartPolicy::Never));
        assert!(!is_over(&records, RestartPolicy::Always));
    }

    #[test]
    fn a_crashing_container_waits_longer_each_time() {
        let mut records = vec![Record::new("web", Role::App)];
        records[0].state = State::Ended(ended(1, 100));
        assert_eq!(plan(&records, RestartPolicy::Always, at(100)).start, [0]);
        records[0].backoff.restarted(at(100), at(100));
        let waiting = plan(&records, RestartPolicy::Always, at(105));
        assert_eq!((waiting.start, waiting.back_off), (vec![], vec![0]));
        assert_eq!(waiting.again_at, Some(at(110)));
        assert_eq!(plan(&records, RestartPolicy::Always, at(110)).start, [0]);
    }

    #[test]
    fn a_pod_that_lost_its_network_begins_with_its_init_containers() {
        let mut records = records();
        for record in &mut records {
            record.state = State::Ended(ended(0, 1));
        }
        crate::kubelet::adoption::start_over(&mut records, RestartPolicy::Always, at(2));
        assert_eq!(plan(&records, RestartPolicy::Always, at(3)).start, [0]);
        records[0].state = State::Ended(ended(0, 4));
        records[1].state = running();
        records[1].started = true;
        assert_eq!(plan(&records, RestartPolicy::Always, at(5)).start, [2, 3]);
    }

    #[test]
    fn policies_decide_who_comes_back() {
        let mut records = vec![Record::new("task", Role::App)];
        for (policy, code, back) in [
            (RestartPolicy::Always, 0, true),
            (RestartPolicy::OnFailure, 0, false),
            (RestartPolicy::OnFailure, 3, true),
            (RestartPolicy::Never, 3, false),
        ] {
            records[0].state = State::Ended(ended(code, 1));
            let plan = plan(&records, policy, at(2));
            assert_eq!(!plan.start.is_empty(), back, "{policy:?} after {code}");
            assert_eq!(is_over(&records, policy), !back);
        }
    }
}
