//! Taking a package in: checked whole, stored whole, or refused and nothing stored.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use scorm::archive::{Archive as Zip, ArchiveError, EntryReader, Index, Limits, Method};
use scorm::archive::{is_seekable_media, read_entry};
use scorm::manifest::{self, Finding, ManifestError, Reading};

use super::{Archive, store};
use crate::app::App;
use crate::blobs::BlobError;
use crate::ids::CourseVersionId;
use crate::web::Lang;

/// A manifest is text; a larger one is something else.
const MANIFEST_LIMIT: u64 = 20 * 1024 * 1024;

/// What the package does not say itself.
#[derive(Clone, Debug)]
pub struct NewVersion {
    pub slug: String,
    pub language: Lang,
    pub version: String,
    /// The manifest's when `None`.
    pub title: Option<String>,
    pub description: String,
    pub duration_minutes: i64,
}

#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("{path} cannot be read: {source}")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error("the package has no imsmanifest.xml at its root")]
    NoManifest,
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    #[error("version {version} of {slug} in {language} exists already, and versions never change")]
    VersionExists { slug: String, version: String, language: &'static str },
    #[error("the slug {0:?} must be lower-case letters, digits and hyphens")]
    Slug(String),
    #[error(transparent)]
    Blob(#[from] BlobError),
    #[error("the work on the file was interrupted")]
    Interrupted,
    #[error("a temporary file cannot be written")]
    Temporary(#[from] std::io::Error),
    #[error(transparent)]
    Database(#[from] crate::db::Error),
}

impl ImportError {
    /// The stable name of what happened.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "package-unreadable",
            Self::Archive(error) => error.code(),
            Self::NoManifest => "no-manifest",
            Self::Manifest(error) => error.code(),
            Self::VersionExists { .. } => "version-exists",
            Self::Slug(_) => "slug-invalid",
            Self::Blob(_) | Self::Interrupted | Self::Temporary(_) | Self::Database(_) => {
                "internal"
            }
        }
    }
}

/// A package that could be imported, with what is worth knowing about it.
pub struct Inspected {
    pub index: Index,
    pub reading: Reading,
}

/// Reads the whole zip once, streaming, and its manifest. Blocks.
pub fn inspect(path: &Path) -> Result<Inspected, ImportError> {
    let open = || {
        File::open(path).map_err(|source| ImportError::Unreadable { path: path.to_owned(), source })
    };
    let index = Zip::inspect(open()?, &Limits::default())?;
    let entry = index.manifest().ok_or(ImportError::NoManifest)?;
    let bytes = read_entry(open()?, entry, MANIFEST_LIMIT)?;
    let reading = manifest::read(&bytes, &index)?;
    Ok(Inspected { index, reading })
}

/// The version that was made, with the manifest's findings.
pub async fn import(
    app: &App,
    path: PathBuf,
    new: NewVersion,
) -> Result<(CourseVersionId, Vec<Finding>), ImportError> {
    let well_formed = !new.slug.is_empty()
        && new.slug.len() <= 80
        && new.slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !well_formed {
        return Err(ImportError::Slug(new.slug));
    }
    let blocking = path.clone();
    let Inspected { index, reading } = tokio::task::spawn_blocking(move || inspect(&blocking))
        .await
        .map_err(|_| ImportError::Interrupted)??;
    let media = keep_media(app, &path, &index).await?;
    let (package, bytes) = app.blobs.put_file(&path).await?;
    let archive = Archive { index, media };

    let now = app.clock.now();
    let mut tx = app.db.write().await?;
    let course = store::insert_course(&mut tx, &new.slug, now).await?;
    let version = store::insert_version(
        &mut tx,
        course,
        &new,
        (&package, bytes),
        &archive,
        &reading.manifest,
        now,
    )
    .await?
    .ok_or_else(|| ImportError::VersionExists {
        slug: new.slug.clone(),
        version: new.version.clone(),
        language: new.language.as_str(),
    })?;
    tx.commit().await?;
    Ok((version, reading.findings))
}

/// Stores deflated media a second time, inflated, as blobs of their own.
async fn keep_media(
    app: &App,
    path: &Path,
    index: &Index,
) -> Result<BTreeMap<String, String>, ImportError> {
    let mut media = BTreeMap::new();
    let wanted = index
        .entries
        .iter()
        .filter(|entry| entry.method == Method::Deflated && is_seekable_media(&entry.path));
    for entry in wanted {
        let (zip, entry) = (path.to_owned(), entry.clone());
        let name = entry.path.clone();
        let inflated = tokio::task::spawn_blocking(move || {
            let mut reader = EntryReader::open(File::open(zip)?, &entry)?;
            let mut file = tempfile::NamedTempFile::new()?;
            std::io::copy(&mut reader, &mut file)?;
            file.flush()?;
            Ok::<_, std::io::Error>(file)
        })
        .await
        .map_err(|_| ImportError::Interrupted)??;
        let (blob, _) = app.blobs.put_file(inflated.path()).await?;
        media.insert(name, blob);
    }
    Ok(media)
}
