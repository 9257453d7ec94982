//! The indexes of an indexed job's pods, and the text by which the status tells which are done: `0-2,5`.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Pod;

/// The annotation and label that tell a pod its index.
pub(super) const INDEX: &str = "batch.kubernetes.io/job-completion-index";

/// How many indexes are read at most: far more than one machine runs, and they fit into memory.
const MOST: usize = 1 << 20;

/// The index of a pod, if it has one.
pub(super) fn of(pod: &Pod) -> Option<i32> {
    let annotations = pod.metadata.annotations.as_ref()?;
    annotations.get(INDEX)?.parse().ok()
}

/// Reads the text for a job with so many completions. Any client may write a status, so what is no index of the job is
/// left out, and there is an end to what is read.
pub(super) fn parse(text: &str, completions: i32) -> BTreeSet<i32> {
    let mut indexes = BTreeSet::new();
    let mut left = MOST;
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        if let (Ok(first), Ok(last)) = (first.parse::<i32>(), last.parse::<i32>()) {
            let range = first.max(0)..last.saturating_add(1).min(completions);
            let read = range.len().min(left);
            indexes.extend(range.take(read));
            left -= read;
        }
    }
    indexes
}

/// Writes the text.
pub(super) fn text(indexes: &BTreeSet<i32>) -> String {
    let mut ranges: Vec<(i32, i32)> = Vec::new();
    for index in indexes {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *index => *last = *index,
            _ => ranges.push((*index, *index)),
        }
    }
    let parts: Vec<String> = ranges
        .into_iter()
        .map(|(first, last)| match last - first {
            0 => first.to_string(),
            1 => format!("{first},{last}"),
            _ => format!("{first}-{last}"),
        })
        .collect();
    parts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_written_as_ranges() {
        for (indexes, expected) in [
            (vec![], ""),
            (vec![3], "3"),
            (vec![0, 1, 2, 5, 7, 8], "0-2,5,7,8"),
        ] {
            let indexes: BTreeSet<i32> = indexes.into_iter().collect();
            assert_eq!(text(&indexes), expected);
            assert_eq!(parse(expected, 9), indexes);
        }
    }

    #[test]
    fn what_a_status_says_of_other_indexes_is_not_believed() {
        let indexes = parse("-3-1,x,2-2147483647,0-2147483647,5-4", 4);
        assert_eq!(indexes.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3]);
        let all = "0-2147483647,".repeat(3);
        assert_eq!(parse(&all, i32::MAX).len(), MOST);
    }
}
