//! Service accounts: their tokens, what roles allow them, and how pods come by both. With the real `kubectl`. Needs root.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sampan_testkit::{Finished, Installation, Server, eventually, kubectl_minor};
use serde_json::Value;

const LIMIT: Duration = Duration::from_mins(2);

fn site(name: &str) -> Installation {
    Installation::site(env!("CARGO_BIN_EXE_sampan"), name)
}

/// `kubectl` with words between blanks.
fn command(server: &Server<'_>, arguments: &str) -> Command {
    let mut command = server.kubectl();
    command.args(arguments.split_whitespace());
    command
}

fn kubectl(server: &Server<'_>, arguments: &str) -> Finished {
    Finished::of(&mut command(server, arguments))
}

/// The same, with the token of an account.
fn with_token(server: &Server<'_>, token: &str, arguments: &str) -> Finished {
    Finished::of(command(server, arguments).args(["--token", token.trim()]))
}

/// A part of a token, which says what it says to everybody.
fn part(token: &str, index: usize) -> Value {
    let part = token
        .trim()
        .split('.')
        .nth(index)
        .expect("it has three parts");
    let text = BASE64_URL_SAFE_NO_PAD.decode(part).expect("it is base64");
    serde_json::from_slice(&text).expect("it is JSON")
}

const ROBOT: &str = r#"
apiVersion: v1
kind: ServiceAccount
metadata: {name: robot}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: robot}
rules:
  - {apiGroups: [""], resources: [pods, configmaps], verbs: [get, list]}
  - {apiGroups: [""], resources: [configmaps], resourceNames: [own], verbs: [patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: robot}
roleRef: {kind: Role, name: robot, apiGroup: rbac.authorization.k8s.io}
subjects: [{kind: ServiceAccount, name: robot}]
"#;

const INSIDE: &str = r"
apiVersion: v1
kind: Pod
metadata: {name: inside}
spec:
  serviceAccountName: robot
  terminationGracePeriodSeconds: 0
  containers:
    - name: main
      image: busybox
      command: [sleep, '100000']
      volumeMounts:
        - {name: usr, mountPath: /usr, readOnly: true}
        - {name: usr, mountPath: /lib, subPath: lib, readOnly: true}
        - {name: usr, mountPath: /lib64, subPath: lib64, readOnly: true}
    - name: own
      image: busybox
      command: [sleep, '100000']
      securityContext: {runAsUser: 1000}
      volumeMounts:
        - {name: usr, mountPath: /usr, readOnly: true}
        - {name: usr, mountPath: /lib, subPath: lib, readOnly: true}
        - {name: usr, mountPath: /lib64, subPath: lib64, readOnly: true}
        - {name: vault, mountPath: /vault}
  volumes:
    # The programs of this machine: busybox knows too little of TLS.
    - name: usr
      hostPath: {path: /usr}
    - name: vault
      projected:
        sources: [{serviceAccountToken: {path: token, audience: vault, expirationSeconds: 600}}]
---
apiVersion: v1
kind: Pod
metadata: {name: without}
spec:
  automountServiceAccountToken: false
  containers: [{name: main, image: busybox, command: [sleep, '100000']}]
---
apiVersion: v1
kind: Pod
metadata: {name: early}
spec:
  serviceAccountName: late
  terminationGracePeriodSeconds: 0
  containers: [{name: main, image: busybox, command: [sleep, '100000']}]
";

/// Asks the API from inside of a pod, as client libraries do.
fn asked_inside(server: &Server<'_>, container: &str, path: &str) -> Finished {
    let script = format!(
        "cd /var/run/secrets/kubernetes.io/serviceaccount && \
         /usr/bin/curl -sSf --cacert ca.crt --header \"Authorization: Bearer $(cat token)\" \
         https://kubernetes.default.svc:$KUBERNETES_SERVICE_PORT/api/v1/namespaces/$(cat namespace)/{path}"
    );
    let mut command = command(server, "exec inside -c");
    command.args([container, "--", "sh", "-c", &script]);
    Finished::of(&mut command)
}

#[test]
fn pods_ask_the_api_with_the_token_of_their_account() {
    let site = site("account");
    site.import_busybox();
    let server = site.up();
    let _applied = server.apply(ROBOT).expect_code(0);
    let _applied = server.apply(INSIDE).expect_code(0);
    let ready = "wait --for=condition=ready pod/inside pod/without --timeout=90s";
    let _ready = kubectl(&server, ready).expect_code(0);
    for container in ["main", "own"] {
        let pods = asked_inside(&server, container, "pods/inside").json();
        assert_eq!(pods["metadata"]["name"], "inside");
        let _refused = asked_inside(&server, container, "secrets").expect_stderr("403");
    }
    let token = kubectl(
        &server,
        "exec inside -c main -- cat /var/run/secrets/kubernetes.io/serviceaccount/token",
    );
    let token = token.stdout();
    let claims = part(&token, 1);
    assert_eq!(claims["sub"], "system:serviceaccount:default:robot");
    assert_eq!(claims["kubernetes.io"]["pod"]["name"], "inside");
    let vault = kubectl(&server, "exec inside -c own -- cat /vault/token").stdout();
    assert_eq!(part(&vault, 1)["aud"], serde_json::json!(["vault"]));
    let _stranger = with_token(&server, &vault, "get pods").expect_stderr("Unauthorized");

    // Client libraries find all of this by themselves.
    let found = Finished::of(Command::new("sh").args(["-c", "readlink -f $(command -v kubectl)"]));
    let program = found.stdout();
    if program.starts_with("/usr/") {
        let inside = format!("exec inside -c main -- {} get pods -o name", program.trim());
        let pods = kubectl(&server, &inside).stdout();
        assert!(pods.contains("pod/inside"), "{pods}");
    }

    let none = kubectl(&server, "exec without -- ls /var/run/secrets");
    let _none = none.expect_stderr("No such file");
    // Who comes before its account waits for it.
    let events = "get events --field-selector involvedObject.name=early,reason=FailedMount";
    eventually("the event about the account", LIMIT, || {
        let text = kubectl(&server, events).stdout();
        text.contains("serviceaccount \"late\" not found")
            .then_some(())
    });
    let _made = kubectl(&server, "create serviceaccount late").expect_code(0);
    let ready = "wait --for=condition=ready pod/early --timeout=90s";
    let _ready = kubectl(&server, ready).expect_code(0);

    // Other users of the machine see none of it.
    let pods = std::fs::metadata(site.data().join("pods")).expect("the folder is there");
    assert_eq!(pods.permissions().mode() & 0o777, 0o700);

    // A token ends with its pod.
    let _there = with_token(&server, &token, "get pods").expect_code(0);
    let _gone = kubectl(&server, "delete pod inside").expect_code(0);
    let _refused = with_token(&server, &token, "get pods")
        .expect_code(1)
        .expect_stderr("Unauthorized");
}

/// What the account may not do, and how it is told so.
const REFUSED: [(&str, &str); 6] = [
    (
        "get secrets",
        "secrets is forbidden: USER list resource \"secrets\" in API group \"\" in the namespace \"default\"",
    ),
    (
        "label configmap other a=b",
        "configmaps \"other\" is forbidden: USER patch resource \"configmaps\" in API group \"\"",
    ),
    (
        "get nodes",
        "nodes is forbidden: USER list resource \"nodes\" in API group \"\" at the cluster scope",
    ),
    (
        "get deployments --namespace kube-system",
        "deployments.apps is forbidden: USER list resource \"deployments\" in API group \"apps\"",
    ),
    ("get pods --as=admin", "USER impersonate resource \"users\""),
    (
        "get --raw /metrics",
        "forbidden: USER get path \"/metrics\"",
    ),
];

#[test]
fn roles_say_what_accounts_may_do() {
    // Older ones cannot ask for a token.
    if kubectl_minor() < 24 {
        return;
    }
    let site = site("roles");
    let server = site.up();
    let applied = server.apply(ROBOT).expect_code(0);
    assert!(!applied.stderr.contains("no effect"), "{}", applied.stderr);
    let token = kubectl(&server, "create token robot --duration=20m").stdout();
    let claims = part(&token, 1);
    let lifetime = claims["exp"].as_i64().zip(claims["iat"].as_i64());
    assert_eq!(lifetime.map(|(end, begin)| end - begin), Some(1200));
    let robot = |arguments: &str| with_token(&server, &token, arguments);

    let _pods = robot("get pods").expect_code(0);
    let _own = kubectl(&server, "create configmap own").expect_code(0);
    let _other = kubectl(&server, "create configmap other").expect_code(0);
    let _labelled = robot("label configmap own a=b").expect_code(0);
    let user = "User \"system:serviceaccount:default:robot\" cannot";
    for (asked, cannot) in REFUSED {
        let _told = robot(asked)
            .expect_code(1)
            .expect_stderr(&cannot.replace("USER", user));
    }
    for (asked, answer) in [
        ("list pods", "yes"),
        ("delete pods", "no"),
        ("patch configmap/own", "yes"),
        ("patch configmap/other", "no"),
        ("get /openapi/v3", "yes"),
    ] {
        let own = robot(&format!("auth can-i {asked}"));
        let asked = format!("auth can-i {asked} --as=system:serviceaccount:default:robot");
        let asked = kubectl(&server, &asked);
        assert_eq!(
            (own.stdout.trim(), asked.stdout.trim()),
            (answer, answer),
            "{}",
            asked.command
        );
    }
    let _whole = kubectl(
        &server,
        "create clusterrolebinding robot --clusterrole=view --serviceaccount=default:robot",
    )
    .expect_code(0);
    let _view = robot("get deployments --namespace kube-system").expect_code(0);
    let _secrets = robot("get secrets").expect_code(1);
    let who = kubectl(
        &server,
        "auth can-i --list --as=system:serviceaccount:default:robot",
    )
    .stdout();
    assert!(who.contains("deployments.apps"), "{who}");
}

#[test]
fn tokens_end_with_their_account() {
    if kubectl_minor() < 24 {
        return;
    }
    let site = site("ends");
    let server = site.up();
    let _applied = server.apply(ROBOT).expect_code(0);
    let token = kubectl(&server, "create token robot").stdout();
    let robot = |arguments: &str| with_token(&server, &token, arguments);
    let _pods = robot("get pods").expect_code(0);
    // One that is made anew is another one.
    let _gone = kubectl(&server, "delete serviceaccount robot").expect_code(0);
    let _refused = robot("get pods").expect_stderr("Unauthorized");
    let _anew = kubectl(&server, "create serviceaccount robot").expect_code(0);
    let _refused = robot("get pods").expect_stderr("Unauthorized");
    let _short = kubectl(&server, "create token robot --duration=1m")
        .expect_code(1)
        .expect_stderr("may not specify a duration less than 10 minutes");
}

const KEEPER: &str = r#"
apiVersion: v1
kind: ServiceAccount
metadata: {name: keeper}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: keeper}
rules:
  - {apiGroups: [rbac.authorization.k8s.io], resources: [roles, rolebindings], verbs: [create, get, list, patch, update]}
  - {apiGroups: [""], resources: [pods], verbs: [get, list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: keeper}
roleRef: {kind: Role, name: keeper, apiGroup: rbac.authorization.k8s.io}
subjects: [{kind: ServiceAccount, name: keeper}]
"#;

#[test]
fn nobody_gives_rights_away_that_they_do_not_have() {
    if kubectl_minor() < 24 {
        return;
    }
    let site = site("grants");
    let server = site.up();
    let _applied = server.apply(KEEPER).expect_code(0);
    let token = kubectl(&server, "create token keeper").stdout();
    let keeper = |arguments: &str| with_token(&server, &token, arguments);
    let _less = keeper("create role looker --verb=get --resource=pods").expect_code(0);
    let _bound = keeper("create rolebinding looker --role=looker --serviceaccount=default:default")
        .expect_code(0);
    for more in [
        "create role more --verb=get --resource=secrets",
        "create rolebinding more --clusterrole=edit --serviceaccount=default:keeper",
        "patch role looker --type=json -p [{\"op\":\"replace\",\"path\":\"/rules/0/verbs\",\"value\":[\"*\"]}]",
        "patch role keeper --type=merge -p {\"rules\":[{\"apiGroups\":[\"*\"],\"resources\":[\"*\"],\"verbs\":[\"*\"]}]}",
    ] {
        let _refused = keeper(more)
            .expect_code(1)
            .expect_stderr("is attempting to grant RBAC permissions not currently held");
    }
    let path = site.data().join("role.yaml");
    let role = "{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: applied}, rules: [{apiGroups: [apps], resources: [deployments], verbs: [get]}]}";
    std::fs::write(&path, role).expect("a file can be written");
    let apply = format!("apply --server-side -f {}", path.display());
    let _refused = keeper(&apply)
        .expect_code(1)
        .expect_stderr("not currently held");
    let _allowed = kubectl(
        &server,
        "create rolebinding deployer --clusterrole=view --serviceaccount=default:keeper",
    )
    .expect_code(0);
    let _applied = keeper(&apply).expect_code(0);
}

#[test]
fn others_can_check_tokens() {
    if kubectl_minor() < 24 {
        return;
    }
    let site = site("tokens");
    let server = site.up();
    let raw = |path: &str| kubectl(&server, &format!("get --raw {path}")).json();
    let found = raw("/.well-known/openid-configuration");
    let issuer = "https://kubernetes.default.svc.cluster.local";
    assert_eq!(found["issuer"], issuer);
    assert_eq!(found["jwks_uri"], format!("{issuer}/openid/v1/jwks"));
    let keys = raw("/openid/v1/jwks");
    let token = kubectl(&server, "create token default --audience=vault").stdout();
    assert_eq!(part(&token, 0)["kid"], keys["keys"][0]["kid"]);
    assert_eq!(part(&token, 1)["iss"], issuer);
    let review = |audiences: &str| {
        let review = format!(
            "{{apiVersion: authentication.k8s.io/v1, kind: TokenReview, spec: {{token: {}, audiences: {audiences}}}}}",
            token.trim()
        );
        let path = site.data().join("review.yaml");
        std::fs::write(&path, review).expect("a file can be written");
        kubectl(&server, &format!("create -o json -f {}", path.display())).json()["status"].clone()
    };
    let known = review("[vault, other]");
    assert_eq!(
        known["user"]["username"],
        "system:serviceaccount:default:default"
    );
    assert_eq!(known["audiences"], serde_json::json!(["vault"]));
    assert_ne!(review("[]")["authenticated"], true);
    let _api = with_token(&server, &token, "get pods").expect_stderr("Unauthorized");
    // A token lives on when the server is started again.
    let token = kubectl(&server, "create token default").stdout();
    server.kill();
    let server = site.up();
    let _known = with_token(&server, &token, "get pods").expect_stderr("cannot list resource");
}
