//! Messages and jobs of other systems.

use std::collections::BTreeMap;

use sampan_pipeline::run::HttpResponse;
use serde_json::{Value, json};

use crate::stage::Machine;

fn answer(status: u16, body: &str) -> HttpResponse {
    HttpResponse {
        status,
        headers: BTreeMap::new(),
        body: body.as_bytes().to_vec(),
    }
}

fn sent(machine: &Machine, index: usize) -> Value {
    serde_json::from_slice(&machine.asked.lock().unwrap().requests[index].body).unwrap()
}

#[test]
fn slack_is_told_by_a_template() {
    let mut machine = Machine::new();
    machine.secrets.insert(
        "slack_webhook".to_owned(),
        "http://127.0.0.1:9/hook".to_owned(),
    );
    machine.status = "failure";
    let ran = machine.drone08(
        "  slack:
    image: plugins/slack:1.2
    secrets: [slack_webhook]
    channel: dev
    username: drone
    icon_emoji: ':boat:'
    template: >
      {{#success build.status}}
        {{repo.name}} build {{build.number}} succeeded.
      {{else}}
        {{repo.name}} build {{build.number}} failed: {{truncate build.commit 8}} on {{build.branch}} by {{build.author}}
        ({{build.message.title}}), {{uppercasefirst build.event}}.
      {{/success}}
    when: {status: [success, failure]}
",
    );
    ran.end.unwrap();
    let asked = machine.asked.lock().unwrap();
    let request = &asked.requests[0];
    assert_eq!(
        (request.method.as_str(), request.url.as_str()),
        ("POST", "http://127.0.0.1:9/hook")
    );
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(
        body,
        json!({
            "username": "drone",
            "icon_emoji": ":boat:",
            "channel": "#dev",
            "attachments": [{
                "color": "danger",
                "fallback": "failure octocat/hello#7fd1a60b (main) by octocat",
                "text": "hello build 7 failed: 7fd1a60b on main by octocat\n  (Say &quot;hi&quot; &amp; &lt;bye&gt;), Push.",
                "mrkdwn_in": ["text", "fallback"],
            }],
        })
    );
}

#[test]
fn slack_is_told_without_a_template() {
    let machine = Machine::new();
    let step = "  - {name: a, image: plugins/slack, settings: {webhook: 'http://a', recipient: octocat, color: '#000', mentions: 'U1,@U2'}}\n";
    machine.drone(step).end.unwrap();
    let body = sent(&machine, 0);
    assert_eq!(body["channel"], "@octocat");
    assert_eq!(body["attachments"][0]["color"], "#000");
    assert_eq!(
        body["attachments"][0]["text"],
        "<@U1>: <@U2>: *success* <http://localhost/octocat/hello/7|octocat/hello#7fd1a60b> (main) by octocat"
    );
    machine
        .answers
        .lock()
        .unwrap()
        .push(answer(404, "no_service\n"));
    assert_eq!(
        machine.drone(step).problem(),
        "the webhook of Slack answered with status 404: no_service"
    );
}

#[test]
fn a_webhook_gets_the_build_or_a_template() {
    let machine = Machine::new();
    let settings = "urls: ['http://a', 'http://b'], headers: ['X-A=b=c'], signature_secret: key, username: u, password: p";
    machine
        .drone(&format!(
            "  - {{name: a, image: plugins/webhook, settings: {{{settings}}}}}\n"
        ))
        .end
        .unwrap();
    let body = sent(&machine, 1);
    assert_eq!(body["repo"], json!({"owner": "octocat", "name": "hello"}));
    assert_eq!(body["build"]["number"], 7);
    assert_eq!(body["build"]["message"], machine.build.commit.message);
    {
        let asked = machine.asked.lock().unwrap();
        let request = &asked.requests[0];
        assert_eq!(request.login.as_ref().unwrap().password, "p");
        let header = |name: &str| {
            request
                .headers
                .iter()
                .find(|(found, _)| found == name)
                .unwrap()
                .1
                .as_str()
        };
        assert_eq!(header("Content-Type"), "application/json");
        assert_eq!(header("X-A"), "b=c");
        assert_eq!(header("X-Drone-Signature").len(), "sha256=".len() + 64);
        assert!(request.body.ends_with(b"}\n"));
    }
    let settings = "urls: 'http://a', template: '{\"text\": \"{{build.status}}\"}', valid_response_codes: [200, 201], method: PUT, token_value: t";
    let step = format!("  - {{name: a, image: plugins/webhook, settings: {{{settings}}}}}\n");
    machine.drone(&step).end.unwrap();
    assert_eq!(sent(&machine, 2), json!({"text": "success"}));
    machine.answers.lock().unwrap().push(answer(202, "later"));
    assert_eq!(
        machine.drone(&step).problem(),
        "webhook 1 answered with status 202: later"
    );
    // Without a list of statuses, none is an error.
    machine.answers.lock().unwrap().push(answer(500, "oops"));
    let ran =
        machine.drone("  - {name: a, image: plugins/webhook, settings: {urls: 'http://a'}}\n");
    ran.end.unwrap();
    assert_eq!(ran.log, "Webhook 1 answered with status 500: oops\n");
}

#[test]
fn robots_of_groups_get_their_forms() {
    let machine = Machine::new();
    machine
        .drone("  - {name: a, image: lddsb/drone-dingtalk-message, settings: {token: 'http://gateway/robot', secret: s, type: markdown, tips_title: T, msg_at_all: true, tpl: '[TPL_REPO_SHORT_NAME] [DRONE_COMMIT_BRANCH] [x](y) [TPL_STATUS_EMOTICON]'}}\n")
        .end
        .unwrap();
    assert_eq!(
        sent(&machine, 0),
        json!({
            "msgtype": "markdown",
            "markdown": {"title": "T", "text": "hello main [x](y) :)"},
            "at": {"atMobiles": [], "isAtAll": true},
        })
    );
    let url = machine.asked.lock().unwrap().requests[0].url.clone();
    assert!(
        url.starts_with("http://gateway/robot&timestamp=") && url.contains("&sign="),
        "{url}"
    );

    machine
        .drone("  - {name: a, image: fifsky/drone-wechat-work, settings: {url: 'http://wecom/send', msgtype: markdown, touser: '1,2', content: '{{if eq .Status \"success\" }}well{{else}}bad{{end}} {{.Branch}}'}}\n")
        .end
        .unwrap();
    assert_eq!(
        sent(&machine, 1),
        json!({"msgtype": "markdown", "markdown": {"content": "well main", "mentioned_mobile_list": ["1", "2"]}})
    );

    machine
        .drone("  - {name: a, image: ydq1234/drone-lark, settings: {webhook: 'http://feishu/hook', title: T, template: '{{build.status}}'}}\n")
        .end
        .unwrap();
    let body = sent(&machine, 2);
    assert_eq!(body["msg_type"], "interactive");
    assert_eq!(body["card"]["elements"][0]["content"], "success");

    machine.answers.lock().unwrap().push(answer(
        200,
        r#"{"errcode": 310000, "errmsg": "keywords not in content"}"#,
    ));
    let step =
        "  - {name: a, image: lddsb/drone-dingtalk-message, settings: {token: x, type: text}}\n";
    assert_eq!(
        machine.drone(step).problem(),
        "DingTalk answered with status 200: {\"errcode\": 310000, \"errmsg\": \"keywords not in content\"}"
    );
}

#[test]
fn each_receiver_gets_a_mail() {
    let mut machine = Machine::new();
    machine
        .secrets
        .insert("email_password".to_owned(), "hunter2".to_owned());
    machine.write("report.txt", "all is well");
    machine.write("people", "c@x\n\n");
    machine
        .drone08(
            "  a:
    image: drillster/drone-email:latest
    secrets: [email_password]
    from: ci@x
    host: mail.site
    port: 25
    username: bot
    recipients: [a@x]
    recipients_file: people
    attachments: [report.txt, none]
    skip_verify: true
",
        )
        .end
        .unwrap();
    let asked = machine.asked.lock().unwrap();
    let receivers: Vec<_> = asked.mails.iter().map(|mail| mail.to.join(",")).collect();
    assert_eq!(receivers, ["a@x", "octocat@example.org", "c@x"]);
    let mail = &asked.mails[0];
    assert_eq!(
        (mail.host.as_str(), mail.port, mail.insecure),
        ("mail.site", 25, true)
    );
    assert_eq!(mail.subject, "[success] octocat/hello (main - 7fd1a60b)");
    assert!(
        mail.html.contains("Say &quot;hi&quot; &amp; &lt;bye&gt;"),
        "{}",
        mail.html
    );
    let names = mail.attachments.iter().map(|file| file.name.as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["report.txt"]);
    assert_eq!(mail.login.as_ref().unwrap().password, "hunter2");
}

#[test]
fn a_job_of_jenkins_is_started_and_waited_for() {
    let machine = Machine::new();
    let mut queued = answer(201, "");
    queued.headers.insert(
        "location".to_owned(),
        "http://jenkins/queue/item/12/".to_owned(),
    );
    *machine.answers.lock().unwrap() = vec![
        answer(
            200,
            r#"{"crumb": "c", "crumbRequestField": "Jenkins-Crumb"}"#,
        ),
        queued,
        answer(200, "{}"),
        answer(200, r#"{"executable": {"number": 3}}"#),
        answer(200, r#"{"building": true}"#),
        answer(200, r#"{"building": false, "result": "UNSTABLE"}"#),
    ];
    let ran = machine.drone(
        "  - {name: a, image: appleboy/drone-jenkins, settings: {url: 'http://jenkins/', user: u, token: t, job: folder/a, parameters: 'A=b c', wait: true, poll_interval: 0s}}\n",
    );
    assert_eq!(ran.problem(), "the job `folder/a` ended as UNSTABLE");
    let asked = machine.asked.lock().unwrap();
    let urls: Vec<_> = asked
        .requests
        .iter()
        .map(|request| format!("{} {}", request.method, request.url))
        .collect();
    assert_eq!(
        urls,
        [
            "GET http://jenkins/crumbIssuer/api/json",
            "POST http://jenkins/job/folder/job/a/buildWithParameters?A=b+c",
            "GET http://jenkins/queue/item/12/api/json",
            "GET http://jenkins/queue/item/12/api/json",
            "GET http://jenkins/job/folder/job/a/3/api/json",
            "GET http://jenkins/job/folder/job/a/3/api/json",
        ]
    );
    assert_eq!(
        asked.requests[1].headers,
        [("Jenkins-Crumb".to_owned(), "c".to_owned())]
    );
    assert_eq!(
        ran.log,
        "The job `folder/a` is queued.\nThe job `folder/a` runs as number 3.\nThe job `folder/a` ended as UNSTABLE.\n"
    );
}
