//! Passerelle: the training service behind a learning platform.
//!
//! `docs/architecture.md` is the map. Dependencies point down: the ground floor (`db`, `jobs`,
//! `mail`, `blobs`, `outbound`, `web`) knows no noun, the nouns know it, `router` and `worker`
//! know the nouns.

pub mod app;
pub mod blobs;
pub mod cleaning;
pub mod clock;
pub mod commands;
pub mod completions;
pub mod config;
pub mod console;
pub mod courses;
pub mod credentials;
pub mod db;
pub mod demo;
pub mod events;
pub mod health;
pub mod identities;
pub mod ids;
pub mod jobs;
pub mod launches;
pub mod learners;
pub mod mail;
pub mod metrics;
pub mod outbound;
pub mod people;
pub mod platforms;
pub mod player;
pub mod router;
pub mod server;
pub mod tenants;
pub mod visits;
pub mod web;
pub mod worker;
