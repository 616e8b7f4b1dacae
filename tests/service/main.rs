//! The service through its public door: requests into the real routers, mails into a real SMTP
//! receiver, a platform that speaks HTTP, both databases.

#[path = "../support/mod.rs"]
mod support;

mod content;
mod imports;
mod journey;
mod launch;
mod runtime;
