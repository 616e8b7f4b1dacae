//! The outbox of scores beyond the sending itself: progress, waiting, refusals, columns that come
//! and go.

pub(super) mod store;
