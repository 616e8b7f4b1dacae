//! Sends launches to a service in a process of its own and measures: how many a second, how long
//! each takes, and what one costs the service in processor time.
//!
//! It starts the service on free ports with a database of its own, registers itself as a platform
//! (with a key set on loopback), makes the logins and signs the tokens in advance, and then only
//! posts. `docs/performance.md` says how to run it and how to read what it prints.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener as StdListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey,
};
use axum::{Json, Router, routing::get};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use clap::Parser;
use futures::future::try_join_all;
use passerelle::clock::Clock;
use passerelle::ids::label;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

/// The state of a login lives fifteen minutes, a token ten: what is prepared must be sent by then.
const PREPARED_FOR: Duration = Duration::from_mins(8);
const DEPLOYMENT: &str = "1";
/// Courses of the platform that launches are spread over.
const CONTEXTS: usize = 50;

#[derive(Parser)]
struct Options {
    /// The service's program; the one built beside this when left out.
    #[arg(long)]
    passerelle: Option<PathBuf>,
    /// `sqlite:…` or `postgres://…`; a SQLite file in a temporary folder when left out.
    #[arg(long)]
    database: Option<String>,
    /// How many launches are measured.
    #[arg(long, default_value_t = 10_000)]
    launches: usize,
    /// How many are under way at a time, each on a connection of its own.
    #[arg(long, default_value_t = 64)]
    concurrency: usize,
    /// How many people launch, in turn: whoever comes a second time is known already.
    #[arg(long, default_value_t = 2_000)]
    people: usize,
    /// What the activities open: `events`, or `course/…`, which enrols and aims a grade.
    #[arg(long, default_value = "course/premiers-pas-etwinning")]
    item: String,
    /// How many launches go before the measurement.
    #[arg(long, default_value_t = 200)]
    warm_up: usize,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    ensure!(options.concurrency > 0 && options.launches > 0 && options.people > 0, "nothing to do");
    let platform = Platform::start().await?;
    let service = Service::start(&options, &platform).await?;
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(options.concurrency)
        .no_proxy()
        .build()?;
    service.ready(&http).await?;

    let began = Instant::now();
    let all = options.warm_up + options.launches;
    let mut launches = prepare(&options, &platform, &service, &http, all).await?;
    let measured = launches.split_off(options.warm_up);
    println!("prepared {all} launches in {:.1} s", began.elapsed().as_secs_f64());
    let alone = platform.verification_alone(&measured[0]);

    post(&service, &http, launches, options.concurrency).await?;
    let (before, own_before) = (service.cpu_time()?, cpu_time(std::process::id())?);
    let run = post(&service, &http, measured, options.concurrency).await?;
    let (after, own_after) = (service.cpu_time()?, cpu_time(std::process::id())?);
    ensure!(began.elapsed() < PREPARED_FOR, "too slow: the last tokens were too old; send fewer");
    report(
        &options,
        &run,
        after.saturating_sub(before),
        own_after.saturating_sub(own_before),
        alone,
    );
    ensure!(run.refused.is_empty(), "not every launch was accepted");
    Ok(())
}

/// A launch that only has to be posted.
struct Prepared {
    cookie: String,
    body: Bytes,
    token: String,
}

/// What a measurement found.
struct Run {
    took: Duration,
    /// Of each launch, shortest first.
    latencies: Vec<Duration>,
    /// Status and code of what was not accepted, with how often.
    refused: BTreeMap<String, usize>,
}

/// The platform that everybody comes from: one key, published on loopback.
struct Platform {
    issuer: String,
    client_id: String,
    key: KeyPair,
}

