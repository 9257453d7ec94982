//! Resource quantities: `500m`, `64Mi`, `1e3`.

use k8s_openapi::api::core::v1::{Container, Pod};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

/// The value in thousandths, rounded up; `None` for what is not a quantity.
pub(crate) fn millis(quantity: &Quantity) -> Option<i128> {
    let text = quantity.0.trim();
    let number_end = text
        .char_indices()
        .find(|(index, c)| !(c.is_ascii_digit() || *c == '.' || (*index == 0 && "+-".contains(*c))))
        .map_or(text.len(), |(index, _)| index);
    let (number, suffix) = text.split_at(number_end);
    let (numerator, denominator) = decimal(number)?;
    let (up, down) = scale(suffix)?;
    let product = numerator.checked_mul(up)?.checked_mul(1000)?;
    let divisor = denominator.checked_mul(down)?;
    Some(product.div_euclid(divisor) + i128::from(product.rem_euclid(divisor) > 0))
}

/// The value in whole units, rounded up.
pub(crate) fn units(quantity: &Quantity) -> Option<i128> {
    let millis = millis(quantity)?;
    Some(millis.div_euclid(1000) + i128::from(millis.rem_euclid(1000) > 0))
}

fn decimal(text: &str) -> Option<(i128, i128)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.trim_start_matches(['+', '-']).is_empty() && fraction.is_empty() {
        return None;
    }
    let denominator = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let joined = format!("{whole}{fraction}");
    Some((joined.parse().ok()?, denominator))
}

/// A suffix as a fraction.
fn scale(suffix: &str) -> Option<(i128, i128)> {
    let binary = |power: u32| Some((1_i128 << (10 * power), 1));
    match suffix {
        "" => Some((1, 1)),
        "n" => Some((1, 1_000_000_000)),
        "u" => Some((1, 1_000_000)),
        "m" => Some((1, 1_000)),
        "k" => Some((1_000, 1)),
        "M" => Some((1_000_000, 1)),
        "G" => Some((1_000_000_000, 1)),
        "T" => Some((1_000_000_000_000, 1)),
        "P" => Some((1_000_000_000_000_000, 1)),
        "E" => Some((1_000_000_000_000_000_000, 1)),
        "Ki" => binary(1),
        "Mi" => binary(2),
        "Gi" => binary(3),
        "Ti" => binary(4),
        "Pi" => binary(5),
        "Ei" => binary(6),
        _ => {
            let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            let power = 10_i128.checked_pow(exponent.unsigned_abs())?;
            Some(if exponent < 0 { (1, power) } else { (power, 1) })
        }
    }
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

/// The quality-of-service class of a pod.
pub(crate) fn qos_class(pod: &Pod) -> &'static str {
    let Some(spec) = pod.spec.as_ref() else {
        return "BestEffort";
    };
    let containers = || {
        spec.containers
            .iter()
            .chain(spec.init_containers.iter().flatten())
    };
    let positive = |quantity: Option<&Quantity>| quantity.and_then(millis).is_some_and(|m| m > 0);
    let names = ["cpu", "memory"];
    if containers().all(|c| names.iter().all(|name| !positive(request(c, name)))) {
        return "BestEffort";
    }
    let guaranteed = containers().all(|container| {
        names.iter().all(|name| {
            let limit = limit(container, name);
            positive(limit) && request(container, name).and_then(millis) == limit.and_then(millis)
        })
    });
    if guaranteed {
        "Guaranteed"
    } else {
        "Burstable"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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

    #[test]
    fn classes_follow_requests_and_limits() {
        let class = |resources: serde_json::Value| {
            let pod = json!({"spec": {"containers": [{"name": "a", "resources": resources}]}});
            qos_class(&serde_json::from_value(pod).unwrap())
        };
        assert_eq!(class(json!({})), "BestEffort");
        assert_eq!(class(json!({"requests": {"cpu": "100m"}})), "Burstable");
        assert_eq!(
            class(json!({"limits": {"cpu": "1", "memory": "1Gi"}})),
            "Guaranteed"
        );
        let uneven = json!({"requests": {"cpu": "1"}, "limits": {"cpu": "2", "memory": "1Gi"}});
        assert_eq!(class(uneven), "Burstable");
    }
}
