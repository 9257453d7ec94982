//! A mail server with TLS and accounts.

use sampan_testkit::Script;

use crate::fixture::Project;
use crate::site;

/// A mail server that takes mails only over TLS and from whom it knows.
const MAIL: &str = r"
import asyncio, email, email.policy, json, socket, ssl, subprocess, sys
from aiosmtpd.smtp import SMTP, AuthResult

folder = sys.argv[1]


class Handler:
    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        body = mail.get_body(('html',))
        files = {part.get_filename(): part.get_content().decode() for part in mail.iter_attachments()}
        told = {'from': envelope.mail_from, 'to': envelope.rcpt_tos, 'subject': mail['subject'], 'sender': mail['from'],
                'html': body.get_content(), 'files': files, 'tls': session.ssl is not None,
                'login': session.auth_data.login.decode() if session.auth_data else None,
                'defects': [str(defect) for defect in mail.defects], 'date': str(mail['date'].datetime)}
        with open(folder + '/requests', 'a') as file:
            file.write(json.dumps(told) + '\n')
        return '250 taken'

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith('nobody@'):
            return '550 no such mailbox'
        envelope.rcpt_tos.append(address)
        return '250 OK'


def known(server, session, envelope, mechanism, data):
    if mechanism in MECHANISMS and data.login == b'robot' and data.password == b'pass word':
        return AuthResult(success=True, auth_data=data)
    return AuthResult(success=False, handled=False)


MECHANISMS = [name for name in ('PLAIN', 'LOGIN') if name in sys.argv] or ['PLAIN', 'LOGIN']
excluded = [name for name in ('PLAIN', 'LOGIN') if name not in MECHANISMS]
options = {}
if 'open' not in sys.argv:
    made = ['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=nobody']
    subprocess.run(made + ['-keyout', folder + '/key', '-out', folder + '/cert'], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder + '/cert', folder + '/key')
    options = {'tls_context': context, 'require_starttls': True, 'auth_required': True, 'authenticator': known,
               'auth_exclude_mechanism': excluded}


async def serve():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Handler(), **options), '127.0.0.1', 0)
    with open(folder + '/port', 'w') as file:
        file.write(f'{server.sockets[0].getsockname()[1]}\n')
    await server.serve_forever()

asyncio.run(serve())
";

const LETTER: &str = "\
pipeline:
  mail:
    image: drillster/drone-email
    host: 127.0.0.1
    port: PORT
    from: robot@shop.example
    from_name: Der Röbi
    secrets: [email_username, email_password]
    skip_verify: SKIP
    recipients: [RECEIVER]
    subject: 'Größe: {{ build.status }} of {{ repo.name }}'
    body: '<p>{{ commit.message }}</p>'
    attachment: report.txt
";

#[test]
fn mails_are_sent_over_tls_by_who_is_known() {
    let site = site("ci-mail");
    let server = Script::start(&site, MAIL, &["PLAIN"]);
    let fill = |port: u16, skip: &str, receiver: &str| {
        LETTER
            .replace("PORT", &port.to_string())
            .replace("SKIP", skip)
            .replace("RECEIVER", receiver)
    };
    let letter = fill(server.port(), "true", "boss@shop.example");
    let project = Project::new(&[(".drone.yml", &letter), ("report.txt", "all\n.\nwell\n")]);
    let send = |password: &str| {
        let password = format!("email_password={password}");
        let secrets = [
            "run",
            "--secret",
            "email_username=robot",
            "--secret",
            &password,
        ];
        project.ci(&site, &secrets)
    };
    let _sent = send("pass word").expect_code(0);
    let mails = server.requests();
    // Each receiver gets a mail of its own: who was named, and the author.
    let receivers: Vec<_> = mails.iter().map(|mail| &mail["to"][0]).collect();
    assert_eq!(receivers, ["boss@shop.example", "anna@shop.example"]);
    let mail = &mails[0];
    assert_eq!(mail["from"], "robot@shop.example");
    assert_eq!(mail["sender"], "Der Röbi <robot@shop.example>");
    assert_eq!(mail["subject"], "Größe: success of shop");
    assert_eq!(mail["html"], "<p>Begin the shop</p>");
    assert_eq!(mail["files"]["report.txt"], "all\n.\nwell\n");
    assert_eq!(mail["tls"], true);
    assert_eq!(mail["login"], "robot");
    assert_eq!(mail["defects"], serde_json::json!([]));

    let refused = send("wrong").expect_code(1);
    assert!(refused.stderr.contains("535"), "{}", refused.stderr);
    project.write(
        ".drone.yml",
        &fill(server.port(), "false", "boss@shop.example"),
    );
    let strict = send("pass word").expect_code(1);
    assert!(strict.stderr.contains("certificate"), "{}", strict.stderr);
    project.write(
        ".drone.yml",
        &fill(server.port(), "true", "nobody@shop.example"),
    );
    let unknown = send("pass word").expect_code(1);
    assert!(
        unknown.stderr.contains("no such mailbox"),
        "{}",
        unknown.stderr
    );
    assert!(server.requests().is_empty());

    // Another way to log in, and a server without accounts and TLS.
    let other = Script::start(&site, MAIL, &["LOGIN"]);
    project.write(
        ".drone.yml",
        &fill(other.port(), "true", "boss@shop.example"),
    );
    let _sent = send("pass word").expect_code(0);
    assert_eq!(other.requests().len(), 2);
    let open = Script::start(&site, MAIL, &["open"]);
    let plain = fill(open.port(), "false", "boss@shop.example");
    let plain = plain.replace("    secrets: [email_username, email_password]\n", "");
    project.write(".drone.yml", &plain);
    let _sent = project.ci(&site, &["run"]).expect_code(0);
    assert_eq!(open.requests().len(), 2);
}
