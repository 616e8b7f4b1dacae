//! Tenants and platforms, from the command line.

use anyhow::{Context as _, bail};
use chrono_tz::Tz;
use clap::{Args, Subcommand, ValueEnum};
use url::Url;

use crate::app::App;
use crate::db::Tx;
use crate::ids::RegistrationId;
use crate::launches;
use crate::platforms::keys::{self, Rotation};
use crate::platforms::{
    self, Addresses, Decision, NewRegistration, RegistrationState, dynamic, moving,
};
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
    /// Let in an LMS that registered itself without a link and waits.
    Activate {
        /// The registration, as `platform list` shows it.
        registration: RegistrationId,
    },
    /// Make a link with which an LMS registers itself, and print what to do with it.
    Invite {
        /// The tenant it is for; the first one when left out.
        #[arg(long)]
        tenant: Option<String>,
    },
    /// Let the next of our keys sign towards LMSs.
    RotateKeys(RotateArgs),
    /// The LMS moved: bind its registration to other addresses. People, courses and results stay.
    Rebind(Box<RebindArgs>),
    /// Refuse launches of an LMS; what was done through it stays.
    Close { registration: RegistrationId },
    /// Let launches of a closed LMS in again.
    Reopen { registration: RegistrationId },
    /// Fetch their keys and ask them for a token.
    Check,
}

#[derive(Args)]
pub(super) struct RotateArgs {
    /// The registration whose own keys to rotate, as `platform list` shows it.
    #[arg(required_unless_present = "installation", conflicts_with = "installation")]
    registration: Option<RegistrationId>,
    /// Rotate the installation's keys, which registrations without own ones use.
    #[arg(long)]
    installation: bool,
    /// Somebody else may have the keys: sign with a new one at once and publish the old ones no
    /// longer. LMSs refuse what we sign until they fetch the key set again.
    #[arg(long)]
    compromised: bool,
}

#[derive(Args)]
pub(super) struct RebindArgs {
    /// The registration, as `platform list` shows it.
    registration: RegistrationId,
    /// What is left out stays.
    #[arg(long)]
    issuer: Option<String>,
    #[arg(long)]
    client_id: Option<String>,
    #[arg(long)]
    authorization_endpoint: Option<Url>,
    #[arg(long)]
    token_endpoint: Option<Url>,
    #[arg(long)]
    jwks_uri: Option<Url>,
    #[arg(long)]
    token_audience: Option<String>,
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
            Self::Activate { registration } => activate(&app, registration).await,
            Self::Invite { tenant } => invite(&app, tenant.as_deref()).await,
            Self::RotateKeys(args) => rotate_keys(&app, &args).await,
            Self::Rebind(args) => rebind(&app, *args).await,
            Self::Close { registration } => decide(&app, registration, Decision::Close).await,
            Self::Reopen { registration } => decide(&app, registration, Decision::Reopen).await,
            Self::Check => check(&app).await,
        }
    }
}

async fn rebind(app: &App, args: RebindArgs) -> anyhow::Result<()> {
    let mut tx = app.db.write().await?;
    let Some(current) = platforms::find(&mut tx, args.registration).await? else {
        bail!("there is no registration {}: see `passerelle platform list`", args.registration);
    };
    let or_current = |new: Option<Url>, current: &str| match new {
        Some(new) => Ok(new),
        None => Url::parse(current).with_context(|| format!("{current:?} is not an address")),
    };
    let to = Addresses {
        authorization_endpoint: or_current(
            args.authorization_endpoint,
            &current.authorization_endpoint,
        )?,
        token_endpoint: or_current(args.token_endpoint, &current.token_endpoint)?,
        jwks_uri: or_current(args.jwks_uri, &current.jwks_uri)?,
        issuer: args.issuer.unwrap_or_else(|| current.issuer.clone()),
        client_id: args.client_id.unwrap_or_else(|| current.client_id.clone()),
        token_audience: args.token_audience.or_else(|| current.token_audience.clone()),
    };
    let rebound = moving::rebind(&mut tx, &current, &to, app.clock.now()).await?;
    tx.commit().await?;
    say!("{} is bound to {}.", current.name, to.issuer);
    say!("{} gradebook columns moved with it.", rebound.line_items);
    Ok(())
}

