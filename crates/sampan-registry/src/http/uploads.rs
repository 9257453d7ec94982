//! `/v2/<name>/blobs/uploads/` and what lies below it.

use std::pin::pin;
use std::sync::Arc;

use http::header::{CONTENT_RANGE, LOCATION, RANGE};
use http::{Method, Response, StatusCode};
use sampan_oci::Digest;
use sampan_oci::digest::Algorithm;

use super::body::Body;
use super::call::Call;
use super::payload::Payload;
use super::render;
use crate::auth::Action;
use crate::error::Error;
use crate::registry::{Held, Session, Whole};
use crate::wire::name::RepositoryName;
use crate::wire::range::ChunkRange;

/// Begins an upload, takes a whole blob, or mounts one.
pub(super) async fn start(
    call: &Call<'_>,
    repository: &RepositoryName,
    payload: &mut Payload<'_>,
) -> Result<Response<Body>, Error> {
    if let Some(digest) = call.digest("mount")?
        && mounted(call, repository, &digest).await?
    {
        return Ok(created(repository, &digest));
    }
    let digest = call.digest("digest")?;
    let algorithm = match digest {
        Some(digest) => digest.algorithm(),
        None => algorithm(call)?,
    };
    let session = call.registry.start_upload(repository, algorithm).await?;
    let Some(digest) = digest else {
        let mut response = progress(&session, StatusCode::ACCEPTED);
        let minimum = call.config.limits.minimum_chunk_bytes;
        if minimum > 0 {
            let headers = response.headers_mut();
            headers.insert(render::CHUNK_MIN_LENGTH, minimum.into());
        }
        return Ok(response);
    };
    let held = session.hold().await?;
    // Nobody knows the upload, so nobody will go on with it.
    let fleeting = call.registry.fleeting(&session);
    let taken = finish(call, &session, held, digest, payload).await;
    fleeting.end().await;
    taken
}

/// Answers a request about an upload.
pub(super) async fn answer(
    call: &Call<'_>,
    repository: &RepositoryName,
    id: &str,
    payload: &mut Payload<'_>,
) -> Result<Response<Body>, Error> {
    let session = call.registry.upload(repository, id).await?;
    match call.method {
        Method::PATCH => {
            let held = session.hold().await?;
            drop(append(call, &session, held, None, payload).await?);
            Ok(progress(&session, StatusCode::ACCEPTED))
        }
        Method::PUT => {
            let digest = call.digest("digest")?.ok_or_else(|| Error::Parameter {
                name: "digest",
                value: String::new(),
            })?;
            let held = session.hold().await?;
            finish(call, &session, held, digest, payload).await
        }
        Method::DELETE => {
            call.registry.cancel(&session).await?;
            Ok(render::empty(StatusCode::NO_CONTENT))
        }
        _ => {
            session.settle().await?;
            Ok(progress(&session, StatusCode::NO_CONTENT))
        }
    }
}

/// Takes the last bytes of an upload and makes it a blob.
async fn finish(
    call: &Call<'_>,
    session: &Arc<Session>,
    held: Held,
    digest: Digest,
    payload: &mut Payload<'_>,
) -> Result<Response<Body>, Error> {
    let mark = held.mark();
    let held = append(call, session, held, Some(&digest), payload).await?;
    let whole = Whole { held, mark };
    call.registry.finish_upload(session, whole, digest).await?;
    Ok(created(session.repository(), &digest))
}

async fn append(
    call: &Call<'_>,
    session: &Session,
    held: Held,
    digest: Option<&Digest>,
    payload: &mut Payload<'_>,
) -> Result<Held, Error> {
    let chunk = match call.header(&CONTENT_RANGE) {
        None => None,
        Some(header) => Some(
            ChunkRange::parse(header).ok_or_else(|| Error::ContentRange {
                header: header.to_owned(),
            })?,
        ),
    };
    if let (Some(chunk), Some(announced)) = (chunk, payload.announced_bytes())
        && chunk.length() != announced
    {
        return Err(Error::Length {
            expected_bytes: chunk.length(),
            actual_bytes: announced,
        });
    }
    let bytes = pin!(payload.stream());
    call.registry
        .append(session, held, chunk, digest, bytes)
        .await
}

/// Mounts a blob from where the request says, or from anywhere that the caller may read.
async fn mounted(
    call: &Call<'_>,
    repository: &RepositoryName,
    digest: &Digest,
) -> Result<bool, Error> {
    let holders = match call.query.get("from") {
        Some(from) => vec![from.to_owned()],
        None => call.registry.holders(digest).await?,
    };
    for holder in holders {
        // A name that none can have holds nothing.
        let Ok(holder) = holder.parse::<RepositoryName>() else {
            continue;
        };
        if call.grant.allows(Action::Pull, holder.as_str())
            && call.registry.mount(repository, digest, &holder).await?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn algorithm(call: &Call<'_>) -> Result<Algorithm, Error> {
    let Some(name) = call.query.get("digest-algorithm") else {
        return Ok(Algorithm::Sha256);
    };
    let mut all = Algorithm::all().into_iter();
    all.find(|algorithm| algorithm.name() == name)
        .ok_or_else(|| Error::Parameter {
            name: "digest-algorithm",
            value: name.to_owned(),
        })
}

fn created(repository: &RepositoryName, digest: &Digest) -> Response<Body> {
    let location = format!("/v2/{repository}/blobs/{digest}");
    render::created(&location, &digest.to_string())
}

fn progress(session: &Session, status: StatusCode) -> Response<Body> {
    let mut response = render::empty(status);
    let headers = response.headers_mut();
    headers.insert(LOCATION, render::header(&session.location()));
    let uploaded = render::uploaded(session.length_bytes());
    headers.insert(RANGE, render::header(&uploaded));
    headers.insert(render::UPLOAD_ID, render::header(&session.id()));
    response
}
