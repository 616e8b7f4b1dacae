//! The service through its public door: requests into the real routers, mails into a real SMTP
//! receiver, a platform that speaks HTTP, both databases.

#[path = "../support/mod.rs"]
mod support;

mod attempts;
mod console;
mod console_provider;
mod authentication;
mod content;
mod db;
mod deep_linking;
mod doors;
mod events;
mod imports;
mod jobs;
mod journey;
mod launch;
mod legacy;
mod login;
mod mail;
mod metrics;
mod misbehaving;
mod pages;
mod registration;
mod runtime;
mod storage;
mod suite;
