//! What the whole service shares.

use std::ops::Deref;
use std::sync::Arc;

use tokio::sync::Notify;

use crate::blobs::{BlobError, Blobs};
use crate::clock::Clock;
use crate::config::Config;
use crate::console::provider::Provider;
use crate::credentials::certificate::{Certificates, CertificatesError};
use crate::db::{Batch, Db, OpenError};
use crate::mail::smtp::{Smtp, SmtpConfigError};
use crate::metrics::Metrics;
use crate::outbound::Outbound;
use crate::platforms::keys::{Keys, KeysError};
use crate::platforms::keysets::KeySets;
use crate::platforms::tokens::Tokens;
use crate::player::packages::Packages;
use crate::web::Pages;
use crate::web::pages::PagesError;

/// A handle to everything, cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

pub struct Parts {
    pub config: Config,
    pub clock: Clock,
    pub db: Db,
    /// Where hot writes go: launches and runtime commits.
    pub batch: Batch,
    pub blobs: Blobs,
    pub outbound: Outbound,
    pub pages: Pages,
    pub keys: Keys,
    pub key_sets: KeySets,
    pub tokens: Tokens,
    pub packages: Packages,
    pub certificates: Certificates,
    pub smtp: Smtp,
    /// What is known of the provider that staff sign in with.
    pub staff_provider: Provider,
    pub metrics: Metrics,
    /// Rung after a commit that enqueued jobs, so that idle workers look at once.
    pub wake: Arc<Notify>,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Database(#[from] OpenError),
    #[error("the database schema cannot be brought up to date")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    #[error("the blob folder cannot be opened")]
    Blobs(#[from] BlobError),
    #[error("the outbound HTTP client cannot be made")]
    Outbound(#[from] crate::outbound::TlsError),
    #[error(transparent)]
    Pages(#[from] PagesError),
    #[error(transparent)]
    Keys(#[from] KeysError),
    #[error(transparent)]
    Certificates(#[from] CertificatesError),
    #[error(transparent)]
    Smtp(#[from] SmtpConfigError),
}

impl App {
    /// Opens everything the configuration names; makes keys and schema on first start.
    pub async fn start(config: Config, clock: Clock) -> Result<Self, StartError> {
        let db = Db::connect(&config.database_url).await?;
        db.migrate().await?;
        let keys = Keys::load_or_make(&db, &clock).await?;
        let metrics = Metrics::new();
        let parts = Parts {
            batch: Batch::start(&db, metrics.clone()),
            blobs: Blobs::open(&config.blobs)?,
            outbound: Outbound::new(config.insecure_allow_private_networks)?,
            pages: Pages::load()?,
            key_sets: KeySets::default(),
            tokens: Tokens::default(),
            packages: Packages::default(),
            certificates: Certificates::load()?,
            smtp: Smtp::new(&config.smtp)?,
            staff_provider: Provider::default(),
            wake: Arc::new(Notify::new()),
            metrics,
            keys,
            db,
            clock,
            config,
        };
        Ok(Self(Arc::new(parts)))
    }
}
