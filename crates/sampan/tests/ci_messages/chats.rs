//! Chats that check signatures, a webhook, and a server that behaves as Jenkins does.

use sampan_testkit::{Finished, Installation, Script};
use serde_json::Value;

use crate::fixture::Project;
use crate::site;

/// Answers as the chats and as Jenkins, and writes down what it is asked.
const SERVER: &str = r"
import base64, hashlib, hmac, http.server, json, os, ssl, subprocess, sys, urllib.parse

folder = sys.argv[1]
queue = {'7': 0, '8': 0}


def signed(key, text, mode=base64.b64encode):
    return mode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()


def chat(path, query, headers, body):
    if path == '/slack':
        return (200, 'ok') if json.loads(body)['attachments'] else (400, 'no_text')
    if path == '/dingtalk':
        right = query.get('sign') == signed('SECding', query.get('timestamp', '') + '\nSECding')
        return 200, json.dumps({'errcode': 0} if right else {'errcode': 310000, 'errmsg': 'sign not match'})
    if path == '/wecom':
        right = query.get('key') == 'the-key' and json.loads(body)['msgtype'] == 'markdown'
        return 200, json.dumps({'errcode': 0 if right else 93000, 'errmsg': 'invalid webhook url'})
    if path == '/feishu':
        asked = json.loads(body)
        right = asked['sign'] == signed(asked['timestamp'] + '\nlark', '')
        return 200, json.dumps({'code': 0} if right else {'code': 19021, 'msg': 'sign match fail'})
    if path == '/hook':
        mac = hmac.new(b'shared', body.encode(), hashlib.sha256).hexdigest()
        return (200, '') if headers.get('x-drone-signature') == 'sha256=' + mac else (403, 'who are you?')
    return None


