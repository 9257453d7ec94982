//! What `kubectl` sends in protobuf.

use crate::fixture::Fixture;

/// Runs `kubectl create …`, and shows the object as it is stored then.
async fn created(f: &Fixture, arguments: &str, resource: &str) -> serde_json::Value {
    let words: Vec<&str> = ["create"]
        .into_iter()
        .chain(arguments.split_whitespace())
        .collect();
    let said = f.kubectl(&words).await;
    assert!(said.ends_with(" created\n"), "{said}");
    let (kind, name) = resource.split_once('/').unwrap();
    let shown = f.kubectl(&["get", kind, name, "-o", "json"]).await;
    serde_json::from_str(&shown).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_created() {
    let f = Fixture::start().await;
    let map = created(
        &f,
        "configmap settings --from-literal=colour=blue",
        "cm/settings",
    )
    .await;
    assert_eq!(map["data"]["colour"], "blue");
    let manager = &map["metadata"]["managedFields"];
    assert!(manager.is_null() || manager[0]["manager"] == "kubectl-create");

    let secret = created(&f, "secret generic s --from-literal=password=x", "secret/s").await;
    assert_eq!(secret["data"]["password"], "eA==");
    assert_eq!(secret["type"], "Opaque");
    let pull = "secret docker-registry pull --docker-username=u --docker-password=p";
    let pull = created(&f, pull, "secret/pull").await;
    assert_eq!(pull["type"], "kubernetes.io/dockerconfigjson");

    let key = rcgen::generate_simple_self_signed(["example.com".to_owned()]).unwrap();
    let certificate = f.manifest("tls.crt", &key.cert.pem());
    let private = f.manifest("tls.key", &key.signing_key.serialize_pem());
    let pair = format!("secret tls pair --cert={certificate} --key={private}");
    let pair = created(&f, &pair, "secret/pair").await;
    assert_eq!(pair["type"], "kubernetes.io/tls");

    let twice = ["create", "configmap", "settings"];
    assert!(f.refused(&twice).await.contains("already exists"));
    f.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn services_and_ways_in_are_created() {
    let f = Fixture::start().await;
    let service = created(&f, "service clusterip web --tcp=80:8080", "svc/web").await;
    assert_eq!(service["spec"]["ports"][0]["targetPort"], 8080);
    assert_eq!(service["spec"]["selector"]["app"], "web");
    let node_port = "service nodeport n --tcp=80 --node-port=30123";
    let node_port = created(&f, node_port, "svc/n").await;
    assert_eq!(node_port["spec"]["ports"][0]["nodePort"], 30123);
    let outside = "service externalname o --external-name=example.com";
    let outside = created(&f, outside, "svc/o").await;
    assert_eq!(outside["spec"]["externalName"], "example.com");
    let headless = "service clusterip h --clusterip=None";
    let headless = created(&f, headless, "svc/h").await;
    assert_eq!(headless["spec"]["clusterIP"], "None");

    let ingress = "ingress web --class=sampan --rule=example.com/files*=web:80,tls=pair";
    let ingress = created(&f, ingress, "ingress/web").await;
    let rule = &ingress["spec"]["rules"][0];
    assert_eq!(rule["host"], "example.com");
    let path = &rule["http"]["paths"][0];
    assert_eq!(path["pathType"], "Prefix");
    assert_eq!(path["backend"]["service"]["port"]["number"], 80);
    f.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn workloads_accounts_and_namespaces_are_created() {
    let f = Fixture::start().await;
    let deployment = "deployment web --image=example/web:1 --replicas=2 --port=80";
    let deployment = created(&f, deployment, "deploy/web").await;
    assert_eq!(deployment["spec"]["replicas"], 2);
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["image"], "example/web:1");
    assert_eq!(container["ports"][0]["protocol"], "TCP");
    let job = created(&f, "job once --image=example/job:1 -- run", "job/once").await;
    let pod = &job["spec"]["template"]["spec"];
    assert_eq!(pod["containers"][0]["command"][0], "run");
    let nightly = "cronjob nightly --image=example/job:1 --schedule=@daily";
    let nightly = created(&f, nightly, "cj/nightly").await;
    assert_eq!(nightly["spec"]["schedule"], "@daily");
    created(&f, "serviceaccount robot", "sa/robot").await;
    created(&f, "namespace shop", "ns/shop").await;
    let dry = ["create", "ns", "none", "--dry-run=server"];
    assert!(f.kubectl(&dry).await.contains("created (server dry run)"));
    assert!(
        f.refused(&["get", "ns", "none"])
            .await
            .contains("not found")
    );

    // What is wrong is refused as it is in JSON.
    let bad = ["create", "service", "clusterip", "web_", "--tcp=80"];
    let refusal = f.refused(&bad).await;
    assert!(refusal.contains("web_"), "{refusal}");
    f.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_and_limits_are_created() {
    let f = Fixture::start().await;
    let role = "role reader --verb=get,list --resource=pods,deployments.apps";
    let role = created(&f, role, "role/reader").await;
    assert_eq!(
        role["rules"][0]["verbs"],
        serde_json::json!(["get", "list"])
    );
    assert_eq!(role["rules"].as_array().unwrap().len(), 2);
    let binding = "rolebinding reading --role=reader --serviceaccount=default:robot";
    let binding = created(&f, binding, "rolebinding/reading").await;
    assert_eq!(binding["subjects"][0]["name"], "robot");
    let all = "clusterrole all --verb=* --resource=*.*";
    created(&f, all, "clusterrole/all").await;
    let to_all = "clusterrolebinding to-all --clusterrole=all --user=jane --group=staff";
    let to_all = created(&f, to_all, "clusterrolebinding/to-all").await;
    assert_eq!(to_all["subjects"].as_array().unwrap().len(), 2);

    let quota = created(&f, "quota few --hard=pods=2,cpu=1500m", "quota/few").await;
    assert_eq!(quota["spec"]["hard"]["cpu"], "1500m");
    let budget = "poddisruptionbudget half --selector=app=web --min-available=50%";
    let budget = created(&f, budget, "pdb/half").await;
    assert_eq!(budget["spec"]["minAvailable"], "50%");
    let class = "priorityclass low --value=-5 --preemption-policy=Never";
    let class = created(&f, class, "priorityclass/low").await;
    assert_eq!(class["value"], -5);

    created(&f, "deployment web --image=example/web:1", "deploy/web").await;
    f.kubectl(&[
        "autoscale",
        "deployment",
        "web",
        "--min=1",
        "--max=3",
        "--cpu-percent=50",
    ])
    .await;
    let shown = ["get", "hpa", "web", "-o", "jsonpath={.spec.maxReplicas}"];
    assert_eq!(f.kubectl(&shown).await, "3");
    f.stop().await;
}

const NODE_AND_POD: &str = "
apiVersion: v1
kind: Node
metadata: {name: old}
---
apiVersion: v1
kind: Pod
metadata: {name: one}
spec:
  nodeName: old
  containers: [{name: one, image: example/one:1}]
";

#[tokio::test(flavor = "multi_thread")]
async fn pods_are_drained_by_eviction_and_by_deletion() {
    let f = Fixture::start().await;
    let path = f.manifest("drained.yaml", NODE_AND_POD);
    for way in ["--disable-eviction=false", "--disable-eviction=true"] {
        f.kubectl(&["apply", "-f", &path]).await;
        let drain = [
            "drain",
            "old",
            "--force",
            "--grace-period=0",
            "--timeout=20s",
            way,
        ];
        let said = f.kubectl(&drain).await;
        assert!(said.contains("pod/one"), "{said}");
        assert!(
            f.refused(&["get", "pod", "one"])
                .await
                .contains("not found")
        );
        f.kubectl(&["uncordon", "old"]).await;
    }
    f.stop().await;
}