impl Platform {
    async fn start() -> anyhow::Result<Self> {
        let key = KeyPair::generate(KeySize::Rsa2048)?;
        let public = key.public_key();
        let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let keys = json!({"keys": [{
            "kty": "RSA", "alg": "RS256", "use": "sig", "kid": "load",
            "n": number(public.modulus().big_endian_without_leading_zero()),
            "e": number(public.exponent().big_endian_without_leading_zero()),
        }]});
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let issuer = format!("http://{}", listener.local_addr()?);
        let routes = Router::new().route("/keys", get(move || async move { Json(keys) }));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self { issuer, client_id: label(), key })
    }

    fn sign(&self, claims: &Value) -> anyhow::Result<String> {
        let header = json!({"typ": "JWT", "alg": "RS256", "kid": "load"});
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(&header), part(claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)?;
        Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// What an LMS says of a learner, with all that a Moodle sends (LTI 1.3 Core, 5.3 and 5.4).
    fn claims(&self, number: usize, people: usize, target: &str, nonce: &str) -> Value {
        let now = Clock::System.now().timestamp();
        let (person, context) = (number % people, number % CONTEXTS);
        let lti = |name: &str| format!("https://purl.imsglobal.org/spec/lti/claim/{name}");
        json!({
            "iss": self.issuer, "aud": self.client_id, "sub": format!("{person}"),
            "iat": now, "exp": now + 600, "nonce": nonce,
            "given_name": "Zoé", "family_name": format!("Lefèvre {person}"),
            "name": format!("Zoé Lefèvre {person}"),
            "email": format!("zoe-{person}@campus.example"),
            (lti("version")): "1.3.0",
            (lti("message_type")): "LtiResourceLinkRequest",
            (lti("deployment_id")): DEPLOYMENT,
            (lti("target_link_uri")): target,
            (lti("resource_link")): {"id": format!("link-{context}"), "title": "Activité"},
            (lti("context")): {
                "id": format!("{context}"), "title": format!("Parcours {context}"),
                "label": format!("P{context}"), "type": ["CourseSection"],
            },
            (lti("roles")): ["http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"],
            (lti("launch_presentation")): {
                "return_url": format!("{}/course/{context}", self.issuer), "locale": "fr",
                "document_target": "iframe",
            },
            (lti("tool_platform")): {
                "product_family_code": "moodle", "version": "2024100706", "guid": "load",
                "name": "Load",
            },
            (lti("custom")): {"context_memberships_url": format!("{}/members", self.issuer)},
            "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint": {
                "scope": ["https://purl.imsglobal.org/spec/lti-ags/scope/score"],
                "lineitems": format!("{}/{context}/lineitems?type_id=1", self.issuer),
                "lineitem": format!("{}/{context}/lineitems/1/lineitem?type_id=1", self.issuer),
            },
            "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice": {
                "context_memberships_url": format!("{}/{context}/members", self.issuer),
                "service_versions": ["1.0", "2.0"],
            },
        })
    }

    /// The time that one RSA-2048 verification of this token takes: what no launch can go without.
    fn verification_alone(&self, launch: &Prepared) -> Duration {
        const TIMES: u32 = 3_000;
        let (message, signature) = launch.token.rsplit_once('.').unwrap_or_default();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.key.public_key());
        let began = Instant::now();
        let right = (0..TIMES).all(|_| key.verify(message.as_bytes(), &signature).is_ok());
        assert!(right, "our own signature is wrong");
        began.elapsed() / TIMES
    }
}

/// The service that is measured.
struct Service {
    origin: String,
    process: Child,
    _folder: tempfile::TempDir,
}

