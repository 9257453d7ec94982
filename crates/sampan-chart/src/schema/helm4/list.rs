//! Lists.

use super::super::json::Json;
use super::super::node::{Id, Node};
use super::Checker;
use super::fault::{Fault, Kind, Seen, State, Stop};

impl<'s> Checker<'s> {
    pub(super) fn items(
        &mut self,
        node: &'s Node,
        items: &[Json],
        state: &mut State<'_>,
    ) -> Result<(), Stop> {
        let list = &node.list;
        state.at_least("minItems", items.len(), list.min_items);
        state.at_most("maxItems", items.len(), list.max_items);
        if list.unique {
            let pairs =
                (1..items.len()).flat_map(|later| (0..later).map(move |earlier| (earlier, later)));
            let mut pairs = pairs.filter(|(earlier, later)| items[*earlier].equals(&items[*later]));
            if let Some((earlier, later)) = pairs.next() {
                state.fault(format!("items at {earlier} and {later} are equal"));
            }
        }
        for (index, item) in items.iter().enumerate() {
            if let Some(id) = list.first_items.get(index).copied().or(list.items) {
                state.seen.items.insert(index);
                self.part(id, item, &index.to_string(), state)?;
            }
        }
        if list.no_more && items.len() > list.first_items.len() {
            let count = items.len() - list.first_items.len();
            state.fault(format!("last {count} additionalItem(s) not allowed"));
        }
        match list.contains {
            Some(id) => self.contains(node, id, items, state),
            None => Ok(()),
        }
    }

    fn contains(
        &mut self,
        node: &'s Node,
        id: Id,
        items: &[Json],
        state: &mut State<'_>,
    ) -> Result<(), Stop> {
        let mut found = Vec::new();
        let mut causes = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let mut inner = State {
                at: state.at,
                faults: Vec::new(),
                seen: Seen::default(),
            };
            if self.part(id, item, &index.to_string(), &mut inner)? {
                found.push(index.to_string());
                if self.schema.draft >= 2020 {
                    state.seen.items.insert(index);
                }
            }
            causes.extend(inner.faults);
        }
        let (count, at) = (found.len(), found.join(" "));
        let least = node.list.min_contains;
        let text = match least {
            None if found.is_empty() => Some("no items match contains schema".to_owned()),
            Some(least) if count < least => {
                let matched = if count == 0 {
                    "none matched".to_owned()
                } else {
                    format!("matched {count} items at {at}")
                };
                Some(format!(
                    "min {least} items required to match contains schema, but {matched}"
                ))
            }
            _ => None,
        };
        if let Some(text) = text {
            state.faults.push(Fault {
                at: state.at.to_owned(),
                text,
                causes,
                kind: Kind::Plain,
            });
        }
        if let Some(most) = node.list.max_contains.filter(|most| count > *most) {
            let required = format!("max {most} items required to match contains schema");
            state.fault(format!("{required}, but matched {count} items at {at}"));
        }
        Ok(())
    }
}
