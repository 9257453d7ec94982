//! Roles, budgets, autoscalers and what else charts bring along, with the real `kubectl`. Needs root.

use std::time::Duration;

use sampan_testkit::{Finished, Installation, Server, eventually};

const LIMIT: Duration = Duration::from_mins(2);

fn kubectl(server: &Server<'_>, arguments: &str) -> Finished {
    Finished::of(server.kubectl().args(arguments.split_whitespace()))
}

fn field(server: &Server<'_>, what: &str, path: &str) -> String {
    kubectl(server, &format!("get {what} -o jsonpath={path}")).stdout()
}

/// A row of a table, cell by cell.
fn row(server: &Server<'_>, what: &str) -> Vec<String> {
    let table = kubectl(server, &format!("get {what} --no-headers")).stdout();
    table.split_whitespace().map(str::to_owned).collect()
}

const RIGHTS: &str = r#"
apiVersion: v1
kind: ServiceAccount
metadata: {name: robot}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: "team:reader"}
rules: [{apiGroups: [""], resources: [pods], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: readers}
roleRef: {kind: Role, name: "team:reader"}
subjects: [{kind: ServiceAccount, name: robot, namespace: default}, {kind: User, name: ann}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: watcher}
rules: [{nonResourceURLs: [/metrics], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: watchers}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: watcher}
subjects: [{kind: Group, name: ops}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed}
spec: {podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: 80}]}]}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: small}
spec: {hard: {pods: 4, limits.memory: 1024Mi}}
---
apiVersion: v1
kind: LimitRange
metadata: {name: sizes}
spec: {limits: [{type: Container, max: {memory: 1Gi}}]}
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: urgent}
value: 1000
"#;

#[test]
fn what_has_no_effect_is_kept_shown_and_warned_of() {
    let site = Installation::site(env!("CARGO_BIN_EXE_sampan"), "rights");
    let server = site.up();
    let applied = server.apply(RIGHTS).expect_code(0);
    for kind in [
        "NetworkPolicy",
        "ResourceQuota",
        "LimitRange",
        "PriorityClass",
    ] {
        let warning = format!("Warning: {kind} has no effect here");
        assert!(applied.stderr.contains(&warning), "{}", applied.stderr);
    }
    // What the manifest says in full is found unchanged.
    let again = server.apply(RIGHTS).stdout();
    for name in ["team:reader", "watcher", "urgent"] {
        assert!(again.contains(&format!("/{name} unchanged")), "{again}");
    }
    let binding = row(&server, "rolebinding/readers -o wide");
    assert_eq!(binding[..2], ["readers", "Role/team:reader"]);
    assert_eq!(binding[3..], ["ann", "default/robot"]);
    let binding = row(&server, "clusterrolebinding/watchers -o wide");
    assert_eq!(binding[1], "ClusterRole/watcher");
    assert_eq!(row(&server, "netpol/closed")[1], "app=web");
    assert_eq!(
        field(&server, "netpol/closed", "{.spec.policyTypes}"),
        r#"["Ingress"]"#
    );
    assert_eq!(row(&server, "quota/small")[1..3], ["pods:", "0/4"]);
    let request = field(
        &server,
        "limits/sizes",
        "{.spec.limits[0].defaultRequest.memory}",
    );
    assert_eq!(request, "1Gi");
    assert_eq!(row(&server, "pc/urgent")[1..3], ["1000", "false"]);
    let changed = RIGHTS.replace("roleRef: {kind: Role,", "roleRef: {kind: ClusterRole,");
    let refused = server.apply(&changed);
    assert!(
        refused.stderr.contains("cannot change roleRef"),
        "{}",
        refused.stderr
    );
    let can = kubectl(&server, "auth can-i create pods").stdout();
    assert_eq!(can, "yes\n");
    for made in [
        "role looker --verb=get --resource=pods",
        "clusterrolebinding lookers --clusterrole=watcher --group=ops",
        "quota more --hard=pods=1",
        "priorityclass calm --value=1",
    ] {
        let _made = kubectl(&server, &format!("create {made}")).expect_code(0);
    }
    let described = kubectl(&server, "describe role team:reader").stdout();
    assert!(described.contains("[get list]"), "{described}");
}

const WEB: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: web
        image: busybox
        command: [sh, -c, "while true; do :; done"]
        resources: {requests: {cpu: 10m}, limits: {cpu: 100m}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 2, selector: {matchLabels: {app: web}}}
---
apiVersion: autoscaling/v1
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  maxReplicas: 2
  targetCPUUtilizationPercentage: 50
"#;

#[test]
fn a_busy_deployment_grows_and_its_budget_is_kept() {
    let site = Installation::site(env!("CARGO_BIN_EXE_sampan"), "busy");
    site.import_busybox();
    let server = site.up();
    let _applied = server.apply(WEB).expect_code(0);
    eventually("the second replica", LIMIT, || {
        let ready = field(&server, "deployment/web", "{.status.readyReplicas}");
        (ready == "2").then_some(())
    });
    let second = field(
        &server,
        "horizontalpodautoscalers.v2.autoscaling/web",
        "{.spec.metrics[0].resource.target.averageUtilization}",
    );
    assert_eq!(second, "50");
    let first = field(
        &server,
        "horizontalpodautoscalers.v1.autoscaling/web",
        "{.spec.targetCPUUtilizationPercentage}",
    );
    assert_eq!(first, "50");
    let shown = row(&server, "hpa/web");
    assert_eq!(shown[..2], ["web", "Deployment/web"]);
    let described = kubectl(&server, "describe hpa web").stdout();
    assert!(described.contains("SuccessfulRescale"), "{described}");
    let top = kubectl(&server, "top pods --no-headers").stdout();
    assert_eq!(top.lines().count(), 2, "{top}");
    let _node = kubectl(&server, "top node").expect_code(0);

    eventually("the budget to be counted", LIMIT, || {
        let healthy = field(&server, "pdb/web", "{.status.currentHealthy}");
        (healthy == "2").then_some(())
    });
    assert_eq!(row(&server, "pdb/web")[..4], ["web", "2", "N/A", "0"]);
    let drain = "drain --all --ignore-daemonsets --delete-emptydir-data --force --timeout=2s";
    let node = field(&server, "nodes", "{.items[0].metadata.name}");
    let refused = kubectl(&server, &drain.replace("--all", &node));
    assert_ne!(refused.code, Some(0));
    assert!(
        refused.stderr.contains("disruption budget"),
        "{}",
        refused.stderr
    );
    let relax = [
        "patch",
        "pdb/web",
        "--type=merge",
        "-p",
        r#"{"spec":{"minAvailable":0}}"#,
    ];
    let _relaxed = Finished::of(server.kubectl().args(relax)).expect_code(0);
    let drained = kubectl(&server, &drain.replace("--all", &node).replace("2s", "60s"));
    let _drained = drained.expect_code(0);
}
