//! What is wrong, and the one line that mends it.

use anyhow::bail;

use crate::app::App;
use crate::clock::Clock;
use crate::config::{Config, Encryption};
use crate::console::{self, StaffRole};
use crate::{jobs, platforms, tenants};

pub(super) async fn run(config: Config) -> anyhow::Result<()> {
    let mut report = Report::default();
    let app = match App::start(config.clone(), Clock::System).await {
        Ok(app) => app,
        Err(error) => {
            let error = anyhow::Error::from(error);
            bail!("the service cannot start: {error:#}");
        }
    };
    report.add("database", app.db.name(), None);
    report.add("blobs", "writable", app.blobs.check().await.err().map(|error| error.to_string()));
    report.add(
        "mail server",
        &format!("{}:{}", config.smtp.host, config.smtp.port),
        app.smtp.check().await.err(),
    );
    let remote = !matches!(config.smtp.host.as_str(), "127.0.0.1" | "localhost" | "::1");
    if remote && config.smtp.encryption == Encryption::None {
        let problem = "mails cross the network unencrypted: set smtp.encryption to starttls or tls";
        report.add("mail encryption", "none", Some(problem.to_owned()));
    }
    origins(&config, &mut report);

    let mut tx = app.db.read().await?;
    let tenant = tenants::first(&mut tx).await?;
    let missing = "there is none: add one with `passerelle tenant add`";
    report.add("tenant", "present", tenant.is_none().then(|| missing.to_owned()));
    let staff = console::all(&mut tx).await?;
    let admins = staff.iter().filter(|staff| staff.role == StaffRole::Admin).count();
    let missing = "nobody can open the console: `passerelle admin invite --name NAME ADDRESS`";
    report.add("administrators", &admins.to_string(), (admins == 0).then(|| missing.to_owned()));
    for (state, count) in jobs::counts(&mut tx).await? {
        let failed = state == "failed" && count > 0;
        let problem = failed.then(|| format!("{count} jobs failed for good; the log says why"));
        report.add("jobs", &format!("{count} {state}"), problem);
    }
    let registrations = platforms::all(&mut tx).await?;
    drop(tx);
    if let Some(provider) = &config.staff_sign_in {
        let problem = app.staff_provider.check(&app).await.err().map(|error| error.to_string());
        report.add("staff sign-in", &provider.issuer, problem);
    }
    for registration in registrations {
        for finding in platforms::check(&app, &registration).await {
            report.add(&registration.name, &finding.what, finding.problem);
        }
    }
    report.end()
}

fn origins(config: &Config, report: &mut Report) {
    let secure = config.public_url.scheme() == "https" || config.secure_cookies();
    report.add(
        "public_url",
        config.public_url.as_str(),
        (!secure).then(|| "browsers keep no cookie of ours over http: serve it over https".into()),
    );
    let host = config.public_url.host_str().unwrap_or_default();
    let sample = config.content_origin("a");
    let content = url::Url::parse(&sample).ok();
    let content_host = content.as_ref().and_then(url::Url::host_str).unwrap_or_default();
    let shared = content_host.ends_with(&format!(".{host}")) && host != "localhost";
    report.add(
        "content_url",
        &config.content_url,
        shared.then(|| {
            "content is served below the pages' own domain: give it a domain of its own".to_owned()
        }),
    );
}

#[derive(Default)]
struct Report {
    wrong: usize,
}

impl Report {
    fn add(&mut self, what: &str, state: &str, problem: Option<String>) {
        match problem {
            None => say!("ok     {what}: {state}"),
            Some(problem) => {
                self.wrong += 1;
                say!("wrong  {what}: {state}: {problem}");
            }
        }
    }

    fn end(self) -> anyhow::Result<()> {
        if self.wrong > 0 {
            bail!("{} things to mend", self.wrong);
        }
        say!("Everything is in order.");
        Ok(())
    }
}
