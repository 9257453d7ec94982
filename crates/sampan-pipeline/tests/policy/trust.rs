use sampan_pipeline::trust::{Right, Trust, violations};

use super::{drone, drone08, github, shown};

#[test]
fn what_reaches_beyond_a_container_is_named_with_its_line() {
    let graph = drone08(
        "pipeline:\n  a:\n    image: docker\n    privileged: true\n    volumes: [/var/run/docker.sock:/var/run/docker.sock, cache:/cache]\n    \
         devices: [/dev/kvm]\n    cap_add: [NET_ADMIN]\n    sysctls: {net.core.somaxconn: 1}\n    network_mode: host\n    commands: [x]\n  \
         b:\n    image: alpine\n    tmpfs: [/tmp]\n    dns: [9.9.9.9]\n    extra_hosts: ['x:1.2.3.4']\n    network_mode: none\n    commands: [x]\n  \
         c:\n    image: alpine\n    privileged: true\n    commands: [x]\n    when: {branch: other}\n",
    );
    insta::assert_snapshot!(shown(&violations(&graph, Trust::default())));
    assert_eq!(violations(&graph, Trust::FULL), []);
    let only: Trust = [Right::Volumes].into_iter().collect();
    let rest = violations(&graph, only);
    assert!(
        rest.iter()
            .all(|violation| violation.right != Right::Volumes)
    );
    assert_eq!(rest.len(), 5);
}

#[test]
fn volumes_of_a_stage_may_lie_outside() {
    let graph = drone(
        "kind: pipeline\nsteps:\n\
         - {name: a, image: alpine, commands: [x], volumes: [{name: host, path: /a}, {name: temp, path: /b}]}\n\
         volumes: [{name: host, host: {path: /srv}}, {name: temp, temp: {}}]\n",
    );
    insta::assert_snapshot!(shown(&violations(&graph, Trust::default())), @r"
    .drone.yml:3:3: the step `a` asks for the folder `/srv` of the machine, which only trusted projects may
      hint: if you trust the pipeline, run it with `--trusted`, or give its project the right `volumes` under `trusted` in `ci.yaml`
    ");
}

#[test]
fn options_of_jobs_are_looked_at() {
    let plan = github(
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    container:\n      image: alpine\n      \
         options: --cpus 2 --privileged --cap-add=SYS_ADMIN --security-opt seccomp=unconfined --security-opt no-new-privileges -v /:/host --mount type=tmpfs,target=/x\n      \
         volumes: ['/tmp/x:/x', 'kept:/y', '/z']\n    \
         services: {db: {image: postgres, ports: ['5432:5432'], options: '--pid=host --ipc=private'}}\n    steps: [{run: x}]\n",
        &[],
    );
    insta::assert_snapshot!(shown(&violations(&plan.graph, Trust::default())));
    let options = "--privileged";
    let plan = github(
        &format!(
            "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    if: false\n    container: {{image: x, options: {options}}}\n    steps: [{{run: x}}]\n"
        ),
        &[],
    );
    assert_eq!(violations(&plan.graph, Trust::default()), []);
}

#[test]
fn the_own_engine_is_looked_at_before_anything_runs() {
    let step = "image: plugins/kubernetes, deployment: a, container: b, repo: c/d";
    let graph = drone08(&format!(
        "pipeline:\n  a: {{{step}}}\n  b: {{{step}, kubernetes_server: 'https://c'}}\n  c: {{{step}, secrets: [kubernetes_server]}}\n"
    ));
    insta::assert_snapshot!(shown(&violations(&graph, Trust::default())), @r"
    .drone.yml:2:3: the step `a` asks for the engine of the installation, which only trusted projects may
      hint: name a cluster with `kubernetes_server` and a secret `kubernetes_token` of its own; if you trust the pipeline, run it with `--trusted`, or give its project the right `engine` under `trusted` in `ci.yaml`
    ");
    let engine: Trust = [Right::Engine].into_iter().collect();
    assert_eq!(violations(&graph, engine), []);
}
