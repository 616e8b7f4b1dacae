//! Why a zip is refused. Each variant names the entry and says what to do about it.

use std::io;

/// A zip that is not taken. One variant a thing that was found.
///
/// The text is written for the person who uploads the file; [`ArchiveError::code`] is the stable name
/// for translations and tests.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("this file is not a zip archive; upload the .zip your authoring tool published")]
    NotAZip,
    #[error(
        "the zip is cut short: {expected} bytes are named but only {actual} are there; download or \
         export it again"
    )]
    Truncated { expected: u64, actual: u64 },
    #[error("the zip is one part of a multi-part archive; join the parts into one zip first")]
    MultiPart,
    #[error(
        "the zip's table of contents is damaged at byte {offset}; pack the course folder again"
    )]
    BrokenDirectory { offset: u64 },
    #[error("the zip holds {count} entries, more than the {limit} allowed; remove unused files")]
    TooManyEntries { count: u64, limit: u64 },
    #[error("unpacked, the zip has {size} bytes, more than the {limit} allowed; split the course")]
    TooLarge { size: u64, limit: u64 },
    #[error("the zip's table of contents has {size} bytes, more than the {limit} allowed")]
    DirectoryTooLarge { size: u64, limit: u64 },
    #[error(
        "`{entry}` unpacks to {size} bytes from {compressed_size}, more than {limit} times as much: \
         this looks like a zip bomb; store the file uncompressed if it is genuine"
    )]
    Bomb { entry: String, size: u64, compressed_size: u64, limit: u64 },
    #[error("`{entry}` leads out of the package with `..`; pack the course folder again")]
    Traversal { entry: String },
    #[error("`{entry}` is an absolute path; pack the files with paths inside the course folder")]
    AbsolutePath { entry: String },
    #[error("`{entry}` has a control character in its name; rename the file and pack again")]
    ControlCharacter { entry: String },
    #[error("entry {position} of the zip has no name; pack the course folder again")]
    EmptyName { position: u64 },
    #[error("`{entry}` has a path of {length} bytes, more than the {limit} allowed; shorten it")]
    PathTooLong { entry: String, length: usize, limit: usize },
    #[error("`{entry}` lies {depth} folders deep, more than the {limit} allowed; flatten it")]
    PathTooDeep { entry: String, depth: usize, limit: usize },
    #[error("`{entry}` is a symbolic link; replace it by the file it points to and pack again")]
    Symlink { entry: String },
    #[error("`{entry}` is a device or another special file; remove it and pack again")]
    SpecialFile { entry: String },
    #[error("`{entry}` is encrypted; pack the course again without a password")]
    Encrypted { entry: String },
    #[error(
        "`{entry}` is compressed with method {method}; only `stored` and `deflate` are read: pack \
         again with the standard zip settings"
    )]
    UnsupportedMethod { entry: String, method: u16 },
    #[error("`{entry}` occurs twice in the zip; pack the course folder again")]
    Duplicate { entry: String },
    #[error(
        "`{entry}` and `{other}` share the same bytes of the zip; pack the course folder again"
    )]
    Overlapping { entry: String, other: String },
    #[error(
        "`{entry}` is called `{local}` in its own header; the zip was tampered with or damaged: pack \
         the course folder again"
    )]
    HeaderMismatch { entry: String, local: String },
    #[error(
        "`{entry}` has other sizes or another checksum in its own header than in the table of \
         contents; pack the course folder again"
    )]
    HeaderDisagrees { entry: String },
    #[error("`{entry}` has no header at byte {offset}; the zip is damaged: export it again")]
    MissingHeader { entry: String, offset: u64 },
    #[error("`{entry}` should have {expected} bytes but has {actual}; export the course again")]
    SizeMismatch { entry: String, expected: u64, actual: u64 },
    #[error("`{entry}` is damaged (checksum {actual:08x} instead of {expected:08x}); export again")]
    WrongChecksum { entry: String, expected: u32, actual: u32 },
    #[error(
        "`{entry}` cannot be unpacked, its compressed data is damaged; export the course again"
    )]
    CorruptData { entry: String },
    #[error("`{entry}` has {size} bytes, more than the {limit} that may be read at once")]
    EntryTooLarge { entry: String, size: u64, limit: u64 },
    #[error(
        "the zip has no imsmanifest.xml or cmi5.xml at its top{}; export the course as SCORM or cmi5",
        deeper.as_ref().map(|path| format!(" (but one at `{path}`)")).unwrap_or_default()
    )]
    NoManifest { deeper: Option<String> },
    #[error("the file could not be read: {0}")]
    Io(#[from] io::Error),
}

impl ArchiveError {
    /// The stable kebab-case name of what was found.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAZip => "not-a-zip",
            Self::Truncated { .. } => "truncated",
            Self::MultiPart => "multi-part",
            Self::BrokenDirectory { .. } => "broken-directory",
            Self::TooManyEntries { .. } => "too-many-entries",
            Self::TooLarge { .. } => "too-large",
            Self::DirectoryTooLarge { .. } => "directory-too-large",
            Self::Bomb { .. } => "bomb",
            Self::Traversal { .. } => "traversal",
            Self::AbsolutePath { .. } => "absolute-path",
            Self::ControlCharacter { .. } => "control-character",
            Self::EmptyName { .. } => "empty-name",
            Self::PathTooLong { .. } => "path-too-long",
            Self::PathTooDeep { .. } => "path-too-deep",
            Self::Symlink { .. } => "symlink",
            Self::SpecialFile { .. } => "special-file",
            Self::Encrypted { .. } => "encrypted",
            Self::UnsupportedMethod { .. } => "unsupported-method",
            Self::Duplicate { .. } => "duplicate",
            Self::Overlapping { .. } => "overlapping",
            Self::HeaderMismatch { .. } => "header-mismatch",
            Self::HeaderDisagrees { .. } => "header-disagrees",
            Self::MissingHeader { .. } => "missing-header",
            Self::SizeMismatch { .. } => "size-mismatch",
            Self::WrongChecksum { .. } => "wrong-checksum",
            Self::CorruptData { .. } => "corrupt-data",
            Self::EntryTooLarge { .. } => "entry-too-large",
            Self::NoManifest { .. } => "no-manifest",
            Self::Io(_) => "io",
        }
    }
}
