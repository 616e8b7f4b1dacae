//! The one reading of an uploaded zip: everything checked, nothing unpacked.

use std::collections::HashMap;
use std::io::{Read, Seek};

use super::directory::{self, Directory, Header, LocalHeader};
use super::error::ArchiveError;
use super::index::{ArchiveNote, Entry, Index, Method};
use super::limits::Limits;
use super::path;
use super::read::{EntryReader, unwrap_io};

/// Flags of a header (APPNOTE 4.4.4): encrypted, strongly encrypted, header masked.
const ENCRYPTION_FLAGS: u16 = 1 | 1 << 6 | 1 << 13;
/// The method number that stands for AES (APPNOTE, appendix E).
const METHOD_AES: u16 = 99;

const MODE_TYPE: u32 = 0o170_000;
const MODE_REGULAR: u32 = 0o100_000;
const MODE_FOLDER: u32 = 0o040_000;
const MODE_SYMLINK: u32 = 0o120_000;

/// The manifests that make a zip a course package.
const MANIFESTS: [&str; 2] = ["imsmanifest.xml", "cmi5.xml"];

/// Safe reading of package zips.
#[derive(Clone, Copy, Debug)]
pub struct Archive;

impl Archive {
    /// Reads the zip once from end to end with bounded memory: names, sizes and structure first,
    /// then every entry inflated and its checksum compared.
    pub fn inspect<R: Read + Seek>(mut reader: R, limits: &Limits) -> Result<Index, ArchiveError> {
        let directory = directory::read(&mut reader, limits)?;
        let mut notes = Notes::default();
        let mut files = Vec::with_capacity(directory.headers.len());
        let mut total: u64 = 0;
        for (position, header) in directory.headers.iter().enumerate() {
            let name = notes.decode(header);
            let path = check_header(header, &name, position, limits)?;
            total = total.saturating_add(header.size);
            if total > limits.inflated {
                return Err(ArchiveError::TooLarge { size: total, limit: limits.inflated });
            }
            files.push(File { path, is_folder: name.ends_with(['/', '\\']), header });
        }
        check_duplicates(&files, &mut notes)?;
        // A package without a manifest is refused before gigabytes are inflated.
        let root_prefix = root_prefix(&files)?;

        // In the order of the data, so the file is read forwards and overlaps are neighbours.
        files.sort_by_key(|file| file.header.offset);
        let mut entries = Vec::with_capacity(files.len());
        let mut previous: Option<(&str, u64)> = None;
        for file in &files {
            let entry = check_data(&mut reader, file, &directory, &mut previous)?;
            if file.is_folder {
                continue;
            }
            if path::is_litter(&file.path) {
                notes.ignored.add(&file.path);
                continue;
            }
            // Checked by `root_prefix`: every kept file has it.
            let Some(path) = file.path.strip_prefix(&root_prefix) else { continue };
            entries.push(Entry { path: path.to_owned(), ..entry });
        }
        let notes = notes.into_list(&root_prefix, directory.leading);
        Ok(Index::new(entries, notes, root_prefix))
    }
}

struct File<'a> {
    path: String,
    is_folder: bool,
    header: &'a Header,
}

fn check_header(
    header: &Header,
    name: &str,
    position: usize,
    limits: &Limits,
) -> Result<String, ArchiveError> {
    let path = path::normalise(name, limits)?;
    let entry = || path.clone();
    let is_folder = name.ends_with(['/', '\\']);
    if path.is_empty() && !is_folder {
        return Err(ArchiveError::EmptyName { position: position as u64 + 1 });
    }
    match header.mode & MODE_TYPE {
        0 | MODE_REGULAR | MODE_FOLDER => {}
        MODE_SYMLINK => return Err(ArchiveError::Symlink { entry: entry() }),
        _ => return Err(ArchiveError::SpecialFile { entry: entry() }),
    }
    if header.flags & ENCRYPTION_FLAGS != 0 || header.method == METHOD_AES {
        return Err(ArchiveError::Encrypted { entry: entry() });
    }
    let method = method(header.method)
        .ok_or_else(|| ArchiveError::UnsupportedMethod { entry: entry(), method: header.method })?;
    if method == Method::Stored && header.size != header.compressed_size {
        return Err(ArchiveError::SizeMismatch {
            entry: entry(),
            expected: header.size,
            actual: header.compressed_size,
        });
    }
    if header.size > limits.ratio_from
        && header.size > header.compressed_size.saturating_mul(limits.ratio)
    {
        return Err(ArchiveError::Bomb {
            entry: entry(),
            size: header.size,
            compressed_size: header.compressed_size,
            limit: limits.ratio,
        });
    }
    Ok(path)
}

