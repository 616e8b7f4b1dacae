//! SCORM 1.2 and 2004: packages, manifests, run-time data models, sequencing, and building packages.
//!
//! Pure values: no server, no database, no clock. A package is read ([`archive`], [`manifest`]),
//! played ([`runtime`], [`sequencing`]) or built ([`source`], [`gift`], [`compiler`], [`package`]).

pub mod archive;
pub mod compiler;
pub mod gift;
pub mod manifest;
pub mod package;
pub mod runtime;
pub mod sequencing;
pub mod source;
