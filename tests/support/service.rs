//! The service, whole, in memory: its routers are called without a network, its mails go to a real
//! SMTP receiver, its time stands still until it is moved.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Europe::Paris;
use passerelle::app::App;
use passerelle::clock::Clock;
use passerelle::config::{Config, Encryption, Smtp};
use passerelle::db::Tx;
use passerelle::demo::mailbox::{self, Mailbox, Received};
use passerelle::ids::RegistrationId;
use passerelle::jobs;
use passerelle::platforms::{self, NewRegistration};
use passerelle::tenants::{self, NewTenant};
use passerelle::web::Lang;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::platform::{CLIENT, DEPLOYMENT};
use super::{Browser, Platform, TestDatabase};

pub(crate) struct Service {
    pub(crate) app: App,
    pub(crate) clock: Clock,
    pub(crate) mailbox: Mailbox,
    pub(crate) platform: Platform,
    pub(crate) registration: RegistrationId,
    pub(crate) folder: TempDir,
    stop: CancellationToken,
    _database: TestDatabase,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// When every test begins: a Monday morning.
pub(crate) fn beginning() -> DateTime<Utc> {
    "2026-11-23T09:00:00Z".parse().expect("an instant")
}

impl Service {
    /// With one tenant and one platform.
    pub(crate) async fn start(database: TestDatabase) -> Self {
        Self::start_with(database, |_| ()).await
    }

    /// The same, configured otherwise.
    pub(crate) async fn start_with(
        database: TestDatabase,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let clock = Clock::fixed(beginning());
        let stop = CancellationToken::new();
        let time = clock.clone();
        let mailbox = mailbox::start(
            ([127, 0, 0, 1], 0).into(),
            Arc::new(move || time.now()),
            stop.clone().cancelled_owned(),
        )
        .await
        .expect("the mail receiver starts");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut config = Config {
            database_url: database.url.clone(),
            blobs: folder.path().join("blobs"),
            insecure_allow_private_networks: true,
            smtp: Smtp {
                port: mailbox.smtp_address.port(),
                encryption: Encryption::None,
                timeout_seconds: 10,
                ..Smtp::default()
            },
            ..Config::default()
        };
        change(&mut config);
        let app = App::start(config, clock.clone()).await.expect("the service starts");
        let platform = Platform::start(clock.clone()).await;
        let registration = register(&app, &platform).await;
        Self { app, clock, mailbox, platform, registration, folder, stop, _database: database }
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.app.clone())
    }

    pub(crate) fn advance(&self, by: TimeDelta) {
        self.clock.advance(by);
    }

    /// Runs what is due until nothing is; how many runs that were.
    pub(crate) async fn run_jobs(&self) -> usize {
        let mut runs = 0;
        while jobs::run_next(&self.app.db, &self.app.clock, &self.app).await.expect("the queue") {
            runs += 1;
            assert!(runs < 1000, "jobs go on for ever");
        }
        runs
    }

    /// What the receiver took since the last look.
    pub(crate) fn take_mails(&self) -> Vec<Received> {
        let mails = self.mailbox.messages();
        self.mailbox.clear();
        mails
    }

    /// One number, such as a count.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let mut tx = self.app.db.read().await.expect("a transaction");
        let (number,): (i64,) = tx.query_built(sql.to_owned()).one().await.expect(sql);
        number
    }

    pub(crate) async fn count(&self, table: &str) -> i64 {
        self.number(&format!("SELECT COUNT(*) FROM {table}")).await
    }

    /// One column of text.
    pub(crate) async fn texts(&self, sql: &str) -> Vec<String> {
        let mut tx = self.app.db.read().await.expect("a transaction");
        let rows: Vec<(String,)> = tx.query_built(sql.to_owned()).all().await.expect(sql);
        rows.into_iter().map(|(text,)| text).collect()
    }

    /// One identifier.
    pub(crate) async fn uuid(&self, sql: &str) -> uuid::Uuid {
        let mut tx = self.app.db.read().await.expect("a transaction");
        let (id,): (uuid::Uuid,) = tx.query_built(sql.to_owned()).one().await.expect(sql);
        id
    }

    pub(crate) async fn execute(&self, sql: &str) -> u64 {
        let mut tx: Tx = self.app.db.write().await.expect("a transaction");
        let rows = tx.query_built(sql.to_owned()).execute().await.expect(sql);
        tx.commit().await.expect("the commit");
        rows
    }
}

async fn register(app: &App, platform: &Platform) -> RegistrationId {
    let now = app.clock.now();
    let mut tx = app.db.write().await.expect("a transaction");
    let tenant = NewTenant {
        slug: "reseau".to_owned(),
        name: "Réseau Écoles d’Europe".to_owned(),
        sender_address: "formation@reseau.example".to_owned(),
        signatory_name: "Maëlle Kerdiles".to_owned(),
        signatory_title: "Responsable de la formation".to_owned(),
        language: Lang::Fr,
        time_zone: Paris,
    };
    let tenant = tenants::insert(&mut tx, tenant, now).await.expect("the insert").expect("is new");
    let at = |path: &str| platform.at(path).parse().expect("an address");
    let new = NewRegistration {
        tenant,
        name: "Plateforme d’essai".to_owned(),
        issuer: platform.issuer.clone(),
        client_id: CLIENT.to_owned(),
        authorization_endpoint: at("/auth"),
        token_endpoint: at("/token"),
        jwks_uri: at("/keys"),
        token_audience: None,
        deployments: vec![DEPLOYMENT.to_owned()],
    };
    let id = platforms::insert(&mut tx, new, now).await.expect("the insert").expect("is new");
    tx.commit().await.expect("the commit");
    id
}
