//! Safe reading of package zips, and the index from which their entries are served.
//!
//! A zip is never unpacked. [`Archive::inspect`] reads it once, refuses what is hostile or damaged by
//! its own [`ArchiveError`] variant, and returns the [`Index`]: where each file's bytes lie. A deflated
//! entry can then be sent as it is between [`gzip_header`] and [`gzip_trailer`]; [`EntryReader`]
//! inflates one for everybody else.

mod directory;
mod error;
mod index;
mod inspect;
mod limits;
mod media;
mod path;
mod read;

pub use error::ArchiveError;
pub use index::{ArchiveNote, Entry, Found, Index, Match, Method};
pub use inspect::Archive;
pub use limits::Limits;
pub use media::{is_seekable_media, media_type};
pub use read::{EntryReader, gzip_header, gzip_trailer, read_entry};
