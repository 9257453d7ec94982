//! What the orders of an environment say about it.

use std::path::PathBuf;

use jiff::Timestamp;
use sampan_deploy::checks::Way;
use sampan_deploy::history::{self, HistoryError, Situation};
use sampan_deploy::manifests::{Object, ObjectId};
use sampan_deploy::rollout::{Rollout, RolloutError};
use sampan_deploy::target::Cluster;
use sampan_deploy::{Desired, Destination, runner};
use sampan_model::app::{EnvironmentName, Target};
use sampan_model::{AppName, OrderId, OrderState};
use sampan_store::Store;
use sampan_store::orders::{NewOrder, OrderFilter, Orders, Transition};
use serde_json::json;

/// A database of its own.
struct Site {
    _folder: tempfile::TempDir,
    store: Store,
}

impl Site {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(&folder.path().join("meta.db"))
            .await
            .expect("a new database can be made");
        Self {
            _folder: folder,
            store,
        }
    }

    fn orders(&self) -> Orders {
        self.store.orders()
    }

    /// Writes an order down that has come to a state.
    async fn order(&self, version: &str, destination: &Destination, state: OrderState) -> OrderId {
        self.order_of(None, version, destination, state).await
    }

    /// The same, of a process.
    async fn order_of(
        &self,
        runner: Option<&str>,
        version: &str,
        destination: &Destination,
        state: OrderState,
    ) -> OrderId {
        let body =
            serde_json::to_string(&desired(version, destination)).expect("it can be written");
        let order = NewOrder {
            app: "hut",
            environment: "prod",
            version,
            requested_by: "anna",
            requested_at: Timestamp::UNIX_EPOCH,
            body: &body,
        };
        let id = self.orders().insert(&order).await.expect("it is new");
        let path = [
            OrderState::Requested,
            OrderState::Approved,
            OrderState::Running,
            state,
        ];
        for step in path.windows(2).filter(|step| step[0] != step[1]) {
            let transition = Transition {
                from: step[0],
                to: step[1],
                at: Timestamp::UNIX_EPOCH,
                runner,
                outcome: None,
            };
            let moved = self.orders().transition(id, &transition).await;
            moved.expect("it may come to this state");
        }
        id
    }

    async fn situation(&self, destination: &Destination) -> Situation {
        history::situation(&self.orders(), &app(), &environment(), destination)
            .await
            .expect("the history can be read")
    }

    async fn earlier(&self, destination: Option<&Destination>) -> Result<String, HistoryError> {
        history::earlier(&self.orders(), &app(), &environment(), destination, None)
            .await
            .map(|desired| desired.version.to_string())
    }
}

fn app() -> AppName {
    "hut".parse().expect("it is a name")
}

fn environment() -> EnvironmentName {
    "prod".parse().expect("it is a name")
}

fn engine() -> Destination {
    Destination::default()
}

fn cluster(context: &str) -> Destination {
    Destination {
        target: Target::Kubernetes {
            context: Some(context.to_owned()),
        },
        kubeconfig: Some(PathBuf::from("/etc/kube.yaml")),
    }
}

/// A release with one object that is named after its version.
fn desired(version: &str, destination: &Destination) -> Desired {
    let id = ObjectId {
        api_version: "v1".to_owned(),
        kind: "ConfigMap".to_owned(),
        namespace: Some("hut".to_owned()),
        name: format!("of-{version}"),
    };
    Desired {
        removed: false,
        app: app(),
        version: version.parse().expect("it is a version"),
        digest: "sha256:00".to_owned(),
        environment: environment(),
        target: destination.target.clone(),
        kubeconfig: destination.kubeconfig.clone(),
        namespace: "hut".to_owned(),
        objects: vec![Object {
            id,
            location: "hut.yaml:1".to_owned(),
            body: json!({}),
            unless_there: false,
        }],
        hooks: Vec::new(),
        namespaces: Vec::new(),
        checks: Vec::new(),
    }
}

fn current(situation: &Situation) -> Option<&str> {
    situation
        .current
        .as_ref()
        .map(|(order, _)| order.version.as_str())
}

#[tokio::test]
async fn each_destination_has_a_history_of_its_own() {
    let site = Site::new().await;
    let (first, second) = (cluster("first"), cluster("second"));
    site.order("1.0.0", &engine(), OrderState::Succeeded).await;
    site.order("1.1.0", &engine(), OrderState::Succeeded).await;
    site.order("1.2.0", &first, OrderState::Failed).await;

    let here = site.situation(&engine()).await;
    assert_eq!(current(&here), Some("1.1.0"));
    assert!(here.unfinished.is_none(), "{here:?}");
    let there = site.situation(&first).await;
    assert_eq!(current(&there), None, "nothing of the engine's is put back");
    assert!(there.unfinished.is_some(), "{there:?}");
    let names: Vec<&str> = there.objects.iter().map(|id| id.name.as_str()).collect();
    assert_eq!(names, ["of-1.2.0"], "nothing of the engine's is deleted");
    assert!(site.situation(&second).await.newest.is_none());

    let own = site.earlier(None).await;
    assert_eq!(own.expect("the engine had an earlier one"), "1.0.0");
    let there = site.earlier(Some(&first)).await;
    assert!(
        matches!(there, Err(HistoryError::NothingEarlier { .. })),
        "{there:?}"
    );
}

