//! What a zip may cost.

use serde::{Deserialize, Serialize};

/// The limits of one zip; every one can be configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Entries, folders included.
    pub entries: u64,
    /// Bytes of all entries, inflated.
    pub inflated: u64,
    /// How many times larger than its compressed form an entry may be.
    pub ratio: u64,
    /// The inflated size in bytes from which the ratio counts; small files compress extremely well.
    pub ratio_from: u64,
    /// Bytes of one normalised path.
    pub path_bytes: usize,
    /// Segments of one normalised path.
    pub depth: usize,
    /// Bytes of the central directory.
    pub directory_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 20_000,
            inflated: 8 << 30,
            ratio: 200,
            ratio_from: 1 << 20,
            path_bytes: 512,
            depth: 32,
            directory_bytes: 64 << 20,
        }
    }
}
