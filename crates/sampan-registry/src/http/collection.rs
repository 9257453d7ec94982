//! `/api/registry/collection`.

use http::Response;

use super::body::Body;
use super::call::Call;
use super::render;
use crate::collect::{Housekeeper, Options};
use crate::config::duration;
use crate::error::Error;

/// Has a collection carried out, or tells what one would take away.
pub(super) async fn order(
    call: &Call<'_>,
    housekeeper: &Housekeeper,
) -> Result<Response<Body>, Error> {
    let grace = call.query.get("grace").map(|text| {
        duration::parse(text).map_err(|_| Error::Parameter {
            name: "grace",
            value: text.to_owned(),
        })
    });
    let dry_run = match call.query.get("dryRun") {
        None | Some("false") => false,
        Some("true") => true,
        Some(text) => {
            return Err(Error::Parameter {
                name: "dryRun",
                value: text.to_owned(),
            });
        }
    };
    let options = Options {
        dry_run,
        grace: grace.transpose()?,
    };
    let report = housekeeper.collect(options).await?;
    Ok(render::json("application/json", &report))
}
