//! The built-in demo: the service on an embedded default, with a small LMS beside it ("Campus"),
//! a mailbox for what it sends, and a walkthrough that makes the whole journey by itself.

pub mod campus;
pub mod mailbox;
mod seed;
mod store;
mod walkthrough;

use std::cell::Cell;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

use self::campus::{Campus, PEOPLE, ToolConfig};
use self::mailbox::Mailbox;
use self::seed::{ADMINISTRATOR, CLIENT_ID, Endpoints};
use crate::app::App;
use crate::clock::Clock;
use crate::config::{Config, Encryption, Smtp};
use crate::server;

/// How long the parts may take to stop.
const GRACE: Duration = Duration::from_secs(30);

/// What the command line says.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Make the whole journey without a browser, print what was checked, and leave packages,
    /// certificates, mails and calendars in this folder.
    #[arg(long, value_name = "DIR")]
    pub walkthrough: Option<PathBuf>,
    /// The port of the service's pages; 0 takes a free one.
    #[arg(long, default_value_t = 8080)]
    pub port: u16,
    /// The port of the courses' content; 0 takes a free one.
    #[arg(long, default_value_t = 8081)]
    pub content_port: u16,
    /// The port of Campus and the mailbox; 0 takes a free one.
    #[arg(long, default_value_t = 8090)]
    pub campus_port: u16,
    /// The port of the mailbox's SMTP receiver; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    pub smtp_port: u16,
    /// The folder for the database and the files, kept for the next start. Without it they go to a
    /// temporary folder that is removed at the end. The walkthrough always starts afresh.
    #[arg(long, value_name = "DIR", conflicts_with = "walkthrough")]
    pub data: Option<PathBuf>,
}

/// Everything that runs.
struct Demo {
    app: App,
    campus: Campus,
    mailbox: Mailbox,
    server: JoinHandle<std::io::Result<()>>,
    stop: CancellationToken,
    /// Removed with everything in it when it is dropped.
    _temporary: Option<tempfile::TempDir>,
}

/// Starts everything; then shows it until Ctrl-C, or walks through it and stops.
pub async fn run(options: Options) -> anyhow::Result<()> {
    // The walkthrough moves the time on: to the day before a webinar, to its hour.
    let clock = match &options.walkthrough {
        Some(_) => Clock::fixed(Clock::System.now()),
        None => Clock::System,
    };
    let mut demo = Demo::start(&options, clock).await?;
    let outcome = match &options.walkthrough {
        Some(folder) => tokio::select! {
            outcome = walkthrough::run(&demo.app, &demo.campus, &demo.mailbox, folder) => outcome,
            () = server::told_to_stop() => Err(anyhow::anyhow!("the walkthrough was interrupted")),
        },
        None => demo.show().await,
    };
    demo.finish().await;
    outcome
}

impl Demo {
    async fn start(options: &Options, clock: Clock) -> anyhow::Result<Self> {
        let stop = CancellationToken::new();
        let pages = listen(options.port, "--port").await?;
        let content = listen(options.content_port, "--content-port").await?;
        // Campus listens once its links are known; its port is tried, and named, now.
        let campus_address = listen(options.campus_port, "--campus-port").await?.local_addr()?;
        let (data, temporary) = folder(options.data.as_deref())?;
        say(&format!(
            "Passerelle – démonstration · demo\n\nDonnées · data: {}{}",
            data.display(),
            if temporary.is_some() { " (temporaire · temporary)" } else { "" },
        ));

        let time = clock.clone();
        let campus_clock: campus::Clock = Arc::new(move || time.now());
        let smtp = SocketAddr::from((Ipv4Addr::LOCALHOST, options.smtp_port));
        let stopped = stop.clone().cancelled_owned();
        let mailbox = mailbox::start(smtp, campus_clock.clone(), stopped).await?;
        let config = configuration(&data, &pages, &content, mailbox.smtp_address.port())?;
        let app = App::start(config, clock).await?;

        say("Cours · courses:");
        let endpoints = Endpoints::of(&format!("http://{campus_address}"));
        let built = Cell::new(false);
        let webinars = seed::sow(&app, &endpoints, |course| {
            built.set(true);
            say(&format!("  ✓ {course}"));
        })
        .await?;
        if !built.get() {
            say("  ✓ déjà en place · already there");
        }
        let campus = campus::start(
            campus::Config {
                bind: campus_address,
                public_url: None,
                tool: ToolConfig {
                    name: "Passerelle".to_owned(),
                    client_id: CLIENT_ID.to_owned(),
                    login_url: app.config.public("/lti/login"),
                    launch_url: app.config.public("/lti/launch"),
                    deep_linking_url: app.config.public("/lti/launch"),
                    jwks_url: app.config.public("/.well-known/jwks.json"),
                    origin: app.config.origin(),
                    links: seed::links(&app.config, &webinars)?,
                },
                clock: campus_clock,
                extra_routes: Some(mailbox.routes()),
                mailbox_path: Some("/mailbox".to_owned()),
            },
            stop.clone().cancelled_owned(),
        )
        .await?;
        ensure!(
            campus.issuer == endpoints.issuer
                && campus.authorization_endpoint == endpoints.authorization
                && campus.token_endpoint == endpoints.token
                && campus.jwks_url == endpoints.keys
                && campus.deployment_id == seed::DEPLOYMENT,
            "Campus answers at other addresses than those registered"
        );
        let server = tokio::spawn(server::run(app.clone(), pages, content, stop.clone()));
        Ok(Self { app, campus, mailbox, server, stop, _temporary: temporary })
    }