def jenkins(handler, path, headers):
    login = base64.b64encode(b'jane:api-token').decode()
    if headers.get('authorization') != 'Basic ' + login:
        return 401, 'Unauthorized', {}
    if path == '/crumbIssuer/api/json':
        crumb = {'crumb': 'c0ffee', 'crumbRequestField': 'Jenkins-Crumb'}
        return 200, json.dumps(crumb), {'Set-Cookie': 'JSESSIONID.1=node0abc; Path=/; HttpOnly'}
    if handler.command == 'POST':
        cookie = headers.get('cookie', '')
        if headers.get('jenkins-crumb') != 'c0ffee' or 'JSESSIONID.1=node0abc' not in cookie:
            return 403, 'No valid crumb was included in the request', {}
        item = {'/job/team/job/deploy%20it/buildWithParameters': '7', '/job/broken/build': '8'}.get(path)
        if item is None:
            return 404, 'Not Found', {}
        host = headers['host']
        return 201, '', {'Location': f'http://{host}/queue/item/{item}/'}
    parts = path.strip('/').split('/')
    if parts[0] == 'queue':
        queue[parts[2]] += 1
        if queue[parts[2]] < 2:
            return 200, json.dumps({'why': 'In the quiet period'}), {}
        return 200, json.dumps({'executable': {'number': 40 + int(parts[2])}}), {}
    if path == '/job/team/job/deploy%20it/47/api/json':
        queue['7'] += 1
        running = queue['7'] < 4
        return 200, json.dumps({'building': running, 'result': None if running else 'SUCCESS'}), {}
    if path == '/job/broken/48/api/json':
        return 200, json.dumps({'building': False, 'result': 'FAILURE'}), {}
    return 404, 'Not Found', {}


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self):
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get('content-length', 0))).decode()
        split = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(split.query))
        said = chat(split.path, query, headers, body)
        status, text, more = (*said, {}) if said else jenkins(self, split.path, headers)
        with open(folder + '/requests', 'a') as file:
            asked = {'method': self.command, 'path': split.path, 'query': query, 'headers': headers, 'body': body}
            file.write(json.dumps({**asked, 'status': status}) + '\n')
        self.send_response(status)
        for name, value in {**more, 'Content-Length': str(len(text.encode()))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    do_GET = do_POST = do_PUT = answer

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
if 'tls' in sys.argv:
    made = ['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=nobody']
    subprocess.run(made + ['-keyout', folder + '/key', '-out', folder + '/cert'], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder + '/cert', folder + '/key')
    server.socket = context.wrap_socket(server.socket, server_side=True)
with open(folder + '/port', 'w') as file:
    file.write(f'{server.server_port}\n')
server.serve_forever()
";

const CHATS: &str = "\
pipeline:
  work:
    image: busybox
    commands: [EXIT]
  slack:
    image: plugins/slack
    webhook: http://HOST/slack
    channel: shop
    when: {status: [success, failure]}
  dingtalk:
    image: lddsb/drone-dingtalk-message
    token: http://HOST/dingtalk?access_token=x
    secret: SECding
    type: markdown
    tips_title: Größe
    when: {status: [success, failure]}
  wecom:
    image: fifsky/drone-wechat-work
    url: http://HOST/wecom?key=the-key
    msgtype: markdown
    content: '{{ .Name }} of {{ .Owner }}: {{ .Status }}'
    when: {status: [success, failure]}
  feishu:
    image: ydq1234/drone-lark
    webhook: http://HOST/feishu
    secrets: [plugin_secret]
    title: '发布'
    template: '{{ repo.name }}: {{ build.status }}'
    when: {status: [success, failure]}
  hook:
    image: plugins/webhook
    urls: [http://HOST/hook, https://SAFE/hook]
    signature_secret: shared
    skip_verify: true
    valid_response_codes: [200]
    when: {status: [success, failure]}
";

fn body(request: &Value) -> Value {
    let text = request["body"].as_str().expect("a body");
    serde_json::from_str(text).unwrap_or_else(|_| panic!("no JSON: {text}"))
}

fn run(project: &Project, site: &Installation, secret: &str) -> Finished {
    project.ci(site, &["run", "--secret", secret])
}

#[test]
fn chats_and_webhooks_take_what_they_are_told() {
    let site = site("ci-chats");
    let server = Script::start(&site, SERVER, &[]);
    let safe = Script::start(&site, SERVER, &["tls"]);
    let fill = |text: &str, exit: &str| {
        text.replace("HOST", &format!("127.0.0.1:{}", server.port()))
            .replace("SAFE", &format!("127.0.0.1:{}", safe.port()))
            .replace("EXIT", exit)
    };
    let project = Project::new(&[(".drone.yml", &fill(CHATS, "'true'"))]);
    let _ran = run(&project, &site, "plugin_secret=lark").expect_code(0);
    let told = server.requests();
    let statuses: Vec<_> = told.iter().map(|asked| asked["status"].as_u64()).collect();
    assert_eq!(statuses, [Some(200); 5], "{told:#?}");
    assert_eq!(body(&told[0])["attachments"][0]["color"], "good");
    let markdown = &body(&told[1])["markdown"];
    assert_eq!(markdown["title"], "Größe");
    let text = markdown["text"].as_str().expect("a text");
    assert!(text.contains("shop: success"), "{text}");
    assert_eq!(
        body(&told[2])["markdown"]["content"],
        "shop of team: success"
    );
    let card = &body(&told[3])["card"];
    assert_eq!(card["header"]["title"]["content"], "发布");
    assert_eq!(card["header"]["template"], "green");
    assert_eq!(card["elements"][0]["content"], "shop: success");
    assert_eq!(body(&told[4])["build"]["status"], "success");
    // Its certificate is nobody's, and the step says that this does not matter.
    assert_eq!(safe.requests().len(), 1);

    // They hear of a failure as well, and what one refuses is a failure of its step.
    project.write(".drone.yml", &fill(CHATS, "'false'"));
    let failed = run(&project, &site, "plugin_secret=wrong").expect_code(1);
    assert!(
        failed.stderr.contains("sign match fail"),
        "{}",
        failed.stderr
    );
    let told = server.requests();
    assert_eq!(body(&told[0])["attachments"][0]["color"], "danger");
    assert_eq!(body(&told[4])["build"]["status"], "failure");
    assert!(!failed.stderr.contains("SECding"), "{}", failed.stderr);

    // A certificate is looked at unless something else is said.
    let strict = fill(CHATS, "'true'").replace("skip_verify: true", "skip_verify: false");
    project.write(".drone.yml", &strict);
    let refused = run(&project, &site, "plugin_secret=lark").expect_code(1);
    assert!(refused.stderr.contains("certificate"), "{}", refused.stderr);
    assert!(
        safe.requests().len() == 1,
        "only the failure before was told"
    );
}

const JENKINS: &str = "\
pipeline:
  deploy:
    image: appleboy/drone-jenkins:1
    url: http://HOST/
    user: jane
    secrets: [jenkins_token]
    job: team/deploy it
    parameters: |
      VERSION=1.0 beta&more
      TARGET=site
    wait: true
    poll_interval: 1s
  broken:
    image: appleboy/drone-jenkins
    url: http://HOST
    user: jane
    secrets: [jenkins_token]
    job: broken
    wait: true
    poll_interval: 1s
";

#[test]
fn jobs_of_jenkins_are_started_and_waited_for() {
    let site = site("ci-jenkins");
    let server = Script::start(&site, SERVER, &[]);
    let host = format!("127.0.0.1:{}", server.port());
    let project = Project::new(&[(".drone.yml", &JENKINS.replace("HOST", &host))]);
    let denied = run(&project, &site, "jenkins_token=wrong").expect_code(1);
    assert!(denied.stderr.contains("401"), "{}", denied.stderr);
    let _asked = server.requests();
    let ran = run(&project, &site, "jenkins_token=api-token").expect_code(1);
    for said in [
        "The job `team/deploy it` ended as SUCCESS.",
        "The job `broken` ended as FAILURE.",
    ] {
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
    let asked = server.requests();
    let posts: Vec<_> = asked.iter().filter(|one| one["method"] == "POST").collect();
    assert_eq!(posts.len(), 2, "{asked:#?}");
    assert_eq!(posts[0]["query"]["VERSION"], "1.0 beta&more");
    assert_eq!(posts[0]["query"]["TARGET"], "site");
    assert!(!ran.stderr.contains("api-token"), "{}", ran.stderr);
}
