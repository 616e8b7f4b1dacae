//! Tenants and platforms, from the command line.

use anyhow::{Context as _, bail};
use chrono_tz::Tz;
use clap::{Args, Subcommand, ValueEnum};
use url::Url;

use crate::app::App;
use crate::db::Tx;
use crate::ids::RegistrationId;
use crate::launches;
use crate::platforms::{self, NewRegistration};
use crate::tenants::{self, NewTenant, Tenant};
use crate::web::Lang;

#[derive(Subcommand)]
pub(super) enum TenantCommand {
    /// Add an organisation.
    Add(TenantArgs),
    /// Let LMSs launch with LTI 1.1, or no longer.
    LegacyLti {
        /// The organisation's short name.
        slug: String,
        state: Switch,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Switch {
    On,
    Off,
}

#[derive(Args)]
pub(super) struct TenantArgs {
    /// A short name for commands: lower-case letters, digits, hyphens.
    slug: String,
    /// The name people read.
    #[arg(long)]
    name: String,
    /// The address its mails come from.
    #[arg(long)]
    sender: String,
    /// Who signs its certificates.
    #[arg(long)]
    signatory: String,
    /// The signatory's function.
    #[arg(long)]
    signatory_title: String,
    #[arg(long, default_value = "fr")]
    language: String,
    #[arg(long, default_value = "Europe/Paris")]
    time_zone: Tz,
}

impl TenantCommand {
    pub(super) async fn run(self, app: App) -> anyhow::Result<()> {
        match self {
            Self::Add(args) => add_tenant(&app, args).await,
            Self::LegacyLti { slug, state } => legacy_lti(&app, &slug, state).await,
        }
    }
}

async fn legacy_lti(app: &App, slug: &str, state: Switch) -> anyhow::Result<()> {
    let allowed = matches!(state, Switch::On);
    let mut tx = app.db.write().await?;
    let tenant = tenants::by_slug(&mut tx, slug).await?;
    let tenant = tenant.with_context(|| format!("there is no tenant {slug:?}"))?;
    tenants::set_legacy_lti(&mut tx, tenant.id, allowed).await?;
    tx.commit().await?;
    if allowed {
        say!(
            "LTI 1.1 launches of {slug} are accepted: add LMSs with `passerelle platform add-legacy`."
        );
    } else {
        say!("LTI 1.1 launches of {slug} are refused from now on.");
    }
    Ok(())
}

async fn add_tenant(app: &App, args: TenantArgs) -> anyhow::Result<()> {
    let language = Lang::from_tag(&args.language)
        .with_context(|| format!("the language {:?} is not spoken here", args.language))?;
    let sender: lettre::Address = args.sender.parse().context("--sender is no address")?;
    let mut tx = app.db.write().await?;
    let new = NewTenant {
        slug: args.slug.clone(),
        name: args.name,
        sender_address: sender.to_string(),
        signatory_name: args.signatory,
        signatory_title: args.signatory_title,
        language,
        time_zone: args.time_zone,
    };
    if tenants::insert(&mut tx, new, app.clock.now()).await?.is_none() {
        bail!("there is a tenant {:?} already", args.slug);
    }
    tx.commit().await?;
    say!("The tenant {} was added.", args.slug);
    Ok(())
}

#[derive(Subcommand)]
pub(super) enum PlatformCommand {
    /// Register an LMS, and print what to enter there.
    Add(Box<PlatformArgs>),
    /// Register an LMS that speaks LTI 1.1 only, and print what to enter there.
    AddLegacy {
        /// The name people know the LMS by.
        name: String,
        /// The tenant it belongs to; the first one when left out.
        #[arg(long)]
        tenant: Option<String>,
    },
    /// The LMSs we are registered with, their deployments and last launches.
    List,
    /// Accept launches of a deployment that waits.
    Approve {
        /// The registration, as `platform list` shows it.
        registration: RegistrationId,
        /// The deployment's id in the LMS.
        deployment: String,
    },
    /// Fetch their keys and ask them for a token.
    Check,
}

#[derive(Args)]
pub(super) struct PlatformArgs {
    /// The name people know the LMS by.
    name: String,
    /// For Moodle: the site's address without a slash at its end.
    #[arg(long)]
    issuer: String,
    #[arg(long)]
    client_id: String,
    /// For Moodle: <site>/mod/lti/auth.php
    #[arg(long)]
    authorization_endpoint: Url,
    /// For Moodle: <site>/mod/lti/token.php
    #[arg(long)]
    token_endpoint: Url,
    /// For Moodle: <site>/mod/lti/certs.php
    #[arg(long)]
    jwks_uri: Url,
    /// The deployments to accept; others wait for approval.
    #[arg(long = "deployment", required = true)]
    deployments: Vec<String>,
    /// The audience of our assertions where it is not the token endpoint (Brightspace).
    #[arg(long)]
    token_audience: Option<String>,
    /// The tenant it belongs to; the first one when left out.
    #[arg(long)]
    tenant: Option<String>,
}

impl PlatformCommand {
    pub(super) async fn run(self, app: App) -> anyhow::Result<()> {
        match self {
            Self::Add(args) => add(&app, *args).await,
            Self::AddLegacy { name, tenant } => add_legacy(&app, &name, tenant.as_deref()).await,
            Self::List => list(&app).await,
            Self::Approve { registration, deployment } => {
                approve(&app, registration, &deployment).await
            }
            Self::Check => check(&app).await,
        }
    }
}

async fn named_or_first(tx: &mut Tx, tenant: Option<&str>) -> anyhow::Result<Tenant> {
    let tenant = match tenant {
        Some(slug) => tenants::by_slug(tx, slug).await?,
        None => tenants::first(tx).await?,
    };
    tenant.context("there is no such tenant: add one with `passerelle tenant add`")
}

async fn add_legacy(app: &App, name: &str, tenant: Option<&str>) -> anyhow::Result<()> {
    let mut tx = app.db.write().await?;
    let tenant = named_or_first(&mut tx, tenant).await?;
    let allowed = tenants::allows_legacy_lti(&mut tx, tenant.id).await?;
    let added = platforms::legacy::add(&mut tx, tenant.id, name, app.clock.now()).await?;
    tx.commit().await?;
    say!("The platform was registered. Enter in the LMS:");
    let launch = app.config.public(launches::legacy::PATH);
    say!("  Launch URL     {launch}");
    say!("  Consumer key   {}", added.key);
    say!("  Shared secret  {}", added.secret.reveal());
    say!(
        "An activity names what it opens by the custom parameter {}=course/<slug>,",
        launches::ITEM
    );
    let parameter = launches::legacy::ITEM_PARAMETER;
    say!("or by its launch URL: {launch}?{parameter}=course/<slug>");
    if !allowed {
        let slug = &tenant.slug;
        say!("LTI 1.1 is off for {slug}: `passerelle tenant legacy-lti {slug} on` lets it in.");
    }
    Ok(())
}

async fn add(app: &App, args: PlatformArgs) -> anyhow::Result<()> {
    let mut tx = app.db.write().await?;
    let tenant = named_or_first(&mut tx, args.tenant.as_deref()).await?;
    let new = NewRegistration {
        tenant: tenant.id,
        name: args.name,
        issuer: args.issuer,
        client_id: args.client_id,
        authorization_endpoint: args.authorization_endpoint,
        token_endpoint: args.token_endpoint,
        jwks_uri: args.jwks_uri,
        token_audience: args.token_audience,
        deployments: args.deployments,
    };
    let Some(id) = platforms::insert(&mut tx, new, app.clock.now()).await? else {
        bail!("this issuer and client id are registered already");
    };
    tx.commit().await?;
    let config = &app.config;
    say!("The platform was registered. Enter in the LMS:");
    say!("  Tool URL               {}", config.public("/lti/launch"));
    say!("  Initiate login URL     {}", config.public(&format!("/lti/login/{id}")));
    say!("  Redirection URI        {}", config.public("/lti/launch"));
    say!("  Public keyset URL      {}", config.public("/.well-known/jwks.json"));
    say!("  Content selection URL  {}", config.public("/lti/launch"));
    Ok(())
}

async fn list(app: &App) -> anyhow::Result<()> {
    let mut tx = app.db.read().await?;
    let all = platforms::all(&mut tx).await?;
    if all.is_empty() {
        say!("No platform is registered: add one with `passerelle platform add`.");
    }
    for registration in all {
        say!("{}  {}", registration.id, registration.name);
        say!("    issuer {}  client id {}", registration.issuer, registration.client_id);
        for deployment in platforms::deployments(&mut tx, registration.id).await? {
            let (name, state) = (&deployment.deployment_id, deployment.state.as_str());
            say!("    deployment {name}  {state}");
        }
        for launch in platforms::log_of(&mut tx, registration.id, 5).await? {
            say!("    {}  {}  {}", launch.at.format("%F %T"), launch.outcome, launch.detail);
        }
    }
    Ok(())
}

async fn approve(app: &App, id: RegistrationId, deployment: &str) -> anyhow::Result<()> {
    let mut tx = app.db.write().await?;
    if platforms::find(&mut tx, id).await?.is_none() {
        bail!("there is no registration {id}: see `passerelle platform list`");
    }
    platforms::approve_deployment(&mut tx, id, deployment, app.clock.now()).await?;
    tx.commit().await?;
    say!("Launches of the deployment {deployment} are accepted.");
    Ok(())
}

async fn check(app: &App) -> anyhow::Result<()> {
    let all = {
        let mut tx = app.db.read().await?;
        platforms::all(&mut tx).await?
    };
    let mut wrong = 0;
    for registration in all {
        say!("{}", registration.name);
        for finding in platforms::check(app, &registration).await {
            match finding.problem {
                None => say!("  ok     {}", finding.what),
                Some(problem) => {
                    wrong += 1;
                    say!("  wrong  {}: {problem}", finding.what);
                }
            }
        }
    }
    if wrong > 0 {
        bail!("{wrong} checks failed");
    }
    Ok(())
}
