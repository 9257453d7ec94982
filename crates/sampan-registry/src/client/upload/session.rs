//! What a registry has opened for an upload: where it goes on, how far it has come, or that there is none to be made.

use http::header::{LOCATION, RANGE};
use http::{HeaderName, Method, StatusCode};
use reqwest::{Response, Url};

use super::super::error::ClientError;
use super::super::repository::text;
use super::Upload;

const SMALLEST_CHUNK: HeaderName = HeaderName::from_static("oci-chunk-min-length");

/// An upload that the registry has opened.
pub(super) struct Session {
    pub(super) location: Url,
    /// How many bytes the registry has.
    pub(super) offset: u64,
    pub(super) smallest_chunk: u64,
}

pub(super) enum Opened {
    Mounted,
    Session(Session),
}

impl Upload<'_> {
    /// Gives an upload up that cannot become what it should. A registry that does not listen forgets it some day.
    pub(super) async fn cancel(&self, session: &Session) {
        if session.location.origin() != self.target.url("").origin() {
            return;
        }
        let call = self.target.call(Method::DELETE, session.location.clone());
        if let Err(error) = self.target.send(&call).await {
            tracing::debug!(%error, "an upload cannot be given up");
        }
    }

    /// Asks the registry to take the blob from a repository of its own; from one that it knows itself where none is
    /// known here. Either way it may open an upload instead.
    pub(super) async fn mount(&self, known: &[String]) -> Result<Opened, ClientError> {
        for from in known.iter().map(Some).chain([None]) {
            let mut url = self.target.url("blobs/uploads/");
            let mut call = {
                let mut query = url.query_pairs_mut();
                query.append_pair("mount", &self.digest.to_string());
                if let Some(from) = from {
                    query.append_pair("from", from);
                }
                drop(query);
                self.target.call(Method::POST, url)
            };
            if let Some(from) = from {
                call.scopes = call.scopes.and_pull(from);
            }
            let response = self.target.send(&call).await;
            match response {
                Ok(response) if response.status() == StatusCode::CREATED => {
                    return Ok(Opened::Mounted);
                }
                Ok(response) if response.status() == StatusCode::ACCEPTED => {
                    return self.opened(&response).map(Opened::Session);
                }
                // Whoever may not read the other repository, or a registry that knows no mounts. Its token authority
                // may not know that repository either.
                Ok(_)
                | Err(
                    ClientError::Unauthorized { .. }
                    | ClientError::Denied { .. }
                    | ClientError::Refused { .. },
                ) => {}
                Err(error) => return Err(error),
            }
        }
        self.begin().await.map(Opened::Session)
    }

    pub(super) async fn begin(&self) -> Result<Session, ClientError> {
        let url = self.target.url("blobs/uploads/");
        let response = self
            .target
            .send(&self.target.call(Method::POST, url))
            .await?;
        if response.status() != StatusCode::ACCEPTED {
            return Err(self.refusal(response).await);
        }
        self.opened(&response)
    }

    fn opened(&self, response: &Response) -> Result<Session, ClientError> {
        let smallest = text(response, &SMALLEST_CHUNK).and_then(|text| text.parse().ok());
        Ok(Session {
            location: self.location(response)?,
            offset: 0,
            smallest_chunk: smallest.unwrap_or_default(),
        })
    }

    /// Where the upload goes on.
    pub(super) fn location(&self, response: &Response) -> Result<Url, ClientError> {
        let location = text(response, &LOCATION).unwrap_or_default();
        next_place(response.url(), &location).map_err(|what| ClientError::Malformed {
            host: self.target.host().to_owned(),
            action: "an upload".to_owned(),
            what: what.to_owned(),
        })
    }

    /// Where the registry says that the upload stands; `None` when it must begin again.
    pub(super) async fn status(&self, session: &Session) -> Result<Option<Session>, ClientError> {
        if session.location.origin() != self.target.url("").origin() {
            return Ok(None);
        }
        let call = self.target.call(Method::GET, session.location.clone());
        let response = self.target.send(&call).await?;
        if !response.status().is_success() {
            return Ok(None);
        }
        // `0-0` stands for one byte, and with many registries for none.
        let range = text(&response, &RANGE);
        let last = range.and_then(|range| range.rsplit_once('-')?.1.trim().parse::<u64>().ok());
        let Some(last) = last.filter(|last| *last > 0 && *last < self.size) else {
            return Ok(None);
        };
        let location = self.location(&response).unwrap_or(session.location.clone());
        Ok(Some(Session {
            location,
            offset: last + 1,
            smallest_chunk: session.smallest_chunk,
        }))
    }
}

/// The place that the answer from `own` names. A registry behind a proxy may not know that it is spoken to with TLS;
/// any other place without TLS must not get what goes to a registry that has it.
fn next_place(own: &Url, location: &str) -> Result<Url, &'static str> {
    let joined = (!location.is_empty()).then(|| own.join(location).ok());
    let mut url = joined.flatten().ok_or("no place to send it to")?;
    if own.scheme() == "https" && url.scheme() != "https" {
        if url.host_str() != own.host_str() {
            return Err("a place without TLS");
        }
        let port = own.port();
        // Both schemes take ports and hosts alike.
        let changed = url.set_scheme("https").and_then(|()| url.set_port(port));
        changed.map_err(|()| "a place without TLS")?;
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_does_not_leave_tls() {
        let next = |own: &str, location: &str| {
            let found = next_place(&own.parse().unwrap(), location);
            found.map(|url| url.to_string())
        };
        let own = "https://registry.example:5000/v2/web/blobs/uploads/";
        let good = "https://registry.example:5000/v2/web/blobs/uploads/1";
        assert_eq!(next(own, "1").unwrap(), good);
        let behind_a_proxy = "http://registry.example/v2/web/blobs/uploads/1";
        assert_eq!(next(own, behind_a_proxy).unwrap(), good);
        assert_eq!(
            next(own, "https://cdn.example/1").unwrap(),
            "https://cdn.example/1"
        );
        next(own, "http://cdn.example/1").unwrap_err();
        next(own, "").unwrap_err();
        next("http://registry.example/", "http://cdn.example/1").unwrap();
    }
}