fn method(number: u16) -> Option<Method> {
    match number {
        0 => Some(Method::Stored),
        8 => Some(Method::Deflated),
        _ => None,
    }
}

fn check_duplicates(files: &[File<'_>], notes: &mut Notes) -> Result<(), ArchiveError> {
    let mut seen: HashMap<String, &str> = HashMap::with_capacity(files.len());
    for file in files.iter().filter(|file| !file.is_folder) {
        if let Some(first) = seen.insert(file.path.to_lowercase(), &file.path) {
            if first == file.path {
                return Err(ArchiveError::Duplicate { entry: file.path.clone() });
            }
            let (first, second) = (first.to_owned(), file.path.clone());
            notes.collisions.push(ArchiveNote::CaseCollision { first, second });
        }
    }
    // `a`, `A`, `a` again: the folded map remembers only the last spelling.
    if !notes.collisions.is_empty() {
        let mut paths: Vec<&str> =
            files.iter().filter(|file| !file.is_folder).map(|file| file.path.as_str()).collect();
        paths.sort_unstable();
        for pair in paths.windows(2) {
            if let [first, second] = pair
                && first == second
            {
                return Err(ArchiveError::Duplicate { entry: (*first).to_owned() });
            }
        }
    }
    Ok(())
}

/// The wrapping folder with its `/`, empty when the manifest lies at the top.
fn root_prefix(files: &[File<'_>]) -> Result<String, ArchiveError> {
    let is_manifest = |name: &str| MANIFESTS.iter().any(|known| name.eq_ignore_ascii_case(known));
    let kept = || files.iter().filter(|file| !file.is_folder && !path::is_litter(&file.path));
    if kept().any(|file| is_manifest(&file.path)) {
        return Ok(String::new());
    }
    let deeper = kept()
        .map(|file| file.path.as_str())
        .filter(|path| path.rsplit('/').next().is_some_and(is_manifest))
        .min_by_key(|path| path.matches('/').count());
    if let Some((folder, rest)) = deeper.and_then(|path| path.split_once('/'))
        && !rest.contains('/')
    {
        let prefix = format!("{folder}/");
        if kept().all(|file| file.path.starts_with(&prefix)) {
            return Ok(prefix);
        }
    }
    Err(ArchiveError::NoManifest { deeper: deeper.map(str::to_owned) })
}

/// Compares the local header, looks for overlaps, and inflates the data to its end.
fn check_data<'f, R: Read + Seek>(
    reader: &mut R,
    file: &'f File<'_>,
    directory: &Directory,
    previous: &mut Option<(&'f str, u64)>,
) -> Result<Entry, ArchiveError> {
    let header = file.header;
    let name = || file.path.clone();
    if header.offset >= directory.file_size {
        return Err(ArchiveError::Truncated {
            expected: header.offset,
            actual: directory.file_size,
        });
    }
    if let Some((other, end)) = *previous
        && header.offset < end
    {
        return Err(ArchiveError::Overlapping { entry: name(), other: other.to_owned() });
    }
    let Some(local) = directory::read_local(reader, header.offset)? else {
        return Err(ArchiveError::MissingHeader { entry: name(), offset: header.offset });
    };
    let slashed = |raw: &[u8]| raw.iter().map(|&b| if b == b'\\' { b'/' } else { b }).collect();
    let (central_name, local_name): (Vec<u8>, Vec<u8>) =
        (slashed(&header.name), slashed(&local.name));
    if central_name != local_name {
        let local = path::decode(&local.name).0.escape_debug().to_string();
        return Err(ArchiveError::HeaderMismatch { entry: name(), local });
    }
    if local.flags & ENCRYPTION_FLAGS != 0 {
        return Err(ArchiveError::Encrypted { entry: name() });
    }
    let method = method(local.method)
        .filter(|_| local.method == header.method)
        .ok_or_else(|| ArchiveError::UnsupportedMethod { entry: name(), method: local.method })?;
    if !sizes_agree(&local, header) {
        return Err(ArchiveError::HeaderDisagrees { entry: name() });
    }
    let end = local.data_offset.saturating_add(header.compressed_size);
    if end > directory.file_size {
        return Err(ArchiveError::Truncated { expected: end, actual: directory.file_size });
    }
    if end > directory.start {
        let other = "the table of contents".to_owned();
        return Err(ArchiveError::Overlapping { entry: name(), other });
    }
    *previous = Some((&file.path, end));
    let entry = Entry {
        path: name(),
        method,
        compressed_size: header.compressed_size,
        size: header.size,
        crc32: header.crc32,
        data_offset: local.data_offset,
    };
    let mut inflated = EntryReader::open(reader, &entry)?;
    std::io::copy(&mut inflated, &mut std::io::sink()).map_err(unwrap_io)?;
    Ok(entry)
}

/// Whether the local header names the sizes and the checksum of the table of contents, where it
/// names any: with a data descriptor (4.4.4, bit 3) and in zip64 it need not.
fn sizes_agree(local: &LocalHeader, header: &Header) -> bool {
    const DATA_DESCRIPTOR: u16 = 1 << 3;
    let streamed = local.flags & DATA_DESCRIPTOR != 0;
    let agrees = |own: u32, listed: u64| {
        own == u32::MAX || (streamed && own == 0) || u64::from(own) == listed
    };
    agrees(local.compressed_size, header.compressed_size)
        && agrees(local.size, header.size)
        && ((streamed && local.crc32 == 0) || local.crc32 == header.crc32)
}

/// A kind of note that many entries may cause and that is told once.
#[derive(Default)]
struct Counted {
    count: u64,
    example: String,
}

impl Counted {
    fn add(&mut self, example: &str) {
        if self.count == 0 {
            example.clone_into(&mut self.example);
        }
        self.count += 1;
    }
}

/// Collision notes beyond this number say nothing new.
const MOST_COLLISIONS: usize = 20;

#[derive(Default)]
struct Notes {
    ignored: Counted,
    backslashes: Counted,
    legacy: Counted,
    collisions: Vec<ArchiveNote>,
}

impl Notes {
    fn decode(&mut self, header: &Header) -> String {
        let (name, legacy) = path::decode(&header.name);
        if legacy {
            self.legacy.add(&name);
        }
        if name.contains('\\') {
            self.backslashes.add(&name);
        }
        name
    }

    fn into_list(self, root_prefix: &str, leading: u64) -> Vec<ArchiveNote> {
        let mut list = Vec::new();
        if let Some(folder) = root_prefix.strip_suffix('/') {
            list.push(ArchiveNote::WrappingFolder { folder: folder.to_owned() });
        }
        if leading > 0 {
            list.push(ArchiveNote::LeadingBytes { bytes: leading });
        }
        let Counted { count, example } = self.ignored;
        if count > 0 {
            list.push(ArchiveNote::IgnoredFiles { count, example });
        }
        let Counted { count, example } = self.backslashes;
        if count > 0 {
            list.push(ArchiveNote::Backslashes { count, example });
        }
        let Counted { count, example } = self.legacy;
        if count > 0 {
            list.push(ArchiveNote::LegacyNames { count, example });
        }
        list.extend(self.collisions.into_iter().take(MOST_COLLISIONS));
        list
    }
}
