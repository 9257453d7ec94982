//! `/v2/<name>/manifests/<tag or digest>`.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, Response, StatusCode};

use super::body::Body;
use super::call::Call;
use super::payload::Payload;
use super::render;
use crate::error::Error;
use crate::registry::NewManifest;
use crate::wire::name::{ManifestName, ManifestNameError, RepositoryName};

/// The most tags of one push. The specification wants ten or more.
const MOST_TAGS: usize = 64;

/// Answers a request about a manifest.
pub(super) async fn answer(
    call: &Call<'_>,
    repository: &RepositoryName,
    name: &str,
    payload: &mut Payload<'_>,
) -> Result<Response<Body>, Error> {
    match call.method {
        Method::PUT => put(call, repository, name, payload).await,
        Method::DELETE => {
            let name = existing(name)?;
            let actor = call.grant.actor.to_string();
            call.registry
                .delete_manifest(repository, &name, &actor)
                .await?;
            Ok(render::empty(StatusCode::ACCEPTED))
        }
        _ => get(call, repository, name).await,
    }
}

async fn get(
    call: &Call<'_>,
    repository: &RepositoryName,
    name: &str,
) -> Result<Response<Body>, Error> {
    let name = existing(name)?;
    let row = match call.mirror(repository) {
        Some(mirror) => mirror.manifest(&name).await?,
        None => call.registry.manifest(repository, &name).await?,
    };
    let describe = |headers: &mut HeaderMap| {
        render::content(headers, &row.media_type, &row.digest);
    };
    if render::unchanged(&call.headers, &row.digest) {
        let mut response = render::empty(StatusCode::NOT_MODIFIED);
        describe(response.headers_mut());
        return Ok(response);
    }
    if call.head_only() {
        let mut response = render::empty(StatusCode::OK);
        describe(response.headers_mut());
        render::length(response.headers_mut(), row.size_bytes);
        return Ok(response);
    }
    let reader = call.registry.manifest_bytes(&row).await?;
    let mut response = Response::new(Body::blob(reader));
    describe(response.headers_mut());
    Ok(response)
}

async fn put(
    call: &Call<'_>,
    repository: &RepositoryName,
    name: &str,
    payload: &mut Payload<'_>,
) -> Result<Response<Body>, Error> {
    let name: ManifestName = name.parse()?;
    let tags = tags(call, &name)?;
    let limit_bytes = call.config.limits.manifest_bytes;
    let whole = payload.collect_whole(limit_bytes, call.places).await?;
    let whole = whole.ok_or(Error::ManifestTooLarge { limit_bytes })?;
    let new = NewManifest {
        repository: repository.clone(),
        name,
        tags,
        content_type: call.header(&CONTENT_TYPE).map(str::to_owned),
        bytes: whole.bytes.clone(),
        replaces: true,
        is_whole: true,
        actor: call.grant.actor.to_string(),
    };
    let tagged = matches!(new.name, ManifestName::Digest(_));
    let pushed = call.registry.push_manifest(new).await?;
    let digest = pushed.digest.to_string();
    let location = format!("/v2/{repository}/manifests/{digest}");
    let mut response = render::created(&location, &digest);
    let headers = response.headers_mut();
    if let Some(subject) = pushed.subject {
        headers.insert(render::SUBJECT, render::header(&subject.to_string()));
    }
    for tag in pushed.tags.iter().filter(|_| tagged) {
        headers.append(render::TAG, render::header(tag));
    }
    Ok(response)
}

/// The tags that a push by digest asks for.
fn tags(call: &Call<'_>, name: &ManifestName) -> Result<Vec<String>, Error> {
    if matches!(name, ManifestName::Tag(_)) {
        return Ok(Vec::new());
    }
    if call.query.all("tag").nth(MOST_TAGS).is_some() {
        return Err(Error::TooManyTags { limit: MOST_TAGS });
    }
    let tags = call.query.all("tag").map(|tag| match tag.parse()? {
        ManifestName::Tag(tag) => Ok(tag),
        ManifestName::Digest(_) => Err(ManifestNameError::Tag {
            text: tag.to_owned(),
        }
        .into()),
    });
    tags.collect()
}

/// A name that a manifest may have: what cannot be a tag names none.
fn existing(name: &str) -> Result<ManifestName, Error> {
    match name.parse() {
        Err(ManifestNameError::Tag { text }) => Err(Error::ManifestUnknown { name: text }),
        Err(error) => Err(error.into()),
        Ok(name) => Ok(name),
    }
}
