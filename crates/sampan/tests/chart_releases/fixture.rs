//! An installation with its server, and a small chart with all that releases are made of.

use std::fs;
use std::path::PathBuf;

use sampan_testkit::{Finished, Helm, Installation, Server};
use serde_json::Value;
use tempfile::TempDir;

const SAMPAN: &str = env!("CARGO_BIN_EXE_sampan");

/// The files of the chart.
const FILES: [(&str, &str); 8] = [
    (
        "Chart.yaml",
        "apiVersion: v2\nname: hut\nversion: 1.0.0\nappVersion: '7'\n",
    ),
    (
        "values.yaml",
        "text: good day\nreplicas: 1\nserve: exec httpd -f -p 8080 -h /page\nextra: false\nhook: 'true'\n",
    ),
    (
        "templates/NOTES.txt",
        "revision {{ .Release.Revision }} of {{ .Release.Name }} on {{ .Capabilities.KubeVersion.Major }}\n",
    ),
    (
        "templates/page.yaml",
        r#"apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-page
data:
  index.html: {{ .Values.text | quote }}
  # Only a cluster knows this.
  namespace: {{ lookup "v1" "Namespace" "" .Release.Namespace | dig "metadata" "name" "unknown" }}
{{- if .Values.extra }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-extra}
{{- end }}
"#,
    ),
    (
        "templates/kept.yaml",
        r"apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-kept
  annotations: {helm.sh/resource-policy: keep}
",
    ),
    (
        "templates/hut.yaml",
        r"apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: hut
          image: busybox
          command: [sh, -c, {{ .Values.serve | quote }}]
          env: [{name: TEXT, value: {{ .Values.text | quote }}}]
          ports: [{containerPort: 8080}]
          readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
          volumeMounts: [{name: page, mountPath: /page}]
      volumes: [{name: page, configMap: {name: {{ .Release.Name }}-page}}]
---
apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}}
spec:
  selector: {app: {{ .Release.Name }}}
  ports: [{port: 80, targetPort: 8080}]
",
    ),
    (
        "templates/hook.yaml",
        r"apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}-hook
  annotations:
    helm.sh/hook: pre-install,pre-upgrade,pre-rollback,post-delete
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
spec:
  restartPolicy: Never
  containers: [{name: hook, image: busybox, command: [sh, -c, {{ .Values.hook | quote }}]}]
",
    ),
    (
        "templates/tests/page.yaml",
        r#"apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}-test
  annotations: {helm.sh/hook: test}
spec:
  restartPolicy: Never
  containers:
    - name: test
      image: busybox
      command:
        - sh
        - -c
        - |
          wget -qO /tmp/page http://{{ .Release.Name }}.{{ .Release.Namespace }}.svc.cluster.local/ || exit 1
          cat /tmp/page
          grep -q "{{ .Values.text }}" /tmp/page
"#,
    ),
];

/// An installation with the busybox image, and the chart in a folder.
pub(crate) struct Site {
    pub(crate) installation: Installation,
    folder: TempDir,
}

impl Site {
    pub(crate) fn new() -> Self {
        let installation = Installation::new(SAMPAN);
        installation.import_busybox();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let site = Self {
            installation,
            folder,
        };
        for (name, text) in FILES {
            site.write(name, text);
        }
        site
    }

    pub(crate) fn up(&self) -> Server<'_> {
        self.installation.up()
    }

    /// Writes a file of the chart.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        let parent = path.parent().expect("it is in the folder");
        fs::create_dir_all(parent).expect("a folder can be made");
        fs::write(path, text).expect("a file can be written");
    }

    /// The words of a command line; `HUT` stands for the chart.
    pub(crate) fn words<'a>(&'a self, line: &'a str) -> Vec<&'a str> {
        let folder = self.folder.path().to_str().expect("the path is text");
        let words = line.split_whitespace();
        words
            .map(|word| if word == "HUT" { folder } else { word })
            .collect()
    }

    /// Runs `sampan chart …`.
    pub(crate) fn chart(&self, line: &str) -> Finished {
        let words = self.words(line);
        self.installation.run(["chart"].into_iter().chain(words))
    }

    /// Runs `sampan chart … -o json`.
    pub(crate) fn json(&self, line: &str) -> Value {
        let line = format!("{line} -o json");
        self.chart(&line).expect_code(0).json()
    }

    /// The states of the revisions of the release `shop`, the first one first.
    pub(crate) fn states(&self) -> Vec<String> {
        let history = self.json("history shop");
        let revisions = history.as_array().expect("a list").iter();
        let state = |revision: &Value| revision["status"].as_str().map(str::to_owned);
        revisions.filter_map(state).collect()
    }
}

/// Runs `kubectl` with words between blanks.
pub(crate) fn kubectl(server: &Server<'_>, arguments: &str) -> Finished {
    Finished::of(server.kubectl().args(arguments.split_whitespace()))
}

/// What the page of the release `shop` says.
pub(crate) fn page(server: &Server<'_>) -> String {
    let shown = "get configmap shop-page -o jsonpath={.data.index\\.html}";
    kubectl(server, shown).stdout()
}

/// Makes sure that the cluster has no such object.
pub(crate) fn no(server: &Server<'_>, object: &str) {
    let _gone = kubectl(server, &format!("get {object}")).expect_code(1);
}

/// The real Helm with the credentials of a server.
pub(crate) struct HelmOf<'a> {
    site: &'a Site,
    helm: Helm,
    kubeconfig: PathBuf,
}

impl<'a> HelmOf<'a> {
    pub(crate) fn three(site: &'a Site) -> Self {
        Self::new(site, Helm::three())
    }

    /// It answers with JSON.
    pub(crate) fn four(site: &'a Site) -> Self {
        Self::new(site, Helm::four())
    }

    fn new(site: &'a Site, helm: Helm) -> Self {
        let kubeconfig = helm.path().join("kubeconfig");
        let text = site.installation.run(["kubeconfig"]).stdout();
        fs::write(&kubeconfig, text).expect("a file can be written");
        Self {
            site,
            helm,
            kubeconfig,
        }
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, line: &str) -> Finished {
        let path = self.kubeconfig.to_str().expect("the path is text");
        let mut words = self.site.words(line);
        words.extend(["--kubeconfig", path]);
        self.helm.run(words)
    }
}
