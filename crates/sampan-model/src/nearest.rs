//! "Did you mean": the known name that a mistyped one most likely stands for.

/// The candidate that is closest to `name`, when one is close enough to be a likely slip.
#[must_use]
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = name.chars().count();
    let longest_distance = match length {
        0..=2 => 1,
        3..=5 => 2,
        _ => 3,
    };
    let lower = name.to_lowercase();
    candidates
        .into_iter()
        // The distance is not less than what one is longer than the other.
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= longest_distance)
        .map(|candidate| (distance(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| {
            *distance <= longest_distance && *distance < candidate.chars().count().max(1)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The number of insertions, deletions, replacements and swaps of neighbours that lead from one text to the other
/// (optimal string alignment).
fn distance(from: &str, to: &str) -> usize {
    // Long names are no slips of the finger, and the work grows with the product of the lengths.
    const LONGEST: usize = 64;
    let from: Vec<char> = from.chars().take(LONGEST).collect();
    let to: Vec<char> = to.chars().take(LONGEST).collect();
    let mut rows: Vec<Vec<usize>> = vec![(0..=to.len()).collect()];
    for (i, left) in from.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, right) in to.iter().enumerate() {
            let replace = rows[i][j] + usize::from(left != right);
            let mut best = replace.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *left == to[j - 1] && from[i - 1] == *right {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_the_likely_slip() {
        let known = ["replicas", "host", "image"];
        assert_eq!(nearest("replica", known), Some("replicas"));
        assert_eq!(nearest("hsot", known), Some("host"));
        assert_eq!(nearest("Image", known), Some("image"));
    }

    #[test]
    fn stays_silent_when_nothing_is_close() {
        assert_eq!(nearest("timeout", ["replicas", "host"]), None);
        assert_eq!(nearest("x", ["y"]), None);
        assert_eq!(nearest("", ["host"]), None);
    }
}
