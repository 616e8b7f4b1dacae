//! Hostile, damaged and merely odd zips: each is refused by its own variant, or put right and told.

use std::io::{Cursor, Read, Write};

use scorm::archive::{
    Archive, ArchiveError, ArchiveNote, EntryReader, Index, Limits, Match, Method, gzip_header,
    gzip_trailer, read_entry,
};

/// One entry of a hand-made zip; every field can lie.
#[derive(Clone)]
struct Part {
    name: Vec<u8>,
    local_name: Option<Vec<u8>>,
    data: Vec<u8>,
    method: u16,
    flags: u16,
    mode: u32,
    crc32: Option<u32>,
    size: Option<u32>,
    compressed_size: Option<u32>,
    local_extra: Vec<u8>,
    /// Share the local header of this earlier part.
    same_offset_as: Option<usize>,
    offset: Option<u32>,
}

fn part(name: impl AsRef<[u8]>, data: &[u8]) -> Part {
    Part {
        name: name.as_ref().to_vec(),
        local_name: None,
        data: data.to_vec(),
        method: 0,
        flags: 0,
        mode: 0,
        crc32: None,
        size: None,
        compressed_size: None,
        local_extra: Vec::new(),
        same_offset_as: None,
        offset: None,
    }
}

fn manifest() -> Part {
    part("imsmanifest.xml", b"<manifest/>")
}

