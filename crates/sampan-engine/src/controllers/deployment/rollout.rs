//! How many pods each replica set gets: scaling, rolling update, recreate. Numbers only.

use crate::controllers::proportion::{self, Limits};

/// What the arithmetic needs to know of one replica set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Set {
    /// Wanted pods.
    pub(crate) replicas: i32,
    /// Pods that are available.
    pub(crate) available: i32,
    /// Whether it carries the deployment's template.
    pub(crate) new: bool,
    /// Size (surge included) of the deployment when this set was last scaled.
    pub(crate) max_before: Option<i32>,
}

fn total(sets: &[Set]) -> i32 {
    sets.iter().map(|set| set.replicas).sum()
}

fn newest(sets: &[Set]) -> Option<usize> {
    sets.iter().position(|set| set.new)
}

/// One step of a rolling update on `sets`, ordered from the oldest; tells whether anything moved.
pub(crate) fn roll(sets: &mut [Set], replicas: i32, limits: Limits) -> bool {
    let before: Vec<i32> = sets.iter().map(|set| set.replicas).collect();
    grow_new(sets, replicas, limits);
    let moved = |sets: &[Set]| {
        sets.iter()
            .zip(&before)
            .any(|(set, old)| set.replicas != *old)
    };
    if moved(sets) {
        return true;
    }
    shrink_old(sets, replicas, limits);
    moved(sets)
}

fn grow_new(sets: &mut [Set], replicas: i32, limits: Limits) {
    let room = replicas + limits.surge - total(sets);
    if let Some(new) = sets.iter_mut().find(|set| set.new) {
        if new.replicas > replicas {
            new.replicas = replicas;
        } else if room > 0 {
            new.replicas += room.min(replicas - new.replicas);
        }
    }
}

fn shrink_old(sets: &mut [Set], replicas: i32, limits: Limits) {
    let minimum = replicas - limits.unavailable;
    let new_unavailable = newest(sets).map_or(0, |i| sets[i].replicas - sets[i].available);
    let mut removable = total(sets) - minimum - new_unavailable;
    if removable <= 0 {
        return;
    }
    // Pods that serve nobody go first, and do not count against availability.
    for set in sets.iter_mut().filter(|set| !set.new) {
        let broken = (set.replicas - set.available).clamp(0, removable.max(0));
        set.replicas -= broken;
        removable -= broken;
    }
    let available: i32 = sets.iter().map(|set| set.available).sum();
    let mut removable = (available - minimum).max(0);
    for set in sets.iter_mut().filter(|set| !set.new) {
        let taken = set.replicas.min(removable);
        set.replicas -= taken;
        removable -= taken;
    }
}

/// Follows a change of the deployment's size: the only (or the new, complete) set takes it, sets in the
/// middle of a rolling update share it in proportion.
pub(crate) fn scale(sets: &mut [Set], replicas: i32, surge: Option<i32>) {
    let active: Vec<usize> = (0..sets.len()).filter(|i| sets[*i].replicas > 0).collect();
    let single = match active.as_slice() {
        [] => newest(sets).or_else(|| sets.len().checked_sub(1)),
        [one] => Some(*one),
        _ => None,
    };
    if let Some(index) = single {
        sets[index].replicas = replicas;
        return;
    }
    let saturated =
        newest(sets).is_some_and(|i| sets[i].replicas == replicas && sets[i].available == replicas);
    if saturated {
        sets.iter_mut()
            .filter(|set| !set.new)
            .for_each(|set| set.replicas = 0);
        return;
    }
    if let Some(surge) = surge {
        scale_in_proportion(sets, active, replicas, surge);
    }
}

fn scale_in_proportion(sets: &mut [Set], mut active: Vec<usize>, replicas: i32, surge: i32) {
    let allowed = if replicas > 0 { replicas + surge } else { 0 };
    let to_add = allowed - total(sets);
    // Largest first; of equal size the newer one grows first and the older one shrinks first.
    active.sort_by_key(|i| {
        let age = i32::try_from(*i).unwrap_or(i32::MAX);
        (-sets[*i].replicas, if to_add > 0 { -age } else { age })
    });
    let mut added = 0;
    for index in &active {
        let set = &sets[*index];
        let part = if replicas == 0 {
            -set.replicas
        } else {
            let before = set
                .max_before
                .filter(|size| *size > 0)
                .unwrap_or(total(sets));
            proportion::share(set.replicas, before, replicas + surge, to_add, added)
        };
        sets[*index].replicas += part;
        added += part;
    }
    if let Some(first) = active.first() {
        sets[*first].replicas = (sets[*first].replicas + to_add - added).max(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sets(old: (i32, i32), new: (i32, i32)) -> Vec<Set> {
        let set = |(replicas, available), new| Set {
            replicas,
            available,
            new,
            max_before: None,
        };
        vec![set(old, false), set(new, true)]
    }

    fn sizes(sets: &[Set]) -> Vec<i32> {
        sets.iter().map(|set| set.replicas).collect()
    }

    #[test]
    fn a_rolling_update_never_leaves_its_limits() {
        for (replicas, limits) in [
            (
                2,
                Limits {
                    surge: 1,
                    unavailable: 0,
                },
            ),
            (
                10,
                Limits {
                    surge: 3,
                    unavailable: 2,
                },
            ),
            (
                3,
                Limits {
                    surge: 0,
                    unavailable: 1,
                },
            ),
        ] {
            let mut sets = sets((replicas, replicas), (0, 0));
            let mut steps = 0;
            while sizes(&sets) != [0, replicas] {
                roll(&mut sets, replicas, limits);
                let total: i32 = sizes(&sets).iter().sum();
                assert!(total <= replicas + limits.surge, "{sets:?}");
                let available: i32 = sets.iter().map(|set| set.available.min(set.replicas)).sum();
                assert!(available >= replicas - limits.unavailable, "{sets:?}");
                // Then the pods become ready, and the stopped ones are gone.
                for set in &mut sets {
                    set.available = set.replicas;
                }
                steps += 1;
                assert!(steps < 50, "the update does not end: {sets:?}");
            }
        }
    }

    #[test]
    fn a_new_template_that_never_becomes_ready_leaves_the_old_pods_alone() {
        let mut sets = sets((2, 2), (0, 0));
        let limits = Limits {
            surge: 1,
            unavailable: 0,
        };
        assert!(roll(&mut sets, 2, limits));
        assert!(!roll(&mut sets, 2, limits));
        assert_eq!(sizes(&sets), [2, 1]);
    }

    #[test]
    fn broken_old_pods_go_first() {
        let mut sets = sets((3, 1), (1, 0));
        assert!(roll(
            &mut sets,
            3,
            Limits {
                surge: 1,
                unavailable: 2
            }
        ));
        assert_eq!(sizes(&sets), [1, 1]);
    }

    #[test]
    fn scaling_in_the_middle_of_an_update_is_shared() {
        let mut sets = sets((8, 8), (5, 3));
        for set in &mut sets {
            set.max_before = Some(13);
        }
        scale(&mut sets, 15, Some(3));
        assert_eq!(sizes(&sets), [11, 7]);
    }

    #[test]
    fn scaling_a_settled_deployment_scales_its_only_set() {
        let mut sets = sets((0, 0), (2, 2));
        scale(&mut sets, 5, Some(1));
        assert_eq!(sizes(&sets), [0, 5]);
        scale(&mut sets, 0, Some(1));
        assert_eq!(sizes(&sets), [0, 0]);
    }
}
