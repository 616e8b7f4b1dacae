//! The service through its public door: requests into the real routers, mails into a real SMTP
//! receiver, a platform that speaks HTTP, both databases.

#[path = "../support/mod.rs"]
mod support;

mod attempts;
mod authentication;
mod console;
mod console_platforms;
mod console_provider;
mod content;
mod copies;
mod db;
mod deep_linking;
mod doors;
mod events;
mod hostile_commits;
mod hostile_packages;
mod identities;
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
mod picker;
mod registration;
mod runtime;
mod services;
mod storage;
mod suite;
mod time_limits;