#[tokio::test]
async fn a_destination_must_be_named_where_several_are_possible() {
    let site = Site::new().await;
    let (first, second) = (cluster("first"), cluster("second"));
    site.order("1.0.0", &first, OrderState::Succeeded).await;
    site.order("1.1.0", &first, OrderState::Failed).await;
    let only = site.earlier(None).await;
    assert_eq!(only.expect("there is no other"), "1.0.0");
    site.order("1.0.0", &second, OrderState::Succeeded).await;
    let several = site.earlier(None).await.expect_err("there are two");
    assert_eq!(
        several.to_string(),
        "`prod` of hut is at several destinations: \
         Kubernetes with `--kubeconfig /etc/kube.yaml --context second`, \
         Kubernetes with `--kubeconfig /etc/kube.yaml --context first`"
    );
    assert!(site.earlier(Some(&first)).await.is_ok());
}

#[tokio::test]
async fn what_was_put_back_is_finished() {
    let site = Site::new().await;
    site.order("1.0.0", &engine(), OrderState::Succeeded).await;
    site.order("1.1.0", &engine(), OrderState::Failed).await;
    assert!(site.situation(&engine()).await.unfinished.is_some());
    site.order("1.2.0", &engine(), OrderState::RolledBack).await;
    let situation = site.situation(&engine()).await;
    assert_eq!(current(&situation), Some("1.0.0"));
    assert!(situation.unfinished.is_none(), "{situation:?}");
    let failed = site.order("1.3.0", &engine(), OrderState::Failed).await;
    let unfinished = site.situation(&engine()).await.unfinished;
    assert_eq!(unfinished.map(|order| order.id), Some(failed));
}

/// A cluster that nobody serves: what tries to touch it fails.
async fn nowhere() -> Cluster {
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "a",
        "clusters": [{"name": "a", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [{"name": "a", "user": {}}],
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
    });
    Cluster::from_kubeconfig(&kubeconfig.to_string())
        .await
        .expect("the text is a kubeconfig")
}

async fn carry_out(site: &Site, version: &str, situation: &Situation) -> RolloutError {
    let cluster = nowhere().await;
    let rollout = Rollout {
        cluster: &cluster,
        orders: &site.orders(),
        way: Way::Cluster,
        timeout: std::time::Duration::from_secs(1),
        occasion: situation.occasion(),
    };
    rollout
        .carry_out(&desired(version, &engine()), situation, "anna", &mut |_| {})
        .await
        .expect_err("it is not begun")
}

#[tokio::test]
async fn a_plan_that_another_order_has_overtaken_is_not_carried_out() {
    let site = Site::new().await;
    site.order("1.0.0", &engine(), OrderState::Succeeded).await;
    let planned = site.situation(&engine()).await;
    site.order("1.1.0", &engine(), OrderState::Succeeded).await;
    let error = carry_out(&site, "1.2.0", &planned).await;
    assert_eq!(
        error.to_string(),
        "`prod` has changed since the plan was made, by order #2"
    );
    let orders = site.orders();
    let listed = orders.list(&OrderFilter::default(), 1).await;
    let newest = &listed.expect("the history can be read")[0];
    assert_eq!(
        (newest.version.as_str(), newest.state),
        ("1.2.0", OrderState::Refused)
    );
    assert_eq!(current(&site.situation(&engine()).await), Some("1.1.0"));
}

#[tokio::test]
async fn an_environment_is_brought_to_one_destination_at_a_time() {
    let site = Site::new().await;
    let me = runner::this_process().expect("/proc can be read");
    let there = cluster("a");
    let running = site
        .order_of(Some(&me), "1.0.0", &there, OrderState::Running)
        .await;
    let situation = site.situation(&engine()).await;
    assert!(situation.idle().is_ok(), "nothing runs here");
    let error = carry_out(&site, "1.1.0", &situation).await;
    assert!(
        matches!(error, RolloutError::History(HistoryError::Running { id, .. }) if id == running),
        "{error}"
    );
}

#[tokio::test]
async fn what_was_left_running_elsewhere_stands_in_nobodys_way() {
    let site = Site::new().await;
    let there = cluster("a");
    site.order("1.0.0", &engine(), OrderState::Succeeded).await;
    let planned = site.situation(&engine()).await;
    site.order("1.1.0", &engine(), OrderState::Succeeded).await;
    let left = site.order("2.0.0", &there, OrderState::Running).await;
    let error = carry_out(&site, "1.2.0", &planned).await;
    // It came as far as this: the environment was free.
    assert!(
        matches!(error, RolloutError::History(HistoryError::Changed { .. })),
        "{error}"
    );
    let unfinished = site.situation(&there).await.unfinished;
    let unfinished = unfinished.expect("it is still known there");
    assert_eq!(
        (unfinished.id, unfinished.state),
        (left, OrderState::Failed)
    );
}