    /// Says where everything is, and waits.
    async fn show(&mut self) -> anyhow::Result<()> {
        say(&welcome(&self.campus.issuer, &self.app.config.origin()));
        tokio::select! {
            () = server::told_to_stop() => {
                say("\nArrêt en cours · stopping …");
                Ok(())
            }
            // Only a failure ends the server before it is told to stop.
            ended = &mut self.server => {
                ended.context("the server was interrupted")?.context("the server stopped")
            }
        }
    }

    async fn finish(self) {
        let Self { app, campus, server, stop, .. } = self;
        stop.cancel();
        let all = async {
            if !server.is_finished() {
                // How it ended was told where it was waited for.
                let _ = server.await;
            }
            campus.stopped().await;
            app.db.close().await;
        };
        if tokio::time::timeout(GRACE, all).await.is_err() {
            tracing::warn!("the demo did not stop in time; what was committed is safe");
        }
    }
}

/// Listens on loopback.
async fn listen(port: u16, option: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.with_context(|| {
        format!(
            "le port {port} n’est pas libre ; choisissez-en un autre avec {option} · \
             port {port} is not free; choose another one with {option}"
        )
    })
}

/// The folder of the data; one that goes away with the demo where none is named.
fn folder(named: Option<&Path>) -> anyhow::Result<(PathBuf, Option<tempfile::TempDir>)> {
    let Some(named) = named else {
        let temporary = tempfile::Builder::new().prefix("passerelle-demo-").tempdir()?;
        return Ok((temporary.path().to_owned(), Some(temporary)));
    };
    std::fs::create_dir_all(named)
        .with_context(|| format!("the folder {} cannot be made", named.display()))?;
    Ok((named.to_owned(), None))
}

fn configuration(
    data: &Path,
    pages: &TcpListener,
    content: &TcpListener,
    smtp_port: u16,
) -> anyhow::Result<Config> {
    let (pages, content) = (pages.local_addr()?, content.local_addr()?);
    Ok(Config {
        database_url: format!("sqlite:{}", data.join("passerelle.sqlite").display()),
        blobs: data.join("blobs"),
        bind: pages,
        content_bind: content,
        public_url: Url::parse(&format!("http://localhost:{}", pages.port()))?,
        content_url: format!("http://{{label}}.localhost:{}", content.port()),
        insecure_allow_private_networks: true,
        smtp: Smtp {
            host: Ipv4Addr::LOCALHOST.to_string(),
            port: smtp_port,
            encryption: Encryption::None,
            ..Smtp::default()
        },
        ..Config::default()
    })
}

fn welcome(campus: &str, service: &str) -> String {
    let names = |trainers: bool| {
        let chosen = PEOPLE.iter().filter(|person| person.is_trainer() == trainers);
        chosen.map(campus::Person::name).collect::<Vec<_>>().join(", ")
    };
    let (learners, trainer) = (names(false), names(true));
    let (_, administrator) = ADMINISTRATOR;
    format!(
        "
Tout est prêt · everything is ready.

  {campus}
      Campus, la plateforme d’apprentissage : commencez ici
      Campus, the learning platform: start here
  {campus}/mailbox
      tous les courriels envoyés · every mail that was sent
  {service}
      Passerelle, le service · the service itself
  {service}/console
      la console : donnez l’adresse {administrator},
      le lien de connexion arrive dans les courriels ci-dessus
      the console: give the address {administrator},
      the sign-in link arrives among the mails above

Connexion sans mot de passe · sign-in without a password:
  apprenant·es · learners: {learners}
  formatrice · trainer: {trainer}

Ctrl-C pour arrêter · Ctrl-C to stop."
    )
}

/// A line for the person at the terminal.
fn say(text: &str) {
    crate::commands::print_line(format_args!("{text}"));
}
