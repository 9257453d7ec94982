//! The engine driven by the real Helm, as its users do.

use std::time::Duration;

use sampan_testkit::{Finished, Helm, Installation, Server, eventually};
use serde_json::Value;

const SAMPAN: &str = env!("CARGO_BIN_EXE_sampan");

const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/shop");

/// Helm and the cluster that it works on.
struct Site<'a> {
    server: &'a Server<'a>,
    helm: Helm,
}

impl<'a> Site<'a> {
    fn new(server: &'a Server<'a>) -> Self {
        let site = Self {
            server,
            helm: Helm::three(),
        };
        let config = Finished::of(server.kubectl().args(["config", "view", "--raw"])).stdout();
        std::fs::write(site.helm.path().join("kubeconfig"), config)
            .expect("a file in a temporary folder can be written");
        site
    }

    fn helm(&self, arguments: &str) -> Finished {
        let words = ["--kubeconfig", "kubeconfig"].into_iter();
        let words: Vec<&str> = words.chain(arguments.split_whitespace()).collect();
        self.helm.run(words)
    }

    fn kubectl(&self, arguments: &str) -> Finished {
        Finished::of(self.server.kubectl().args(arguments.split_whitespace()))
    }

    /// The colour that a pod of the release serves.
    fn colour(&self) -> String {
        let served = "get configmap shop -o jsonpath={.data.colour}";
        self.kubectl(served).stdout()
    }

    /// Revisions and their states, the oldest first.
    fn history(&self) -> Vec<(u64, String)> {
        let history = self.helm("history shop --output json").json();
        let revisions = history.as_array().expect("a list").iter();
        revisions
            .map(|revision| {
                let number = revision["revision"].as_u64().expect("a number");
                let status = revision["status"].as_str().expect("a text");
                (number, status.to_owned())
            })
            .collect()
    }
}

fn listed(list: &Value) -> Vec<&str> {
    let releases = list.as_array().expect("a list").iter();
    releases
        .map(|release| release["name"].as_str().expect("a text"))
        .collect()
}

#[test]
fn a_chart_is_installed_upgraded_tested_rolled_back_and_uninstalled() {
    let installation = Installation::new(SAMPAN);
    installation.import_busybox();
    let server = installation.up();
    let site = Site::new(&server);

    let installed = site.helm(&format!("install shop {CHART} --wait --timeout 90s"));
    let said = installed.stdout();
    assert!(
        said.contains("STATUS: deployed") && said.contains("shop is blue."),
        "{said}"
    );
    let list = site.helm("list --output json").json();
    assert_eq!(listed(&list), ["shop"]);
    let ready = site.kubectl("get deployment shop -o jsonpath={.status.readyReplicas}");
    assert_eq!(ready.stdout(), "2");
    let claims = site.kubectl("get pvc -o name").stdout();
    assert_eq!(claims.lines().count(), 2, "{claims}");

    let migrated = site.kubectl("logs job/shop-migrate").stdout();
    assert_eq!(migrated, "migrated to 1\n");
    let agents = site.kubectl("get daemonset shop-agent -o jsonpath={.status.numberReady}");
    assert_eq!(agents.stdout(), "1");
    let policies = site
        .kubectl("get role,rolebinding,pdb,netpol,hpa -o name")
        .stdout();
    assert_eq!(policies.lines().count(), 5, "{policies}");

    let tested = site.helm("test shop --logs --timeout 60s").stdout();
    assert!(tested.contains("the colour is right"), "{tested}");

    let upgrade = format!("upgrade shop {CHART} --set colour=green --wait --timeout 90s");
    let _upgraded = site.helm(&upgrade).expect_code(0);
    assert_eq!(site.colour(), "green");
    let values = site.helm("get values shop --output json").json();
    assert_eq!(values["colour"], "green");

    // What does not come up is put back.
    let broken =
        format!("upgrade shop {CHART} --set colour=red,command=false --atomic --timeout 8s");
    let _broken = site.helm(&broken).expect_code(1);
    assert_eq!(site.colour(), "green");

    let _back = site
        .helm("rollback shop 1 --wait --timeout 90s")
        .expect_code(0);
    assert_eq!(site.colour(), "blue");
    let states = [
        (1, "superseded"),
        (2, "superseded"),
        (3, "failed"),
        (4, "superseded"),
        (5, "deployed"),
    ];
    assert_eq!(
        site.history(),
        states.map(|(revision, state)| (revision, state.to_owned()))
    );

    let _gone = site
        .helm("uninstall shop --wait --timeout 60s")
        .expect_code(0);
    assert_eq!(
        site.helm("list --output json").json(),
        Value::Array(Vec::new())
    );
    eventually("the pods to be gone", Duration::from_secs(30), || {
        let pods = site.kubectl("get pods -l app -o name").stdout();
        pods.is_empty().then_some(())
    });
    let kinds =
        "deployments,statefulsets,daemonsets,cronjobs,services,ingresses,configmaps,secrets";
    let left = site.kubectl(&format!("get {kinds} -o name")).stdout();
    assert_eq!(left, "service/kubernetes\nconfigmap/kube-root-ca.crt\n");
}
