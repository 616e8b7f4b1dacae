//! Staff, from the command line.

use anyhow::{Context as _, bail};
use clap::Subcommand;

use crate::app::App;
use crate::console::{self, NewStaff};
use crate::tenants;
use crate::web::Lang;

#[derive(Subcommand)]
pub(super) enum AdminCommand {
    /// Make somebody an administrator, or a tenant's coordinator, and print their sign-in link.
    Invite {
        email: lettre::Address,
        /// The name the console greets them by.
        #[arg(long)]
        name: String,
        /// The tenant whose training they coordinate; without it they administer the installation.
        #[arg(long, value_name = "TENANT")]
        coordinator: Option<String>,
        #[arg(long, default_value = "fr")]
        language: String,
    },
    /// Who has access to the console, and when they signed in last.
    List,
    /// Take somebody's access away; whoever is signed in is signed out at once.
    Remove { email: lettre::Address },
}

impl AdminCommand {
    pub(super) async fn run(self, app: App) -> anyhow::Result<()> {
        match self {
            Self::Invite { email, name, coordinator, language } => {
                invite(&app, email, name, coordinator, &language).await
            }
            Self::List => list(&app).await,
            Self::Remove { email } => remove(&app, &email).await,
        }
    }
}

async fn invite(
    app: &App,
    email: lettre::Address,
    name: String,
    coordinator: Option<String>,
    language: &str,
) -> anyhow::Result<()> {
    let locale = Lang::from_tag(language)
        .with_context(|| format!("the language {language:?} is not spoken here"))?;
    let mut tx = app.db.write().await?;
    let coordinates = match &coordinator {
        Some(slug) => {
            let tenant = tenants::by_slug(&mut tx, slug).await?;
            Some(tenant.with_context(|| format!("there is no tenant {slug:?}"))?.id)
        }
        None => None,
    };
    let new = NewStaff { name, email: email.clone(), coordinates, locale };
    let invited = console::invite(&mut tx, new, app.clock.now()).await?;
    tx.commit().await?;
    match (invited.known, coordinator) {
        (true, _) => say!("{email} had access already. Another link:"),
        (false, Some(tenant)) => say!("{email} coordinates the training of {tenant}."),
        (false, None) => say!("{email} administers this installation."),
    }
    say!("Hand this link over; it signs in once, within 24 hours:");
    say!("  {}", app.config.public(&invited.path));
    Ok(())
}

async fn list(app: &App) -> anyhow::Result<()> {
    let mut tx = app.db.read().await?;
    let all = console::all(&mut tx).await?;
    if all.is_empty() {
        say!("Nobody has access to the console: `passerelle admin invite --name NAME ADDRESS`.");
    }
    for staff in all {
        let role = match &staff.tenant {
            Some(tenant) => format!("{} of {tenant}", staff.role.as_str()),
            None => staff.role.as_str().to_owned(),
        };
        let signed_in = match staff.signed_in_at {
            Some(at) => format!("signed in {}", at.format("%F %R")),
            None => "never signed in".to_owned(),
        };
        say!("{}  {}  {role}  {signed_in}", staff.email, staff.name);
    }
    Ok(())
}

async fn remove(app: &App, email: &lettre::Address) -> anyhow::Result<()> {
    let mut tx = app.db.write().await?;
    if !console::remove(&mut tx, email, app.clock.now()).await? {
        bail!("{email} has no access: see `passerelle admin list`");
    }
    tx.commit().await?;
    say!("{email} has no access any more, and is signed out everywhere.");
    Ok(())
}
