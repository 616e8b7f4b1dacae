//! Which values of a collection are taken, where no two records may have the same: found without
//! looking at every record.

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// Indexes of records by what their values come to. A hash may stand for several values, so the
/// caller compares.
#[derive(Debug, Clone, Default)]
pub(super) struct Taken(HashMap<u64, BTreeSet<usize>>);

/// Whether the order of a value's parts tells two values apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Parts {
    AsWritten,
    AsSet,
}

impl Taken {
    /// The value a record now has, in place of the one it had.
    pub(super) fn replace(
        &mut self,
        collection: &str,
        leaf: &str,
        index: usize,
        (before, after): (Option<&str>, &str),
    ) {
        for parts in [Parts::AsWritten, Parts::AsSet] {
            if let Some(before) = before {
                let key = key(collection, leaf, before, parts);
                if let Some(indexes) = self.0.get_mut(&key) {
                    indexes.remove(&index);
                    if indexes.is_empty() {
                        self.0.remove(&key);
                    }
                }
            }
            self.0.entry(key(collection, leaf, after, parts)).or_default().insert(index);
        }
    }

    /// The records that may have this value.
    pub(super) fn candidates(
        &self,
        collection: &str,
        leaf: &str,
        value: &str,
        parts: Parts,
    ) -> impl Iterator<Item = usize> + '_ {
        self.0.get(&key(collection, leaf, value, parts)).into_iter().flatten().copied()
    }
}

/// The parts of a value as they are compared.
pub(super) fn normal(value: &str, parts: Parts) -> Vec<&str> {
    let mut list: Vec<&str> = value.split("[,]").collect();
    if parts == Parts::AsSet {
        list.sort_unstable();
    }
    list
}

fn key(collection: &str, leaf: &str, value: &str, parts: Parts) -> u64 {
    let mut hasher = DefaultHasher::new();
    (collection, leaf, parts, normal(value, parts)).hash(&mut hasher);
    hasher.finish()
}
