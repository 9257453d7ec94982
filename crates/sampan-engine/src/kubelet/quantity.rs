//! What containers ask for of resources, in numbers.

use k8s_openapi::api::core::v1::Container;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::validate;

/// The value in thousandths, rounded up; `None` for what is not a quantity.
pub(crate) fn millis(quantity: &Quantity) -> Option<i128> {
    validate::Quantity::parse(quantity.0.trim()).map(validate::Quantity::millis)
}

/// The value in whole units, rounded up.
pub(crate) fn units(quantity: &Quantity) -> Option<i128> {
    validate::Quantity::parse(quantity.0.trim()).map(validate::Quantity::units)
}

/// A container's limit of a resource.
pub(crate) fn limit<'a>(container: &'a Container, resource: &str) -> Option<&'a Quantity> {
    container.resources.as_ref()?.limits.as_ref()?.get(resource)
}

/// What a container asks for of a resource: its request, else its limit.
pub(crate) fn request<'a>(container: &'a Container, resource: &str) -> Option<&'a Quantity> {
    let resources = container.resources.as_ref()?;
    let requested = resources
        .requests
        .as_ref()
        .and_then(|requests| requests.get(resource));
    requested.or_else(|| limit(container, resource))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_exactly_and_rounded_up() {
        for (text, expected) in [
            ("1", Some(1000)),
            ("500m", Some(500)),
            ("0.1", Some(100)),
            ("1.5", Some(1500)),
            ("64Mi", Some(64 * 1024 * 1024 * 1000)),
            ("1e3", Some(1_000_000)),
            ("1E3", Some(1_000_000)),
            ("1k", Some(1_000_000)),
            ("100u", Some(1)),
            (".5", Some(500)),
            ("", None),
            ("Mi", None),
            ("1x", None),
        ] {
            assert_eq!(millis(&Quantity(text.to_owned())), expected, "{text}");
        }
        assert_eq!(units(&Quantity("1500m".to_owned())), Some(2));
    }
}
