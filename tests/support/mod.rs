//! What tests through the public door stand on: databases, the running service, browsers, a
//! learning platform, a player.

pub(crate) mod browser;
pub(crate) mod campus;
pub(crate) mod consumer;
pub(crate) mod course;
pub(crate) mod databases;
pub(crate) mod identity_provider;
pub(crate) mod platform;
pub(crate) mod player;
pub(crate) mod service;

pub(crate) use browser::{Answer, Browser};
pub(crate) use databases::TestDatabase;
pub(crate) use platform::Platform;
pub(crate) use player::Player;
pub(crate) use service::Service;
