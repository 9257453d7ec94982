//! Mails of pipelines: SMTP (RFC 5321), with TLS from the beginning or by STARTTLS (RFC 3207), and AUTH PLAIN (RFC 4616).

mod message;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::ServerName;
use sampan_model::Hint;
use sampan_pipeline::run::{Login, Mail, PortError};
use sampan_registry::client::{Client, ClientError, is_loopback};
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufStream,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::PipelinePorts;

/// The port at which servers speak TLS from the beginning (RFC 8314).
const TLS_PORT: u16 = 465;
/// How long sending may take altogether.
const PATIENCE: Duration = Duration::from_mins(2);
/// The longest line of an answer.
const LIMIT_LINE: u64 = 4_096;
/// The most lines of an answer.
const LIMIT_LINES: usize = 100;

/// Why a mail is not sent.
#[derive(Debug, thiserror::Error)]
enum MailError {
    #[error("cannot reach the mail server `{host}`")]
    Connection {
        host: String,
        #[source]
        source: io::Error,
    },
    #[error("the mail server `{host}` takes too long")]
    Late { host: String },
    #[error("the mail server `{host}` refuses {what}: {answer}")]
    Refused {
        host: String,
        what: &'static str,
        answer: String,
    },
    #[error("`{0}` is no address of a mail")]
    Address(String),
    #[error(
        "the mail server `{host}` offers no TLS, and the password would be readable on the way"
    )]
    Readable { host: String },
    #[error(transparent)]
    Tls(#[from] ClientError),
}

impl Hint for MailError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Readable { .. } => {
                Some("use a port with TLS, or leave the account out".to_owned())
            }
            Self::Tls(error) => error.hint(),
            Self::Connection { .. }
            | Self::Late { .. }
            | Self::Refused { .. }
            | Self::Address(_) => None,
        }
    }
}

impl PipelinePorts<'_> {
    /// Sends a mail through the server that the pipeline names.
    pub(super) fn post(&self, mail: &Mail) -> Result<(), PortError> {
        let mut client = Client::new(self.settings.clone());
        if mail.insecure {
            client = client.without_verifying(&mail.host);
        }
        self.ask(async {
            let sent = tokio::time::timeout(PATIENCE, send(mail, &client));
            sent.await.unwrap_or_else(|_| {
                Err(MailError::Late {
                    host: mail.host.clone(),
                })
            })
        })
    }
}

async fn send(mail: &Mail, client: &Client) -> Result<(), MailError> {
    let text = message::text(mail)?;
    let host = &mail.host;
    let connection = |source| MailError::Connection {
        host: host.clone(),
        source,
    };
    let stream = TcpStream::connect((host.as_str(), mail.port)).await;
    let stream = stream.map_err(connection)?;
    if mail.port == TLS_PORT {
        let stream = secured(stream, host, client).await?;
        let mut talk = Talk::new(stream, host);
        talk.expect("220", "the connection").await?;
        let offers = talk.greet().await?;
        return talk.deliver(mail, &text, &offers, true).await;
    }
    let mut talk = Talk::new(stream, host);
    talk.expect("220", "the connection").await?;
    let offers = talk.greet().await?;
    if !offers
        .iter()
        .any(|offer| offer.eq_ignore_ascii_case("STARTTLS"))
    {
        return talk.deliver(mail, &text, &offers, is_loopback(host)).await;
    }
    talk.ask("STARTTLS", "220", "TLS").await?;
    let stream = secured(talk.stream.into_inner(), host, client).await?;
    let mut talk = Talk::new(stream, host);
    // What was said before may have been somebody else's word.
    let offers = talk.greet().await?;
    talk.deliver(mail, &text, &offers, true).await
}

