//! What a release waits for is said with its reason.

use std::time::Duration;

use sampan_testkit::eventually;

use crate::fixture::Site;

const LIMIT: Duration = Duration::from_mins(1);

const LACKING: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: lacking}
spec:
  selector: {matchLabels: {app: lacking}}
  template:
    metadata: {labels: {app: lacking}}
    spec:
      containers: [{name: a, image: 'registry.example/lacking:1'}]
";

const LACKING_TEST: &str = "apiVersion: v1
kind: Pod
metadata:
  name: lacking-test
  annotations: {helm.sh/hook: test}
spec:
  restartPolicy: Never
  containers: [{name: a, image: 'registry.example/lacking:1'}]
";

#[test]
fn the_reason_of_pods_that_wait_is_said() {
    let site = Site::new();
    let _server = site.up();
    site.write("templates/lacking.yaml", LACKING);
    let _failed = site
        .chart("install shop HUT --wait --timeout 6s")
        .expect_code(1)
        .expect_stderr("timed out after 6s")
        .expect_stderr("image \"registry.example/lacking:1\" is not in the content store")
        .expect_stderr("sampan pull");
    eventually("the reason in the status", LIMIT, || {
        let shown = site.chart("status shop").stdout();
        let line = shown.lines().find(|line| line.contains("lacking"))?;
        line.contains("is not in the content store").then_some(())
    });
    site.write("templates/lacking.yaml", "");
    site.write("templates/tests/lacking.yaml", LACKING_TEST);
    let _upgraded = site.chart("upgrade shop HUT --wait").expect_code(0);
    let _failed = site
        .chart("test shop --timeout 6s --filter name=lacking-test")
        .expect_code(1)
        .expect_stderr("is not in the content store");
}
