//! The run-time data model: one table, two interpreters.
//!
//! `model.json` describes every element of SCORM 1.2 (`cmi.*`) and SCORM 2004 4th edition
//! (`cmi.*`, `adl.nav.*`, `adl.data.*`): path, type, access, default, limits, and the error code of
//! each kind of failure. [`Model`] interprets it on the server; [`PLAYER_API`] is the script that
//! interprets the same file in the browser and answers the SCO's synchronous calls. What the
//! browser accepted is sent as a delta and validated again by [`Model::apply`].
//!
//! # Choices where the specifications leave room
//!
//! - A value longer than its smallest permitted maximum is kept whole and mentioned in
//!   [`Model::notes`]; beyond the table's own caps it is refused, never cut.
//! - A duration may have more than two decimals of a second (noted); a timestamp may not.
//! - A numeric correct response may be one number instead of a range (noted).
//! - SCORM 1.2: an unknown element below `cmi` answers 401, another name 201.

mod check;
mod launch;
mod model;
mod outcome;
mod report;
mod table;
mod taken;
#[cfg(test)]
mod tests;
mod time;

pub use launch::{
    BrowserLaunch, DataStore, Launch, ObjectiveSeed, RequestValid, Snapshot, StoreAccess,
};
pub use model::{Model, Note, Refusal};
pub use outcome::{
    CompletionStatus, Exit, LegacyStatus, Outcome, Score, SuccessStatus, legacy_outcome,
};
pub use report::{InteractionRecord, ObjectiveRecord};
pub use time::{
    SESSION_TIME_CAP, credited_session_time, format_duration, format_timespan, parse_duration,
    parse_timespan,
};

use serde::{Deserialize, Serialize};

/// The data-model table as JSON, for the browser.
pub const MODEL_TABLE: &str = include_str!("model.json");

/// The browser script that interprets [`MODEL_TABLE`]; a classic script that defines
/// `createScormApi`.
pub const PLAYER_API: &str = include_str!("player-api.js");

/// The browser's journal of unacknowledged messages in IndexedDB; a classic script that defines
/// `openScormJournal`.
pub const PLAYER_JOURNAL: &str = include_str!("player-journal.js");

/// Which run-time environment a SCO speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Edition {
    /// SCORM 1.2: `API`, `LMSGetValue` …
    #[serde(rename = "1.2")]
    V12,
    /// SCORM 2004, any edition (the model is the 4th's): `API_1484_11`, `GetValue` …
    #[serde(rename = "2004")]
    V2004,
}

impl Edition {
    /// The key of this edition in the table.
    pub fn key(self) -> &'static str {
        match self {
            Self::V12 => "1.2",
            Self::V2004 => "2004",
        }
    }
}