async fn secured(
    stream: TcpStream,
    host: &str,
    client: &Client,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, MailError> {
    let connection = |source| MailError::Connection {
        host: host.to_owned(),
        source,
    };
    let name = ServerName::try_from(host.to_owned());
    let name = name.map_err(|error| connection(io::Error::other(error)))?;
    let connector = TlsConnector::from(Arc::new(client.tls(host)?));
    connector.connect(name, stream).await.map_err(connection)
}

/// A conversation with a server.
struct Talk<'a, S: AsyncRead + AsyncWrite> {
    stream: BufStream<S>,
    host: &'a str,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Talk<'a, S> {
    fn new(stream: S, host: &'a str) -> Self {
        Self {
            stream: BufStream::new(stream),
            host,
        }
    }

    /// Says who is there; what the server offers.
    async fn greet(&mut self) -> Result<Vec<String>, MailError> {
        let lines = self.ask("EHLO sampan", "250", "the greeting").await?;
        Ok(lines.into_iter().skip(1).collect())
    }

    async fn deliver(
        mut self,
        mail: &Mail,
        text: &str,
        offers: &[String],
        private: bool,
    ) -> Result<(), MailError> {
        if let Some(login) = &mail.login {
            self.log_in(login, offers, private).await?;
        }
        let from = message::address(&mail.from)?;
        self.ask(&format!("MAIL FROM:<{from}>"), "250", "the sender")
            .await?;
        for to in &mail.to {
            let to = message::address(to)?;
            self.ask(&format!("RCPT TO:<{to}>"), "25", "a receiver")
                .await?;
        }
        self.ask("DATA", "354", "the mail").await?;
        // A line that begins with a dot gets another one (RFC 5321, section 4.5.2).
        let body = text.replace("\r\n.", "\r\n..");
        self.ask(&format!("{body}\r\n."), "250", "the mail").await?;
        // It has the mail, whatever it says now.
        drop(self.ask("QUIT", "221", "the end").await);
        Ok(())
    }

    async fn log_in(
        &mut self,
        login: &Login,
        offers: &[String],
        private: bool,
    ) -> Result<(), MailError> {
        if !private {
            return Err(MailError::Readable {
                host: self.host.to_owned(),
            });
        }
        let auth = offers.iter().find(|offer| {
            let word = offer.split([' ', '=']).next().unwrap_or_default();
            word.eq_ignore_ascii_case("AUTH")
        });
        let offers = |kind: &str| auth.is_some_and(|offer| offer.to_uppercase().contains(kind));
        if !offers("PLAIN") && offers("LOGIN") {
            self.ask("AUTH LOGIN", "334", "the account").await?;
            let name = STANDARD.encode(&login.username);
            self.ask(&name, "334", "the account").await?;
            let password = STANDARD.encode(&login.password);
            self.ask(&password, "235", "the password").await?;
            return Ok(());
        }
        let plain = STANDARD.encode(format!("\0{}\0{}", login.username, login.password));
        let line = format!("AUTH PLAIN {plain}");
        self.ask(&line, "235", "the account and its password")
            .await?;
        Ok(())
    }

    async fn ask(
        &mut self,
        line: &str,
        wanted: &str,
        what: &'static str,
    ) -> Result<Vec<String>, MailError> {
        let sent = async {
            self.stream.write_all(line.as_bytes()).await?;
            self.stream.write_all(b"\r\n").await?;
            self.stream.flush().await
        };
        sent.await.map_err(|source| MailError::Connection {
            host: self.host.to_owned(),
            source,
        })?;
        self.expect(wanted, what).await
    }

    /// Reads an answer; its lines without their codes.
    async fn expect(&mut self, wanted: &str, what: &'static str) -> Result<Vec<String>, MailError> {
        let host = self.host.to_owned();
        let mut lines = Vec::new();
        let code = loop {
            let mut line = String::new();
            let read = (&mut self.stream)
                .take(LIMIT_LINE)
                .read_line(&mut line)
                .await;
            read.map_err(|source| MailError::Connection {
                host: host.clone(),
                source,
            })?;
            let line = line.trim_end();
            lines.push(line.get(4..).unwrap_or_default().to_owned());
            let goes_on = line.as_bytes().get(3) == Some(&b'-');
            if !goes_on || lines.len() > LIMIT_LINES {
                break line.get(..3).unwrap_or_default().to_owned();
            }
        };
        if !code.is_empty() && code.starts_with(wanted) {
            return Ok(lines);
        }
        let answer = if code.is_empty() {
            "it says nothing".to_owned()
        } else {
            format!("{code} {}", lines.join(" "))
        };
        Err(MailError::Refused { host, what, answer })
    }
}