impl Drop for Service {
    fn drop(&mut self) {
        // Ours, by its handle; it may be over already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Service {
    async fn start(options: &Options, platform: &Platform) -> anyhow::Result<Self> {
        let program = match &options.passerelle {
            Some(program) => program.clone(),
            None => beside()?,
        };
        let folder = tempfile::tempdir()?;
        let database = options.database.clone().unwrap_or_else(|| {
            format!("sqlite:{}", folder.path().join("passerelle.sqlite").display())
        });
        let (port, content_port) = free_ports()?;
        let origin = format!("http://localhost:{port}");
        let command = |arguments: &[&str]| {
            let mut command = Command::new(&program);
            command
                .args(arguments)
                .env_remove("PASSERELLE_CONFIG")
                .env("PASSERELLE_DATABASE_URL", &database)
                .env("PASSERELLE_BLOBS", folder.path().join("blobs"))
                .env("PASSERELLE_BIND", format!("127.0.0.1:{port}"))
                .env("PASSERELLE_CONTENT_BIND", format!("127.0.0.1:{content_port}"))
                .env("PASSERELLE_METRICS_BIND", "")
                .env("PASSERELLE_PUBLIC_URL", &origin)
                .env("PASSERELLE_CONTENT_URL", format!("http://{{label}}.localhost:{content_port}"))
                .env("PASSERELLE_INSECURE_ALLOW_PRIVATE_NETWORKS", "true")
                .stdin(Stdio::null())
                .stdout(Stdio::null());
            command
        };
        let run = |arguments: &[&str]| -> anyhow::Result<()> {
            let status = command(arguments).status();
            let status = status.with_context(|| format!("{} cannot be run", program.display()))?;
            ensure!(status.success(), "passerelle {} failed", arguments.join(" "));
            Ok(())
        };
        let tenant = format!("load-{}", label().chars().take(8).collect::<String>());
        run(&[
            "tenant",
            "add",
            &tenant,
            "--name",
            "Load",
            "--sender",
            "load@load.example",
            "--signatory",
            "Nobody",
            "--signatory-title",
            "Nothing",
        ])?;
        if options.item.starts_with("course/") {
            run(&["course", "shipped"])?;
        }
        let at = |path: &str| format!("{}{path}", platform.issuer);
        run(&[
            "platform",
            "add",
            "Load",
            "--tenant",
            &tenant,
            "--issuer",
            &platform.issuer,
            "--client-id",
            &platform.client_id,
            "--deployment",
            DEPLOYMENT,
            "--authorization-endpoint",
            &at("/auth"),
            "--token-endpoint",
            &at("/token"),
            "--jwks-uri",
            &at("/keys"),
        ])?;
        let process = command(&["serve"]).spawn()?;
        Ok(Self { origin, process, _folder: folder })
    }

    async fn ready(&self, http: &reqwest::Client) -> anyhow::Result<()> {
        let address = format!("{}/health/ready", self.origin);
        for _ in 0..600 {
            if http.get(&address).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("the service is not ready after half a minute")
    }

    fn cpu_time(&self) -> anyhow::Result<Duration> {
        cpu_time(self.process.id())
    }
}

/// The program of the same build: `target/release/examples/…` stands beside `target/release/…`.
fn beside() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own.parent().and_then(Path::parent).context("this program stands nowhere")?;
    let program = folder.join("passerelle");
    ensure!(program.exists(), "build it first: there is no {}", program.display());
    Ok(program)
}

/// Two ports that nobody listens on, taken at once so that they differ.
fn free_ports() -> anyhow::Result<(u16, u16)> {
    let listen = || StdListener::bind((Ipv4Addr::LOCALHOST, 0));
    let (one, other) = (listen()?, listen()?);
    Ok((one.local_addr()?.port(), other.local_addr()?.port()))
}

/// User and system time of a process so far (proc(5), `/proc/<pid>/stat`, fields 14 and 15).
fn cpu_time(process: u32) -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))
        .context("the service is gone, or this is not Linux")?;
    let (_, fields) = stat.rsplit_once(')').context("no such line as proc(5) describes")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = |index: usize| -> anyhow::Result<f64> {
        Ok(fields.get(index).context("too short a line")?.parse()?)
    };
    let per_second = Command::new("getconf").arg("CLK_TCK").output().ok();
    let per_second = per_second.and_then(|told| String::from_utf8(told.stdout).ok());
    let per_second = per_second.and_then(|told| told.trim().parse::<f64>().ok()).unwrap_or(100.0);
    Ok(Duration::from_secs_f64((ticks(11)? + ticks(12)?) / per_second))
}

/// Logs in and signs, several at a time.
async fn prepare(
    options: &Options,
    platform: &Platform,
    service: &Service,
    http: &reqwest::Client,
    count: usize,
) -> anyhow::Result<Vec<Prepared>> {
    let target = format!("{}/lti/open/{}", service.origin, options.item);
    let next = AtomicUsize::new(0);
    let workers = (0..16).map(|_| {
        let (next, target) = (&next, target.as_str());
        async move {
            let mut prepared = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return Ok::<_, anyhow::Error>(prepared);
                }
                let (cookie, state, nonce) = login(platform, service, http, target).await?;
                let claims = platform.claims(number, options.people, target, &nonce);
                let token = platform.sign(&claims)?;
                let body = url::form_urlencoded::Serializer::new(String::new())
                    .append_pair("id_token", &token)
                    .append_pair("state", &state)
                    .finish();
                prepared.push(Prepared { cookie, body: body.into(), token });
            }
        }
    });
    Ok(try_join_all(workers).await?.into_iter().flatten().collect())
}

