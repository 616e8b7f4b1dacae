//! The index of a package: what is needed to serve its entries from inside the zip.

use std::collections::HashMap;
use std::fmt;
use std::sync::OnceLock;

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

/// How an entry's bytes are kept in the zip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    Stored,
    Deflated,
}

/// One file of the package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Normalised, relative to the package root (the wrapping folder removed).
    pub path: String,
    pub method: Method,
    /// Bytes in the zip, from `data_offset` on.
    pub compressed_size: u64,
    /// Bytes inflated.
    pub size: u64,
    pub crc32: u32,
    /// Where the data starts in the zip file, local header already skipped.
    pub data_offset: u64,
}

/// Something unusual that was put right silently and is worth telling the uploader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum ArchiveNote {
    /// The whole package lies in one folder.
    WrappingFolder { folder: String },
    /// Files of the operating system, left out of the index.
    IgnoredFiles { count: u64, example: String },
    /// Names written with `\`.
    Backslashes { count: u64, example: String },
    /// Names that are not UTF-8, read as code page 437.
    LegacyNames { count: u64, example: String },
    /// Two files that some file systems cannot tell apart.
    CaseCollision { first: String, second: String },
    /// Bytes before the zip proper.
    LeadingBytes { bytes: u64 },
}

impl fmt::Display for ArchiveNote {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrappingFolder { folder } => {
                write!(out, "the package lies in the folder `{folder}`, which was left out")
            }
            Self::IgnoredFiles { count, example } => {
                write!(out, "{count} files of the operating system were left out (`{example}`)")
            }
            Self::Backslashes { count, example } => {
                write!(out, "{count} names use `\\` instead of `/` (`{example}`)")
            }
            Self::LegacyNames { count, example } => {
                write!(out, "{count} names are not UTF-8 and were read as CP437 (`{example}`)")
            }
            Self::CaseCollision { first, second } => {
                write!(out, "`{first}` and `{second}` differ only in upper and lower case")
            }
            Self::LeadingBytes { bytes } => {
                write!(out, "{bytes} bytes before the start of the zip were skipped")
            }
        }
    }
}

/// How a path was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Match {
    Exact,
    /// After decoding `%20` and the like, and reading `\` as `/`.
    Decoded,
    /// Only when upper and lower case are not told apart.
    CaseInsensitive,
}

/// A found entry and how it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found<'a> {
    pub entry: &'a Entry,
    pub matched: Match,
}

/// Every file of a package, sorted by path. Serialise it beside the zip: it serves without the
/// central directory being read again.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Index {
    /// Sorted by path, paths unique.
    pub entries: Vec<Entry>,
    pub notes: Vec<ArchiveNote>,
    /// The wrapping folder with its `/`, or empty.
    pub root_prefix: String,
    /// Bytes of all files inflated.
    pub total_size: u64,
    /// Bytes of all files as kept in the zip.
    pub total_compressed_size: u64,
    /// Folded path to position, made at the first case-insensitive question.
    #[serde(skip)]
    folded: OnceLock<HashMap<String, usize>>,
}

impl PartialEq for Index {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
            && self.notes == other.notes
            && self.root_prefix == other.root_prefix
    }
}

impl Index {
    /// Sorts the entries and adds up their sizes.
    pub(super) fn new(
        mut entries: Vec<Entry>,
        notes: Vec<ArchiveNote>,
        root_prefix: String,
    ) -> Self {
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        let total_size = entries.iter().map(|entry| entry.size).sum();
        let total_compressed_size = entries.iter().map(|entry| entry.compressed_size).sum();
        let folded = OnceLock::new();
        Self { entries, notes, root_prefix, total_size, total_compressed_size, folded }
    }

    /// The entry with exactly this path.
    pub fn exact(&self, path: &str) -> Option<&Entry> {
        let position = self.entries.binary_search_by(|entry| entry.path.as_str().cmp(path)).ok()?;
        self.entries.get(position)
    }

    /// The entry a URL path or an href means: exactly, percent-decoded, or ignoring case, in this
    /// order. The path is relative to the package root, without query and fragment.
    pub fn find(&self, path: &str) -> Option<Found<'_>> {
        if let Some(entry) = self.exact(path) {
            return Some(Found { entry, matched: Match::Exact });
        }
        let decoded = percent_decode_str(path).decode_utf8_lossy().replace('\\', "/");
        let decoded = decoded.strip_prefix("./").unwrap_or(&decoded);
        if let Some(entry) = self.exact(decoded) {
            return Some(Found { entry, matched: Match::Decoded });
        }
        let folded = self.folded.get_or_init(|| {
            let paths = self.entries.iter().enumerate().rev();
            paths.map(|(position, entry)| (entry.path.to_lowercase(), position)).collect()
        });
        // The path as written first: a name may hold a literal `%41`.
        let position = [path, decoded].iter().find_map(|path| folded.get(&path.to_lowercase()))?;
        let entry = self.entries.get(*position)?;
        Some(Found { entry, matched: Match::CaseInsensitive })
    }

    /// The SCORM manifest, if there is one.
    pub fn manifest(&self) -> Option<&Entry> {
        self.find("imsmanifest.xml").map(|found| found.entry)
    }

    /// The cmi5 course structure, if there is one.
    pub fn cmi5(&self) -> Option<&Entry> {
        self.find("cmi5.xml").map(|found| found.entry)
    }
}
