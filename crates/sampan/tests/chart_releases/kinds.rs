//! Releases with workloads of every kind, and jobs as hooks.

use crate::fixture::{Site, kubectl};

const KINDS: &str = r#"apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-prepare
  annotations: {helm.sh/hook: "pre-install,pre-upgrade", helm.sh/hook-weight: "-5"}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: job, image: busybox, command: [sh, -c, {{ .Values.prepare | default "true" | quote }}]}]
---
apiVersion: batch/v1
kind: Job
metadata: {name: {{ .Release.Name }}-work}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: job, image: busybox, command: [sleep, '1']}]
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: {{ .Release.Name }}-nightly}
spec:
  schedule: 0 3 * * *
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{name: job, image: busybox, command: ['true']}]
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: {{ .Release.Name }}-agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: agent, image: busybox, command: [sleep, '100000'], env: [{name: TEXT, value: {{ .Values.text | quote }}}]}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: {{ .Release.Name }}-store}
spec:
  serviceName: store
  selector: {matchLabels: {app: store}}
  template:
    metadata: {labels: {app: store}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: store
          image: busybox
          command: [sleep, '100000']
          volumeMounts: [{name: data, mountPath: /data}]
      volumes: [{name: data, persistentVolumeClaim: {claimName: {{ .Release.Name }}-data}}]
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: {{ .Release.Name }}-data}
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Mi}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: {{ .Release.Name }}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: {{ .Release.Name }}}
rules: [{apiGroups: [""], resources: [configmaps], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: {{ .Release.Name }}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: {{ .Release.Name }}}
subjects: [{kind: ServiceAccount, name: {{ .Release.Name }}, namespace: {{ .Release.Namespace }}}]
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: {{ .Release.Name }}}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: StatefulSet, name: {{ .Release.Name }}-store}
  maxReplicas: {{ .Values.most | default 1 }}
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 90}}}]
"#;

#[test]
fn workloads_of_every_kind_are_waited_for_and_jobs_are_hooks() {
    let site = Site::new();
    site.write("templates/kinds.yaml", KINDS);
    let server = site.up();
    let _first = site
        .chart("install shop HUT --wait --wait-for-jobs")
        .expect_code(0);
    let succeeded = "get jobs -o jsonpath={.items[*].status.succeeded}";
    assert_eq!(kubectl(&server, succeeded).stdout(), "1 1");
    let shown = site.json("status shop");
    let objects = shown["objects"].as_array().expect("a list").iter();
    let states: Vec<_> = objects
        .map(|one| (one["id"]["kind"].as_str(), one["state"].as_str()))
        .collect();
    assert_eq!(states.len(), 13, "{states:?}");
    assert!(
        states.iter().all(|(_, state)| *state == Some("ready")),
        "{states:?}"
    );

    let _second = site
        .chart("upgrade shop HUT --set text=night,most=2 --wait --wait-for-jobs")
        .expect_code(0);
    let text =
        "get daemonset shop-agent -o jsonpath={.spec.template.spec.containers[0].env[0].value}";
    assert_eq!(kubectl(&server, text).stdout(), "night");
    let most = "get hpa shop -o jsonpath={.spec.maxReplicas}";
    assert_eq!(kubectl(&server, most).stdout(), "2");
    let _failed = site
        .chart("upgrade shop HUT --set-string prepare=false")
        .expect_code(1)
        .expect_stderr("pre-upgrade hooks failed: job shop-prepare failed: BackoffLimitExceeded");
    assert_eq!(site.states(), ["superseded", "deployed", "failed"]);
    let _gone = site.chart("uninstall shop --wait").expect_code(0);
    let left = kubectl(
        &server,
        "get deployments,statefulsets,daemonsets,cronjobs,pvc,hpa,roles,rolebindings -o name",
    );
    assert_eq!(left.stdout(), "");
}