async fn decide(app: &App, id: RegistrationId, decision: Decision) -> anyhow::Result<()> {
    let mut tx = app.db.write().await?;
    let Some(registration) = platforms::find(&mut tx, id).await? else {
        bail!("there is no registration {id}: see `passerelle platform list`");
    };
    if !platforms::decide(&mut tx, &registration, decision, app.clock.now()).await? {
        bail!("{} is {}: nothing to do", registration.name, registration.state.as_str());
    }
    tx.commit().await?;
    let after = if decision == Decision::Close { "refused" } else { "accepted" };
    say!("Launches of {} are {after}.", registration.name);
    Ok(())
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
    let key = keys::make().await?;
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
    let now = app.clock.now();
    let Some(id) = platforms::insert(&mut tx, new, now).await? else {
        bail!("this issuer and client id are registered already");
    };
    keys::insert_first(&mut tx, id, key, now).await?;
    keys::prepare_next(&mut tx, id, now).await?;
    tx.commit().await?;
    let config = &app.config;
    say!("The platform was registered. Enter in the LMS:");
    say!("  Tool URL               {}", config.public("/lti/launch"));
    say!("  Initiate login URL     {}", config.public(&format!("/lti/login/{id}")));
    say!("  Redirection URI        {}", config.public("/lti/launch"));
    say!("  Public keyset URL      {}", keys::address(config, id));
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
        if registration.state != RegistrationState::Active {
            say!("    {}", registration.state.as_str());
        }
        let own = keys::keys_of(&mut tx, registration.id).await?;
        if own.is_empty() {
            let address = keys::installation_address(&app.config);
            say!("    key set {address} (the installation's)");
        } else {
            say!("    key set {}", keys::address(&app.config, registration.id));
        }
        for key in own {
            say!("    key {}  {}  {}", key.created_at.format("%F %T"), key.state.as_str(), key.kid);
        }
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

async fn activate(app: &App, id: RegistrationId) -> anyhow::Result<()> {
    let mut tx = app.db.write().await?;
    if !dynamic::activate(&mut tx, id, app.clock.now()).await? {
        bail!("no registration {id} waits: see `passerelle platform list`");
    }
    tx.commit().await?;
    say!("Launches of the registration {id} are accepted.");
    Ok(())
}

async fn invite(app: &App, tenant: Option<&str>) -> anyhow::Result<()> {
    let now = app.clock.now();
    let mut tx = app.db.write().await?;
    let tenant = named_or_first(&mut tx, tenant).await?;
    let link = dynamic::invite(&mut tx, tenant.id, now).await?;
    tx.commit().await?;
    say!("{}", dynamic::address(&app.config, &link));
    say!("");
    say!(
        "With this link an LMS registers itself for {}. Give it to who administers the LMS:",
        tenant.name
    );
    say!("  Moodle       Site administration > Plugins > Activity modules > External tool >");
    say!(
        "               Manage tools: paste it as the tool URL, choose \"Add LTI Advantage\", activate the tool"
    );
    say!("  Canvas       Admin > Developer Keys > + Developer Key > LTI Registration: paste it");
    say!("  Brightspace  Admin tools > Manage Extensibility > LTI Advantage > Register Tool >");
    say!("               Dynamic: paste it as the initiate registration endpoint");
    let until = (now + dynamic::LINK_LIFE).format("%F %T");
    say!(
        "It works once, until {until} UTC. Whoever has it can connect an LMS: treat it as a password."
    );
    Ok(())
}

async fn rotate_keys(app: &App, args: &RotateArgs) -> anyhow::Result<()> {
    let (of, now) = (args.registration, app.clock.now());
    if let Some(id) = of {
        let mut tx = app.db.read().await?;
        if platforms::find(&mut tx, id).await?.is_none() {
            bail!("there is no registration {id}: see `passerelle platform list`");
        }
        if keys::keys_of(&mut tx, id).await?.is_empty() {
            bail!("{id} uses the installation's keys: rotate them with --installation");
        }
    }
    if args.compromised {
        let fresh = keys::make().await?;
        let mut tx = app.db.write().await?;
        keys::replace(&mut tx, of, fresh, now).await?;
        tx.commit().await?;
        say!(
            "A new key signs, and the others are not published any more. Running processes follow"
        );
        say!("within a minute, LMSs when they fetch the key set again.");
        return Ok(());
    }
    let mut tx = app.db.write().await?;
    let rotation = keys::rotate(&mut tx, of, now).await?;
    tx.commit().await?;
    match rotation {
        Rotation::Done => say!("The next key signs; the former is published for another week."),
        Rotation::Scheduled(from) => {
            let from = from.format("%F %T");
            say!("The next key signs from {from} UTC, when it will have been published for a day.");
        }
        Rotation::Shared => bail!("there are no such keys"),
    }
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
