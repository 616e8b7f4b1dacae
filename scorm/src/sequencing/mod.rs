//! Sequencing and navigation of SCORM 2004 4th edition: all processes of SN appendix C as a pure
//! function of (activity tree, tracking state, request).
//!
//! A [`Tree`] is built once from a manifest. A [`State`] belongs to one attempt of one learner;
//! [`GlobalObjectives`] and [`SharedData`] may outlive it. [`Engine::navigate`] applies a
//! [`Request`] and says in its [`Outcome`] what to show; [`Engine::report`] takes over what the
//! content said; [`Engine::validity`] and [`Engine::toc`] tell what the controls show. Nothing here
//! reads a clock or draws a random number that is not in the state.
//!
//! SCORM 1.2 and courses without sequencing run through the same engine, see
//! [`TreeItem::with_free_navigation`] and [`Engine::with_blocked`].
//!
//! | clause | where |
//! |---|---|
//! | OP.1 | `engine`: [`Engine::navigate`] |
//! | NB.2.1 | `navigation` |
//! | TB.2.1, TB.2.2, TB.2.3 (with "retry all", TB.2.4 of other counts) | `termination` |
//! | RB.1.1 a and b, RB.1.2 a and b, RB.1.3 a and b, RB.1.4, RB.1.4.1, RB.1.4.2, RB.1.5 | `rollup` |
//! | SR.1, SR.2, UP.3, UP.4, DB.2 step 5 | `attempts` |
//! | SB.2.1, SB.2.2, SB.2.3, SB.2.4, SB.2.9.1, SB.2.9.2 | `flow` |
//! | SB.2.9 | `choice` |
//! | SB.2.5 to SB.2.8, SB.2.10 to SB.2.13 | `requests` |
//! | DB.1.1, DB.2, DB.2.1 | `delivery` |
//! | UP.1 | `limits` |
//! | UP.2, UP.2.1, UP.5 | `rules` |
//! | SN table 4.5.4a, RTE 4.2.17.2 | `report` |

mod attempts;
mod choice;
pub mod definition;
mod delivery;
mod engine;
mod exception;
mod flow;
mod limits;
mod looks;
mod navigation;
mod organization;
mod report;
mod requests;
mod rollup;
mod rules;
mod run;
mod state;
mod termination;
mod tree;

pub use engine::{Engine, Outcome, TocEntry, Validity};
pub use exception::Exception;
pub use navigation::Request;
pub use report::{
    CompletionStatus, Exit, RuntimeObjective, RuntimeView, SessionReport, StatusReport,
    SuccessStatus, request_after_session,
};
pub use state::{GlobalObjectives, ObjectiveStatus, SharedData, SharedStore, State};
pub use tree::{ActivityIndex, DataMap, Tree, TreeError, TreeItem};