/// A browser of its own follows a link as far as the platform: its cookie, the state, the nonce.
async fn login(
    platform: &Platform,
    service: &Service,
    http: &reqwest::Client,
    target: &str,
) -> anyhow::Result<(String, String, String)> {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("iss", &platform.issuer)
        .append_pair("client_id", &platform.client_id)
        .append_pair("login_hint", "4")
        .append_pair("lti_message_hint", "{\"cmid\":2}")
        .append_pair("target_link_uri", target)
        .finish();
    let first = http.get(format!("{}/lti/login?{query}", service.origin)).send().await?;
    let headers = first.headers();
    let text = |name: &str| -> anyhow::Result<String> {
        let value = headers.get(name).with_context(|| format!("{}: no {name}", first.status()))?;
        Ok(value.to_str()?.to_owned())
    };
    let cookie = text("set-cookie")?.split(';').next().unwrap_or_default().to_owned();
    let again = format!("{}{}", service.origin, text("location")?);
    let second = http.get(again).header("cookie", &cookie).send().await?;
    let location = second.headers().get("location").context("the login leads nowhere")?;
    let url = Url::parse(location.to_str()?)?;
    let value = |wanted: &str| {
        let found = url.query_pairs().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.into_owned()).with_context(|| format!("no {wanted} in {url}"))
    };
    Ok((cookie, value("state")?, value("nonce")?))
}

/// Posts everything; each worker keeps one connection and has one launch under way.
async fn post(
    service: &Service,
    http: &reqwest::Client,
    launches: Vec<Prepared>,
    concurrency: usize,
) -> anyhow::Result<Run> {
    let address = format!("{}/lti/launch", service.origin);
    let (launches, next) = (Arc::new(launches), Arc::new(AtomicUsize::new(0)));
    let began = Instant::now();
    let workers = (0..concurrency).map(|_| {
        let (launches, next) = (launches.clone(), next.clone());
        let (http, address) = (http.clone(), address.clone());
        tokio::spawn(async move {
            let mut found: Vec<(Duration, Option<String>)> = Vec::new();
            while let Some(launch) = launches.get(next.fetch_add(1, Ordering::Relaxed)) {
                let sent = Instant::now();
                let refused = one(&http, &address, launch).await;
                found.push((sent.elapsed(), refused));
            }
            found
        })
    });
    let found = try_join_all(workers).await?;
    let took = began.elapsed();
    let mut run = Run { took, latencies: Vec::new(), refused: BTreeMap::new() };
    for (latency, refused) in found.into_iter().flatten() {
        run.latencies.push(latency);
        if let Some(reason) = refused {
            *run.refused.entry(reason).or_default() += 1;
        }
    }
    run.latencies.sort_unstable();
    Ok(run)
}

/// Nothing when the launch was accepted.
async fn one(http: &reqwest::Client, address: &str, launch: &Prepared) -> Option<String> {
    let request = http
        .post(address)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("cookie", &launch.cookie)
        .header("sec-fetch-site", "cross-site")
        .body(launch.body.clone());
    let answer = match request.send().await {
        Ok(answer) => answer,
        Err(error) => return Some(format!("not sent: {error}")),
    };
    let status = answer.status();
    let page = answer.bytes().await.unwrap_or_default();
    if status == reqwest::StatusCode::SEE_OTHER {
        return None;
    }
    let page = String::from_utf8_lossy(&page);
    let code = page.split("<code>").nth(1).and_then(|rest| rest.split('<').next());
    Some(format!("{status} {}", code.unwrap_or("without a code")))
}

fn report(options: &Options, run: &Run, cpu: Duration, own: Duration, alone: Duration) {
    let count = run.latencies.len();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    let at = |share: f64| {
        let index = ((count as f64 * share).ceil() as usize).clamp(1, count) - 1;
        milliseconds(run.latencies[index])
    };
    let each = |time: Duration| milliseconds(time) / count as f64;
    let errors: usize = run.refused.values().sum();
    println!("database               {}", database(options));
    println!("opens                  {}", options.item);
    println!("launches               {count} of {} people", options.people.min(count));
    println!("concurrency            {}", options.concurrency);
    println!("launches per second    {:.0}", count as f64 / run.took.as_secs_f64());
    println!("p50                    {:.1} ms", at(0.50));
    println!("p90                    {:.1} ms", at(0.90));
    println!("p99                    {:.1} ms", at(0.99));
    println!("longest                {:.1} ms", at(1.0));
    println!("errors                 {errors}");
    for (reason, times) in &run.refused {
        println!("    {times} times {reason}");
    }
    println!("service CPU per launch {:.3} ms", each(cpu));
    println!("driver CPU per launch  {:.3} ms", each(own));
    println!("one RSA-2048 check     {:.3} ms", milliseconds(alone));
}

/// Its kind: the address may hold a password.
fn database(options: &Options) -> &str {
    let url = options.database.as_deref().unwrap_or("sqlite:");
    url.split_once(':').map_or(url, |(scheme, _)| scheme)
}
