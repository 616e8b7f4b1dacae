//! Course packages and sources, from the command line.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use scorm::compiler::Theme;
use scorm::package::{self, Format};
use scorm::source;

use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::courses::import::{NewVersion, import, inspect};
use crate::courses::{self, Attempts, Counts, shipped};
use crate::web::Lang;

#[derive(Subcommand)]
pub(super) enum CourseCommand {
    /// Build SCORM 1.2 and 2004 packages from a course's sources, in all its languages.
    Build {
        /// The folder with course.toml.
        folder: PathBuf,
        /// Where the zips go.
        #[arg(long, default_value = ".")]
        out: PathBuf,
    },
    /// Read a package or a course's sources, and print what is wrong or unusual.
    Check { path: PathBuf },
    /// Take a package in as a version of a course.
    Import {
        package: PathBuf,
        /// The course's short name: lower-case letters, digits, hyphens.
        #[arg(long)]
        slug: String,
        #[arg(long, default_value = "fr")]
        language: String,
        #[arg(long, default_value = "1")]
        version: String,
        /// The manifest's title when left out.
        #[arg(long)]
        title: Option<String>,
        #[arg(long, default_value = "")]
        description: String,
        /// Foreseen learning time, for the certificate.
        #[arg(long)]
        minutes: i64,
    },
    /// Build and import the courses that come with the service.
    Shipped,
    /// Say what somebody may do who finished a course, and which result counts.
    Policy {
        slug: String,
        /// `once` (go on in the same attempt) or `again` (begin anew).
        #[arg(long)]
        attempts: Attempts,
        /// `best` or `last`, of several finished attempts.
        #[arg(long, default_value = "best")]
        counts: Counts,
    },
}

impl CourseCommand {
    pub(super) async fn run(self, config: Config) -> anyhow::Result<()> {
        match self {
            Self::Build { folder, out } => build(folder, out),
            Self::Check { path } => check(path),
            Self::Import { package, slug, language, version, title, description, minutes } => {
                let language = Lang::from_tag(&language)
                    .with_context(|| format!("the language {language:?} is not spoken here"))?;
                let app = App::start(config, Clock::System).await?;
                let new = NewVersion {
                    slug,
                    language,
                    version,
                    title,
                    description,
                    duration_minutes: minutes,
                };
                let (id, findings) = import(&app, package, new).await?;
                for finding in findings {
                    say!("{finding}\n    {}", finding.help());
                }
                say!("Imported as version {id}.");
                Ok(())
            }
            Self::Shipped => {
                let app = App::start(config, Clock::System).await?;
                shipped::install(&app, |title| say!("{title}")).await?;
                Ok(())
            }
            Self::Policy { slug, attempts, counts } => {
                let app = App::start(config, Clock::System).await?;
                let mut tx = app.db.write().await?;
                let course = courses::by_slug(&mut tx, &slug)
                    .await?
                    .with_context(|| format!("there is no course {slug:?}"))?;
                courses::set_policy(&mut tx, course.id, attempts, counts).await?;
                tx.commit().await?;
                say!(
                    "{slug}: attempts {}, the {} result counts.",
                    attempts.as_str(),
                    counts.as_str()
                );
                Ok(())
            }
        }
    }
}

fn build(folder: PathBuf, out: PathBuf) -> anyhow::Result<()> {
    let loaded = source::load(&folder)?;
    for finding in &loaded.findings {
        say!("{finding}");
    }
    let Some(course) = loaded.course else { bail!("the sources have errors") };
    std::fs::create_dir_all(&out)?;
    for lang in course.contents.keys() {
        for format in [Format::Scorm12, Format::Scorm2004Fourth] {
            let bytes = package::build_bytes(&course, *lang, format, &Theme::builtin())?;
            let path = out.join(package::file_name(&course, *lang, format));
            std::fs::write(&path, bytes).with_context(|| path.display().to_string())?;
            say!("{}", path.display());
        }
    }
    Ok(())
}

fn check(path: PathBuf) -> anyhow::Result<()> {
    if path.is_dir() {
        let findings = source::check(&path)?;
        for finding in &findings {
            say!("{finding}");
        }
        let errors = findings.iter().filter(|f| f.severity() == source::Severity::Error).count();
        if errors > 0 {
            bail!("{errors} errors");
        }
        return Ok(());
    }
    let inspected = inspect(&path)?;
    for note in &inspected.index.notes {
        say!("note: {note}");
    }
    for finding in &inspected.reading.findings {
        say!("{finding}\n    {}", finding.help());
    }
    let manifest = &inspected.reading.manifest;
    say!(
        "{} ({}), {} files",
        manifest.title,
        manifest.edition.name(),
        inspected.index.entries.len()
    );
    Ok(())
}
