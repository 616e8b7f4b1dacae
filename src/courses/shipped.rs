//! The courses that come with the service, compiled from their sources.

use std::io::Write as _;

use include_dir::{Dir, include_dir};
use scorm::compiler::Theme;
use scorm::package::{self, BuildError, Format};
use scorm::source::{self, Course};

use super::import::{ImportError, NewVersion, import};
use crate::app::App;
use crate::web::Lang;

static SOURCES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/courses");

#[derive(Debug, thiserror::Error)]
pub enum ShippedError {
    #[error("the course {slug} has errors in its sources: {findings}")]
    Sources { slug: String, findings: String },
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error(transparent)]
    Import(#[from] ImportError),
    #[error("a temporary file cannot be written")]
    Temporary(#[from] std::io::Error),
}

/// The shipped courses, parsed.
pub fn sources() -> Result<Vec<Course>, ShippedError> {
    SOURCES.dirs().map(parse).collect()
}

fn parse(folder: &Dir<'_>) -> Result<Course, ShippedError> {
    let mut files = source::Files::new();
    collect(folder, folder, &mut files);
    let loaded = source::parse(&files);
    let findings = loaded.findings;
    loaded.course.ok_or_else(|| ShippedError::Sources {
        slug: folder.path().display().to_string(),
        findings: findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
    })
}

fn collect(root: &Dir<'_>, folder: &Dir<'_>, files: &mut source::Files) {
    for file in folder.files() {
        let path = file.path().strip_prefix(root.path()).unwrap_or(file.path());
        files.insert(path.to_string_lossy().into_owned(), file.contents().to_vec());
    }
    for folder in folder.dirs() {
        collect(root, folder, files);
    }
}

/// Builds and imports the shipped courses that are not there yet; tells `report` of each.
pub async fn install(app: &App, report: impl Fn(&str)) -> Result<(), ShippedError> {
    for course in sources()? {
        for (lang, content) in &course.contents {
            let Some(language) = Lang::from_tag(lang.code()) else { continue };
            let mut tx = app.db.read().await.map_err(ImportError::from)?;
            let known =
                match super::by_slug(&mut tx, &course.slug).await.map_err(ImportError::from)? {
                    Some(known) => {
                        super::versions(&mut tx, known.id).await.map_err(ImportError::from)?
                    }
                    None => Vec::new(),
                };
            drop(tx);
            if known.iter().any(|v| v.language == language && v.version == course.version) {
                continue;
            }
            let bytes =
                package::build_bytes(&course, *lang, Format::Scorm2004Fourth, &Theme::builtin())?;
            let mut file = tempfile::NamedTempFile::new()?;
            file.write_all(&bytes)?;
            file.flush()?;
            let new = NewVersion {
                slug: course.slug.clone(),
                language,
                version: course.version.clone(),
                title: Some(content.title.clone()),
                description: content.description.clone(),
                duration_minutes: i64::from(course.duration_minutes),
            };
            match import(app, file.path().to_owned(), new).await {
                // Another process was faster.
                Ok(_) | Err(ImportError::VersionExists { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            report(&format!("{} ({})", content.title, lang.code()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_course_compiles_in_both_languages() {
        let courses = sources().expect("no error in the sources");
        assert_eq!(courses.len(), 3);
        for course in courses {
            assert_eq!(course.contents.len(), 2, "{}", course.slug);
        }
    }
}