fn deflate(data: &[u8]) -> Vec<u8> {
    let mut encoder =
        flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn deflated(name: &str, data: &[u8]) -> Part {
    let size = Some(data.len() as u32);
    Part { method: 8, crc32: Some(crc32fast::hash(data)), size, ..part(name, &deflate(data)) }
}

fn zip(parts: &[Part]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut central = Vec::new();
    let mut offsets = Vec::new();
    for part in parts {
        let offset = part.same_offset_as.map_or(bytes.len() as u32, |earlier| offsets[earlier]);
        offsets.push(offset);
        let crc32 = part.crc32.unwrap_or_else(|| crc32fast::hash(&part.data));
        let compressed = part.compressed_size.unwrap_or(part.data.len() as u32);
        let size = part.size.unwrap_or(part.data.len() as u32);
        let common = |name: &[u8], extra: usize| {
            let mut header = Vec::new();
            header.extend(20u16.to_le_bytes());
            header.extend(part.flags.to_le_bytes());
            header.extend(part.method.to_le_bytes());
            header.extend([0; 4]);
            header.extend(crc32.to_le_bytes());
            header.extend(compressed.to_le_bytes());
            header.extend(size.to_le_bytes());
            header.extend((name.len() as u16).to_le_bytes());
            header.extend((extra as u16).to_le_bytes());
            header
        };
        if part.same_offset_as.is_none() {
            let name = part.local_name.as_ref().unwrap_or(&part.name);
            bytes.extend(b"PK\x03\x04");
            bytes.extend(common(name, part.local_extra.len()));
            bytes.extend(name);
            bytes.extend(&part.local_extra);
            bytes.extend(&part.data);
        }
        central.extend(b"PK\x01\x02");
        central.extend(0x0314u16.to_le_bytes());
        central.extend(common(&part.name, 0));
        central.extend([0; 6]);
        central.extend((part.mode << 16).to_le_bytes());
        central.extend(part.offset.unwrap_or(offset).to_le_bytes());
        // Comment length, disk and internal attributes came with the zeros above.
        central.extend(&part.name);
    }
    let start = bytes.len() as u32;
    let count = (parts.len() as u16).to_le_bytes();
    bytes.extend(&central);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend(count);
    bytes.extend(count);
    bytes.extend((central.len() as u32).to_le_bytes());
    bytes.extend(start.to_le_bytes());
    bytes.extend([0; 2]);
    bytes
}

fn inspect(bytes: &[u8]) -> Result<Index, ArchiveError> {
    Archive::inspect(Cursor::new(bytes), &Limits::default())
}

fn refused(parts: &[Part]) -> ArchiveError {
    let mut all = vec![manifest()];
    all.extend_from_slice(parts);
    inspect(&zip(&all)).expect_err("a hostile zip was taken")
}

macro_rules! assert_refused {
    ($parts:expr, $pattern:pat) => {
        let error = refused(&$parts);
        assert!(matches!(error, $pattern), "{error:?}");
        assert!(!error.to_string().is_empty() && !error.code().is_empty());
    };
}

#[test]
fn a_sound_zip_is_indexed_and_its_entries_read_back() {
    let text = "Bonjour ! ".repeat(1000);
    let mut long_extra = deflated("Pages/Une page.html", text.as_bytes());
    long_extra.local_extra = vec![0xfe, 0xca, 4, 0, 1, 2, 3, 4];
    let bytes = zip(&[manifest(), part("Pages/", b""), long_extra, part("v.mp4", b"video")]);
    let index = inspect(&bytes).unwrap();
    let paths: Vec<&str> = index.entries.iter().map(|entry| entry.path.as_str()).collect();
    assert_eq!(paths, ["Pages/Une page.html", "imsmanifest.xml", "v.mp4"]);
    assert_eq!(index.total_size, 11 + 10_000 + 5);

    let page = index.exact("Pages/Une page.html").unwrap();
    assert_eq!(page.method, Method::Deflated);
    let read = read_entry(Cursor::new(&bytes), page, 1 << 20).unwrap();
    assert_eq!(read, text.as_bytes());
    let capped = read_entry(Cursor::new(&bytes), page, 100);
    assert!(matches!(capped, Err(ArchiveError::EntryTooLarge { .. })));

    // What goes out as Content-Encoding: gzip, without the data being touched.
    let end = page.data_offset as usize + page.compressed_size as usize;
    let mut member = gzip_header().to_vec();
    member.extend(&bytes[page.data_offset as usize..end]);
    member.extend(gzip_trailer(page.crc32, page.size));
    let mut inflated = String::new();
    flate2::read::GzDecoder::new(member.as_slice()).read_to_string(&mut inflated).unwrap();
    assert_eq!(inflated, text);
}

#[test]
fn paths_are_found_exactly_then_decoded_then_ignoring_case() {
    let parts = [manifest(), part("a b.html", b""), part("c%20d.html", b""), part("É.png", b"")];
    let index = inspect(&zip(&parts)).unwrap();
    let find = |path| index.find(path).map(|found| (found.entry.path.as_str(), found.matched));
    assert_eq!(find("a b.html"), Some(("a b.html", Match::Exact)));
    assert_eq!(find("a%20b.html"), Some(("a b.html", Match::Decoded)));
    assert_eq!(find("c%20d.html"), Some(("c%20d.html", Match::Exact)));
    assert_eq!(find("A%20B.HTML"), Some(("a b.html", Match::CaseInsensitive)));
    assert_eq!(find("%C3%A9.PNG"), Some(("É.png", Match::CaseInsensitive)));
    assert_eq!(find("../a b.html"), None);
}

#[test]
fn the_index_survives_storage() {
    let bytes = zip(&[part("course/imsmanifest.xml", b"x"), part("course/é.html", b"y")]);
    let index = inspect(&bytes).unwrap();
    let stored = serde_json::to_vec(&index).unwrap();
    let read: Index = serde_json::from_slice(&stored).unwrap();
    assert_eq!(read, index);
    assert!(read.find("É.html").is_some());
}

#[test]
fn one_wrapping_folder_and_litter_are_put_right_and_told() {
    let bytes = zip(&[
        part("course/", b""),
        part("course/imsmanifest.xml", b"x"),
        part("course\\pages\\a.html", b"a"),
        part("course/.DS_Store", b"x"),
        part("__MACOSX/course/._a.html", b"x"),
        part("course/PAGES/A.html", b"b"),
        part(b"course/\x82.html", b"c"),
    ]);
    let index = inspect(&bytes).unwrap();
    assert_eq!(index.root_prefix, "course/");
    let paths: Vec<&str> = index.entries.iter().map(|entry| entry.path.as_str()).collect();
    assert_eq!(paths, ["PAGES/A.html", "imsmanifest.xml", "pages/a.html", "é.html"]);
    assert!(matches!(
        index.notes.as_slice(),
        [
            ArchiveNote::WrappingFolder { .. },
            ArchiveNote::IgnoredFiles { count: 2, .. },
            ArchiveNote::Backslashes { count: 1, .. },
            ArchiveNote::LegacyNames { count: 1, .. },
            ArchiveNote::CaseCollision { .. },
        ]
    ));
    assert!(index.notes.iter().all(|note| !note.to_string().is_empty()));
}

#[test]
fn bytes_before_the_zip_are_skipped() {
    let mut bytes = b"#!/bin/sh\n".to_vec();
    bytes.extend(zip(&[manifest()]));
    let index = inspect(&bytes).unwrap();
    assert_eq!(index.notes, [ArchiveNote::LeadingBytes { bytes: 10 }]);
    let entry = index.manifest().unwrap();
    assert_eq!(read_entry(Cursor::new(&bytes), entry, 100).unwrap(), b"<manifest/>");
}

#[test]
fn zips_written_by_the_zip_crate_are_read_zip64_and_streamed_alike() {
    for large in [false, true] {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default().large_file(large);
        for name in ["imsmanifest.xml", "a/b.html"] {
            writer.start_file(name, options).unwrap();
            writer.write_all(name.repeat(100).as_bytes()).unwrap();
        }
        let bytes = writer.finish().unwrap().into_inner();
        let index = inspect(&bytes).unwrap();
        let entry = index.exact("a/b.html").unwrap();
        let read = read_entry(Cursor::new(&bytes), entry, 1 << 20).unwrap();
        assert_eq!(read, "a/b.html".repeat(100).as_bytes());
    }
    // Sizes in data descriptors.
    let mut writer = zip::ZipWriter::new_stream(Vec::new());
    let options = zip::write::SimpleFileOptions::default();
    for name in ["imsmanifest.xml", "b.html"] {
        writer.start_file(name, options).unwrap();
        writer.write_all(b"streamed").unwrap();
    }
    let bytes = writer.finish().unwrap().into_inner();
    assert_eq!(inspect(&bytes).unwrap().entries.len(), 2);
}

#[test]
fn more_than_65535_entries_need_zip64_and_a_higher_limit() {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    writer.start_file("imsmanifest.xml", options).unwrap();
    for number in 0..100_000 {
        writer.start_file(format!("{number}.txt"), options).unwrap();
    }
    let bytes = writer.finish().unwrap().into_inner();
    let error = inspect(&bytes).unwrap_err();
    assert!(matches!(error, ArchiveError::TooManyEntries { count: 100_001, limit: 20_000 }));
    let limits = Limits { entries: 100_001, ..Limits::default() };
    let index = Archive::inspect(Cursor::new(&bytes), &limits).unwrap();
    assert_eq!(index.entries.len(), 100_001);
}

#[test]
fn what_is_not_a_zip_is_called_that() {
    for bytes in [b"".as_slice(), b"hello", &vec![0; 100_000]] {
        assert!(matches!(inspect(bytes), Err(ArchiveError::NotAZip)));
    }
}

#[test]
fn a_zip_cut_anywhere_is_refused() {
    let bytes = zip(&[manifest(), deflated("a.html", &[b'a'; 5000])]);
    for length in 0..bytes.len() {
        let error = inspect(&bytes[..length]).unwrap_err();
        let expected = if length < 4 { "not-a-zip" } else { "truncated" };
        assert_eq!(error.code(), expected, "cut to {length} bytes");
    }
    // The middle is missing: the end record points past what is there.
    let mut middle = bytes.clone();
    middle.drain(40..80);
    assert!(matches!(inspect(&middle), Err(ArchiveError::Truncated { .. })));
}

#[test]
fn paths_that_lead_out_are_refused() {
    assert_refused!([part("../evil.html", b"")], ArchiveError::Traversal { .. });
    assert_refused!([part("a/../../evil.html", b"")], ArchiveError::Traversal { .. });
    assert_refused!([part("a\\..\\..\\evil.html", b"")], ArchiveError::Traversal { .. });
    assert_refused!([part("../folder/", b"")], ArchiveError::Traversal { .. });
    assert_refused!([part("/etc/passwd", b"")], ArchiveError::AbsolutePath { .. });
    assert_refused!([part("C:\\evil.html", b"")], ArchiveError::AbsolutePath { .. });
    assert_refused!([part("\\\\host\\share\\x", b"")], ArchiveError::AbsolutePath { .. });
    assert_refused!([part("a\0.html", b"")], ArchiveError::ControlCharacter { .. });
    assert_refused!([part("a\n.html", b"")], ArchiveError::ControlCharacter { .. });
    assert_refused!([part("", b"")], ArchiveError::EmptyName { .. });
}

#[test]
fn links_and_devices_are_refused() {
    let special = |mode| Part { mode, ..part("x", b"/etc/passwd") };
    assert_refused!([special(0o120_777)], ArchiveError::Symlink { .. });
    assert_refused!([special(0o010_644)], ArchiveError::SpecialFile { .. });
    assert_refused!([special(0o060_644)], ArchiveError::SpecialFile { .. });
}

#[test]
fn encryption_and_foreign_methods_are_refused() {
    let with = |flags, method| Part { method, flags, ..part("x", b"x") };
    assert_refused!([with(1, 0)], ArchiveError::Encrypted { .. });
    assert_refused!([with(0, 99)], ArchiveError::Encrypted { .. });
    assert_refused!([with(0, 12)], ArchiveError::UnsupportedMethod { method: 12, .. });
}

#[test]
fn bombs_are_refused_before_and_while_inflating() {
    let zeros = vec![0; 2 << 20];
    assert_refused!([deflated("bomb", &zeros)], ArchiveError::Bomb { .. });
    // Below a mebibyte everything compresses that well.
    let small = zip(&[manifest(), deflated("small", &zeros[..1 << 20])]);
    assert!(inspect(&small).is_ok());
    // A bomb that lies about its size stops at the size it names.
    let liar = Part { size: Some(10), ..deflated("bomb", &zeros) };
    assert_refused!([liar], ArchiveError::SizeMismatch { expected: 10, .. });
    let limits = Limits { inflated: 1000, ..Limits::default() };
    let large = zip(&[manifest(), part("large", &[b'x'; 1000])]);
    let error = Archive::inspect(Cursor::new(&large), &limits).unwrap_err();
    assert!(matches!(error, ArchiveError::TooLarge { size: 1011, limit: 1000 }));
}

#[test]
fn overlapping_entries_are_refused() {
    // Two names for the same bytes: the second local header is the first one's.
    let shared = Part { same_offset_as: Some(1), ..part("b", b"data") };
    assert_refused!([part("a", b"data"), shared], ArchiveError::Overlapping { .. });
    // An entry that quotes the next one's local header.
    let quoting = Part { size: Some(40), compressed_size: Some(40), ..part("a", b"data") };
    let mut inner = quoting.clone();
    inner.crc32 = None;
    let error = refused(&[inner, part("b", b"data")]);
    let codes = ["overlapping", "wrong-checksum"];
    assert!(codes.contains(&error.code()), "{error:?}");
    // One that runs into the central directory.
    let last = Part { size: Some(20), compressed_size: Some(20), ..part("z", b"data") };
    assert_refused!([last], ArchiveError::Overlapping { .. });
}

#[test]
fn duplicates_are_refused_even_when_written_differently() {
    assert_refused!([part("a.html", b"1"), part("a.html", b"2")], ArchiveError::Duplicate { .. });
    assert_refused!([part("a/b", b"1"), part("a\\.\\b", b"2")], ArchiveError::Duplicate { .. });
    let mixed = [part("a", b"1"), part("A", b"2"), part("a", b"3")];
    assert_refused!(mixed, ArchiveError::Duplicate { .. });
}

#[test]
fn damage_is_refused() {
    let wrong = Part { crc32: Some(1), ..part("x", b"x") };
    assert_refused!([wrong], ArchiveError::WrongChecksum { expected: 1, .. });
    let mut corrupt = deflated("x", &[b'x'; 1000]);
    corrupt.data[0] = 0xff;
    assert_refused!([corrupt], ArchiveError::CorruptData { .. });
    let mut cut = deflated("x", b"some text that is long enough");
    cut.data.truncate(10);
    assert_refused!([cut], ArchiveError::CorruptData { .. });
    let mut trailing = deflated("x", b"text");
    trailing.data.extend(b"trailing bytes");
    assert_refused!([trailing], ArchiveError::SizeMismatch { .. });
    let short = Part { size: Some(100), ..deflated("x", b"text") };
    assert_refused!([short], ArchiveError::SizeMismatch { expected: 100, actual: 4, .. });
    let stored = Part { size: Some(2), ..part("x", b"x") };
    assert_refused!([stored], ArchiveError::SizeMismatch { .. });
}

#[test]
fn headers_must_agree() {
    let renamed = Part { local_name: Some(b"harmless".to_vec()), ..part("x.html", b"x") };
    assert_refused!([renamed], ArchiveError::HeaderMismatch { .. });
    let nowhere = Part { offset: Some(3), ..part("x.html", b"x") };
    assert_refused!(
        [nowhere],
        ArchiveError::MissingHeader { .. } | ArchiveError::Overlapping { .. }
    );
}

/// The zip with a zip64 end record before its end record, which keeps its own numbers where `marked`
/// is false.
fn with_zip64(bytes: &[u8], marked: bool, count: u64, size: u64, offset: u64) -> Vec<u8> {
    let end = bytes.len() - 22;
    let mut wide = bytes[..end].to_vec();
    wide.extend(b"PK\x06\x06");
    wide.extend(44u64.to_le_bytes());
    wide.extend([45, 0, 45, 0]);
    wide.extend([0; 8]);
    for number in [count, count, size, offset] {
        wide.extend(number.to_le_bytes());
    }
    wide.extend(b"PK\x06\x07");
    wide.extend([0; 4]);
    wide.extend((end as u64).to_le_bytes());
    wide.extend(1u32.to_le_bytes());
    let mut record = bytes[end..].to_vec();
    if marked {
        record[8..20].fill(0xff);
    }
    wide.extend(record);
    wide
}

#[test]
fn zip64_records_that_lie_are_refused() {
    let bytes = zip(&[manifest(), part("a.html", b"a")]);
    let end = bytes.len() - 22;
    let field = |at: usize| u32::from_le_bytes(bytes[end + at..end + at + 4].try_into().unwrap());
    let (size, offset) = (u64::from(field(12)), u64::from(field(16)));
    for marked in [true, false] {
        let honest = inspect(&with_zip64(&bytes, marked, 2, size, offset)).unwrap();
        assert_eq!(honest.entries.len(), 2);
    }
    let refused = |marked, count, size, offset| {
        inspect(&with_zip64(&bytes, marked, count, size, offset)).unwrap_err().code()
    };
    // Two tables of contents, of which each reader believes another.
    assert_eq!(refused(false, 1, size, offset), "broken-directory");
    assert_eq!(refused(false, 2, size, offset + 1), "broken-directory");
    assert_eq!(refused(true, 1, size, offset), "broken-directory");
    assert_eq!(refused(true, u64::MAX, size, offset), "too-many-entries");
    assert_eq!(refused(true, 2, u64::MAX, offset), "directory-too-large");
    assert_eq!(refused(true, 2, size, u64::MAX), "truncated");
    assert_eq!(refused(true, 2, size, u64::MAX - size), "truncated");
    assert_eq!(refused(true, 3, size, offset), "broken-directory");
}

#[test]
fn the_local_header_must_not_contradict_the_table_of_contents() {
    let bytes = zip(&[manifest(), part("a.html", b"12345678")]);
    let name = bytes.windows(6).position(|six| six == b"a.html").unwrap();
    // Checksum, compressed size, size: counted back from the name.
    for field in [16, 12, 8] {
        let mut changed = bytes.clone();
        changed[name - field] ^= 1;
        assert_eq!(inspect(&changed).unwrap_err().code(), "header-disagrees", "{field}");
    }
    // With a data descriptor the local header says nothing, which contradicts nothing.
    let mut streamed = bytes.clone();
    streamed[name - 16..name - 4].fill(0);
    assert_eq!(inspect(&streamed).unwrap_err().code(), "header-disagrees");
    streamed[name - 24] |= 8;
    assert_eq!(inspect(&streamed).unwrap().entries.len(), 2);
}

#[test]
fn sizes_of_names_and_lists_are_limited() {
    let long = "x/".repeat(20) + &"y".repeat(500);
    assert_refused!([part(&long, b"")], ArchiveError::PathTooLong { length: 540, .. });
    assert_refused!([part("x/".repeat(33), b"")], ArchiveError::PathTooDeep { depth: 33, .. });
    let many: Vec<Part> = (0..20_000).map(|number| part(number.to_string(), b"")).collect();
    assert_refused!(many, ArchiveError::TooManyEntries { count: 20_001, .. });
}

#[test]
fn a_zip_without_a_manifest_says_where_one_was_seen() {
    let error = inspect(&zip(&[part("index.html", b"")])).unwrap_err();
    assert!(matches!(error, ArchiveError::NoManifest { deeper: None }));
    let parts = [part("a/b/imsmanifest.xml", b""), part("x.html", b"")];
    let error = inspect(&zip(&parts)).unwrap_err();
    assert!(error.to_string().contains("a/b/imsmanifest.xml"));
    assert!(inspect(&zip(&[part("cmi5.xml", b"<courseStructure/>")])).is_ok());
}

#[test]
fn a_changed_file_is_noticed_when_an_entry_is_read_later() {
    let mut bytes = zip(&[manifest()]);
    let index = inspect(&bytes).unwrap();
    let entry = index.manifest().unwrap();
    bytes[entry.data_offset as usize] ^= 1;
    let mut read = Vec::new();
    let error =
        EntryReader::open(Cursor::new(&bytes), entry).unwrap().read_to_end(&mut read).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    let error = read_entry(Cursor::new(&bytes), entry, 100).unwrap_err();
    assert!(matches!(error, ArchiveError::WrongChecksum { .. }));
}

#[test]
fn no_flipped_byte_makes_it_panic() {
    let bytes = zip(&[manifest(), deflated("a.html", b"some text"), part("b", b"x")]);
    for position in 0..bytes.len() {
        for change in [0x01, 0x80, 0xff] {
            let mut changed = bytes.clone();
            changed[position] ^= change;
            let _ = inspect(&changed);
        }
    }
}
