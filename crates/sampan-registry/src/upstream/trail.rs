//! By way of which servers a question comes: servers that fetch from each other would ask in a circle for what none has.

use http::{HeaderMap, HeaderValue};

use crate::client::TRAIL;

/// How many servers may stand in a row.
const LIMIT: usize = 8;

/// The servers that a question has come by.
#[derive(Debug)]
pub(super) struct Trail<'request>(Vec<&'request str>);

impl<'request> Trail<'request> {
    /// What the request says.
    pub(super) fn of(headers: &'request HeaderMap) -> Self {
        let values = headers.get_all(TRAIL).iter();
        let texts = values.filter_map(|value| value.to_str().ok());
        let ids = texts.flat_map(|text| text.split(',')).map(str::trim);
        Self(ids.filter(|id| !id.is_empty()).take(LIMIT).collect())
    }

    /// The same, gone on by way of the server `id`; nothing when it has been there or has come too far.
    pub(super) fn through(mut self, id: &'request str) -> Option<HeaderValue> {
        if self.0.len() >= LIMIT || self.0.contains(&id) {
            return None;
        }
        self.0.push(id);
        HeaderValue::from_str(&self.0.join(", ")).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trail_ends_where_it_has_been() {
        let mut headers = HeaderMap::new();
        let first = Trail::of(&headers).through("a").unwrap();
        assert_eq!(first, "a");
        headers.insert(TRAIL, first);
        assert!(Trail::of(&headers).through("a").is_none());
        let second = Trail::of(&headers).through("b").unwrap();
        assert_eq!(second, "a, b");
        headers.insert(TRAIL, HeaderValue::from_static("1,2,3,4,5,6,7,8"));
        assert!(Trail::of(&headers).through("a").is_none());
    }
}
