//! Numbers of a rolling update: `maxSurge`, `maxUnavailable`, and shares of a scale.

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// How a fraction of a pod is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rounding {
    /// To the next whole pod (`maxSurge`).
    Up,
    /// To whole pods that are complete (`maxUnavailable`).
    Down,
}

/// Turns a count or a percentage of `total` into a count; nonsense counts as nothing.
pub(crate) fn resolve(value: &IntOrString, total: i32, rounding: Rounding) -> i32 {
    match value {
        IntOrString::Int(count) => *count,
        IntOrString::String(text) => {
            let Some(percent) = text
                .strip_suffix('%')
                .and_then(|p| p.trim().parse::<i64>().ok())
            else {
                return text.parse().unwrap_or(0);
            };
            let product = percent * i64::from(total);
            let count = match rounding {
                Rounding::Up => product.div_euclid(100) + i64::from(product.rem_euclid(100) > 0),
                Rounding::Down => product.div_euclid(100),
            };
            i32::try_from(count).unwrap_or(i32::MAX)
        }
    }
}

/// How far a rolling update may go above and below the wanted number of pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Pods above the wanted number.
    pub(crate) surge: i32,
    /// Pods below the wanted number.
    pub(crate) unavailable: i32,
}

impl Limits {
    /// Resolves both; when both come to zero one pod may be unavailable, or nothing could move.
    pub(crate) fn resolve(
        surge: Option<&IntOrString>,
        unavailable: Option<&IntOrString>,
        replicas: i32,
    ) -> Self {
        let quarter = IntOrString::String("25%".to_owned());
        let surge = resolve(surge.unwrap_or(&quarter), replicas, Rounding::Up);
        let unavailable = resolve(unavailable.unwrap_or(&quarter), replicas, Rounding::Down);
        let unavailable = if surge == 0 && unavailable == 0 {
            1
        } else {
            unavailable
        };
        Self {
            surge,
            unavailable: unavailable.min(replicas),
        }
    }
}

/// One replica set's share of a change of a whole deployment by `to_add` pods (negative: fewer), of
/// which `added` have been given out: proportional to its size, never beyond what is left.
pub(crate) fn share(size: i32, size_before: i32, size_after: i32, to_add: i32, added: i32) -> i32 {
    if size == 0 || to_add == 0 || to_add == added || size_before == 0 {
        return 0;
    }
    let scaled = f64::from(size) * f64::from(size_after) / f64::from(size_before);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a number of pods is far below 2^31"
    )]
    let fraction = scaled.round() as i32 - size;
    let left = to_add - added;
    if to_add > 0 {
        fraction.min(left)
    } else {
        fraction.max(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(text: &str) -> IntOrString {
        IntOrString::String(text.to_owned())
    }

    #[test]
    fn percentages_round_up_for_surge_and_down_for_unavailable() {
        for (text, total, up, down) in [
            ("25%", 4, 1, 1),
            ("25%", 10, 3, 2),
            ("25%", 1, 1, 0),
            ("0%", 7, 0, 0),
            ("100%", 3, 3, 3),
        ] {
            assert_eq!(
                resolve(&percent(text), total, Rounding::Up),
                up,
                "{text} of {total} up"
            );
            assert_eq!(
                resolve(&percent(text), total, Rounding::Down),
                down,
                "{text} of {total} down"
            );
        }
        assert_eq!(resolve(&IntOrString::Int(2), 10, Rounding::Up), 2);
    }

    #[test]
    fn an_update_can_always_move() {
        let zero = IntOrString::Int(0);
        assert_eq!(
            Limits::resolve(Some(&zero), Some(&zero), 3),
            Limits {
                surge: 0,
                unavailable: 1
            }
        );
        assert_eq!(
            Limits::resolve(None, None, 2),
            Limits {
                surge: 1,
                unavailable: 0
            }
        );
        assert_eq!(
            Limits::resolve(None, Some(&IntOrString::Int(9)), 2).unavailable,
            2
        );
    }

    #[test]
    fn shares_follow_sizes_and_never_exceed_the_rest() {
        // 10 pods become 15 (maxSurge 3: 13 becomes 18): 8 and 5 take 3 and 2.
        assert_eq!(share(8, 13, 18, 5, 0), 3);
        assert_eq!(share(5, 13, 18, 5, 3), 2);
        assert_eq!(share(8, 13, 8, -5, 0), -3);
        assert_eq!(share(5, 13, 8, -5, -4), -1);
    }
}
