//! The package writer: a course becomes a SCORM 1.2 or SCORM 2004 4th edition zip.
//!
//! The same course gives the same bytes: entries in a fixed order with a fixed date and fixed
//! compression. The manifest is the first entry, the schemas stand at the root, every file is
//! listed, and the organization holds one item, which platforms need to show sibling buttons.

mod manifest;
mod schemas;

use std::io::{Cursor, Seek, Write};

use thiserror::Error;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::compiler::{self, CompileError, Theme};
use crate::source::{Course, Lang};

pub use crate::compiler::Format;
pub use manifest::ManifestError;
pub use schemas::schemas;

/// Deflate level of every entry: the best, as a package is built once and read often.
const COMPRESSION_LEVEL: i64 = 9;

/// A package cannot be built.
#[derive(Debug, Error)]
pub enum BuildError {
    /// The course cannot be compiled.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// The zip cannot be written.
    #[error("the package cannot be written: {0}")]
    Zip(#[from] zip::result::ZipError),
    /// The output cannot be written.
    #[error("the package cannot be written: {0}")]
    Output(#[from] std::io::Error),
    /// A part of the manifest is no XML text.
    #[error("the manifest cannot be written: {0}")]
    Manifest(#[from] ManifestError),
}

/// Builds the package of a course in one language into `output`, which is given back.
pub fn build<W: Write + Seek>(
    course: &Course,
    lang: Lang,
    format: Format,
    theme: &Theme,
    output: W,
) -> Result<W, BuildError> {
    let compiled = compiler::compile(course, lang, format, theme)?;
    let manifest = manifest::write(course, lang, format, &compiled)?;
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(COMPRESSION_LEVEL))
        .last_modified_time(DateTime::DEFAULT)
        .unix_permissions(0o644);
    let mut zip = ZipWriter::new(output);
    zip.start_file(manifest::FILE, options)?;
    zip.write_all(manifest.as_bytes())?;
    for (path, text) in schemas(format) {
        zip.start_file(*path, options)?;
        zip.write_all(text.as_bytes())?;
    }
    for (path, bytes) in &compiled.files {
        zip.start_file(path.as_str(), options)?;
        zip.write_all(bytes)?;
    }
    Ok(zip.finish()?)
}

/// Builds the package in memory.
pub fn build_bytes(
    course: &Course,
    lang: Lang,
    format: Format,
    theme: &Theme,
) -> Result<Vec<u8>, BuildError> {
    Ok(build(course, lang, format, theme, Cursor::new(Vec::new()))?.into_inner())
}

/// `slug-1.0.0-fr-scorm12.zip`: the name a package is best saved under.
pub fn file_name(course: &Course, lang: Lang, format: Format) -> String {
    let edition = match format {
        Format::Scorm12 => "scorm12",
        Format::Scorm2004Fourth => "scorm2004",
    };
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    let version: String = course.version.chars().map(safe).collect();
    format!("{}-{version}-{}-{edition}.zip", course.slug, lang.code())
}
