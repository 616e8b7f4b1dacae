//! What the command line offers.

/// Prints a line for whoever still listens: `passerelle platform list | head` is no reason to panic.
macro_rules! say {
    ($($text:tt)*) => {
        $crate::commands::print_line(format_args!($($text)*))
    };
}

mod admin;
mod course;
mod doctor;
mod mail;
mod staff;

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::{demo, jobs, server};

/// The training service behind a learning platform.
#[derive(Parser)]
#[command(version, about)]
pub struct Cli {
    /// The configuration file (TOML); `PASSERELLE_*` variables override it.
    #[arg(long, global = true, env = "PASSERELLE_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Everything on an embedded default, with a small LMS, people, courses and a mailbox.
    Demo(demo::Options),
    /// Serve pages and content, and work on jobs.
    Serve,
    /// Work on jobs only.
    Worker,
    /// LMSs we are registered with.
    #[command(subcommand)]
    Platform(admin::PlatformCommand),
    /// Organisations that run training.
    #[command(subcommand)]
    Tenant(admin::TenantCommand),
    /// Course packages and sources.
    #[command(subcommand)]
    Course(course::CourseCommand),
    /// The mail server.
    #[command(subcommand)]
    Mail(mail::MailCommand),
    /// Who administers the service, in its console.
    #[command(subcommand)]
    Admin(staff::AdminCommand),
    /// Check database, files, mail server, addresses and platforms, and say what to do.
    Doctor,
}

impl Cli {
    pub async fn run(self) -> anyhow::Result<()> {
        let config = || Config::load(self.config.as_deref());
        match self.command {
            Command::Demo(options) => demo::run(options).await,
            Command::Serve => serve(config()?).await,
            Command::Worker => worker(config()?).await,
            Command::Platform(command) => command.run(open(config()?).await?).await,
            Command::Tenant(command) => command.run(open(config()?).await?).await,
            Command::Mail(command) => command.run(open(config()?).await?).await,
            Command::Admin(command) => command.run(open(config()?).await?).await,
            Command::Course(command) => command.run(config()?).await,
            Command::Doctor => doctor::run(config()?).await,
        }
    }
}

/// One line on standard output; nobody there to read it is no error.
pub(crate) fn print_line(text: std::fmt::Arguments<'_>) {
    drop(writeln!(std::io::stdout(), "{text}"));
}

/// Logs go to standard error; `RUST_LOG` chooses what.
pub fn trace() {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("warn,passerelle=info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

async fn open(config: Config) -> anyhow::Result<App> {
    Ok(App::start(config, Clock::System).await?)
}

async fn serve(config: Config) -> anyhow::Result<()> {
    let bind = async |address: std::net::SocketAddr| {
        TcpListener::bind(address).await.with_context(|| format!("{address} cannot be listened on"))
    };
    let (pages, content) = (bind(config.bind).await?, bind(config.content_bind).await?);
    let app = open(config).await?;
    tracing::info!(pages = %pages.local_addr()?, content = %content.local_addr()?, "serving");
    let stop = stop_on_signal();
    tokio::spawn(server::monitor(app.clone(), stop.clone()));
    server::run(app.clone(), pages, content, stop).await?;
    // A request that never ends must not keep the process from ending.
    drop(tokio::time::timeout(Duration::from_secs(5), app.db.close()).await);
    Ok(())
}

async fn worker(config: Config) -> anyhow::Result<()> {
    let app = open(config).await?;
    let stop = stop_on_signal();
    tokio::spawn(server::monitor(app.clone(), stop.clone()));
    let (db, clock, wake) = (app.db.clone(), app.clock.clone(), app.wake.clone());
    jobs::work(db, clock, wake, app.config.workers, app.clone(), stop).await;
    app.db.close().await;
    Ok(())
}

fn stop_on_signal() -> CancellationToken {
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        server::told_to_stop().await;
        told.cancel();
        // Whoever asks twice does not want to wait.
        server::told_to_stop().await;
        std::process::exit(1);
    });
    stop
}
