//! The central directory of a zip, read as written (APPNOTE 6.3.10, 4.3.12 to 4.3.16), zip64 included.
//!
//! Read here rather than by the `zip` crate because duplicates, raw names, flags and local header
//! offsets decide whether a package is safe, and that crate folds some of them away.

use std::io::{BufReader, Read, Seek, SeekFrom};

use super::error::ArchiveError;
use super::limits::Limits;

const END_SIGNATURE: [u8; 4] = *b"PK\x05\x06";
const END_SIZE: usize = 22;
const END64_SIGNATURE: [u8; 4] = *b"PK\x06\x06";
const END64_SIZE: u64 = 56;
const LOCATOR_SIGNATURE: [u8; 4] = *b"PK\x06\x07";
const LOCATOR_SIZE: u64 = 20;
const HEADER_SIGNATURE: [u8; 4] = *b"PK\x01\x02";
const HEADER_SIZE: usize = 46;
const LOCAL_SIGNATURE: [u8; 4] = *b"PK\x03\x04";
const LOCAL_SIZE: usize = 30;

/// One central header, sizes and offsets resolved from zip64.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) name: Vec<u8>,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc32: u32,
    pub(super) compressed_size: u64,
    pub(super) size: u64,
    /// The upper half of the external attributes: a Unix mode, or 0.
    pub(super) mode: u32,
    /// Of the local header, from the start of the file.
    pub(super) offset: u64,
}

#[derive(Debug)]
pub(super) struct Directory {
    pub(super) headers: Vec<Header>,
    /// Where the central directory starts: the data of every entry ends before it.
    pub(super) start: u64,
    /// Bytes before the first zip structure (self-extracting archives).
    pub(super) leading: u64,
    pub(super) file_size: u64,
}

/// Little-endian fields at fixed offsets; 0 past the end, which no caller reaches.
fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).and_then(|b| b.try_into().ok()).map_or(0, u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|b| b.try_into().ok()).map_or(0, u64::from_le_bytes)
}

/// The fields of the end record that matter, zip64 applied.
struct End {
    /// Where the end records start: the central directory ends here.
    position: u64,
    count: u64,
    size: u64,
    offset: u64,
}

pub(super) fn read<R: Read + Seek>(
    reader: &mut R,
    limits: &Limits,
) -> Result<Directory, ArchiveError> {
    let file_size = reader.seek(SeekFrom::End(0))?;
    let end = find_end(reader, file_size)?;
    if end.count > limits.entries {
        return Err(ArchiveError::TooManyEntries { count: end.count, limit: limits.entries });
    }
    if end.size > limits.directory_bytes {
        let limit = limits.directory_bytes;
        return Err(ArchiveError::DirectoryTooLarge { size: end.size, limit });
    }
    let named_end = end.offset.saturating_add(end.size);
    let Some(leading) = end.position.checked_sub(named_end) else {
        return Err(ArchiveError::Truncated { expected: named_end, actual: end.position });
    };
    let start = end.offset + leading;
    reader.seek(SeekFrom::Start(start))?;
    let mut buffered = BufReader::with_capacity(64 << 10, reader.take(end.size));
    let mut headers = Vec::with_capacity(end.count as usize);
    let mut position = start;
    for _ in 0..end.count {
        let broken = || ArchiveError::BrokenDirectory { offset: position };
        let mut fixed = [0; HEADER_SIZE];
        buffered.read_exact(&mut fixed).map_err(|_| broken())?;
        if !fixed.starts_with(&HEADER_SIGNATURE) {
            return Err(broken());
        }
        let name_length = usize::from(u16_at(&fixed, 28));
        let extra_length = usize::from(u16_at(&fixed, 30));
        let comment_length = usize::from(u16_at(&fixed, 32));
        let mut variable = vec![0; name_length + extra_length + comment_length];
        buffered.read_exact(&mut variable).map_err(|_| broken())?;
        let extra = variable.get(name_length..name_length + extra_length).unwrap_or_default();
        let mut header = Header {
            name: Vec::new(),
            flags: u16_at(&fixed, 8),
            method: u16_at(&fixed, 10),
            crc32: u32_at(&fixed, 16),
            compressed_size: u64::from(u32_at(&fixed, 20)),
            size: u64::from(u32_at(&fixed, 24)),
            mode: u32_at(&fixed, 38) >> 16,
            offset: u64::from(u32_at(&fixed, 42)),
        };
        widen(&mut header, extra).ok_or_else(broken)?;
        header.offset = header.offset.checked_add(leading).ok_or_else(broken)?;
        variable.truncate(name_length);
        header.name = variable;
        headers.push(header);
        position += (HEADER_SIZE + name_length + extra_length + comment_length) as u64;
    }
    // Entries beyond the count would be seen by other readers and not by this one.
    if position != start + end.size {
        return Err(ArchiveError::BrokenDirectory { offset: position });
    }
    Ok(Directory { headers, start, leading, file_size })
}

/// Replaces the fields that hold the zip64 marker by those of the extra field (4.5.3).
fn widen(header: &mut Header, extra: &[u8]) -> Option<()> {
    const MARKER: u64 = u32::MAX as u64;
    if header.size != MARKER && header.compressed_size != MARKER && header.offset != MARKER {
        return Some(());
    }
    let mut rest = extra;
    while rest.len() >= 4 {
        let length = usize::from(u16_at(rest, 2));
        let data = rest.get(4..4 + length)?;
        if u16_at(rest, 0) == 1 {
            let mut values = data.chunks_exact(8).map(|value| u64_at(value, 0));
            for field in [&mut header.size, &mut header.compressed_size, &mut header.offset] {
                if *field == MARKER {
                    *field = values.next()?;
                }
            }
            return Some(());
        }
        rest = rest.get(4 + length..)?;
    }
    None
}

fn find_end<R: Read + Seek>(reader: &mut R, file_size: u64) -> Result<End, ArchiveError> {
    let tail_size = file_size.min(END_SIZE as u64 + u64::from(u16::MAX));
    let tail_start = file_size - tail_size;
    let mut tail = vec![0; tail_size as usize];
    reader.seek(SeekFrom::Start(tail_start))?;
    reader.read_exact(&mut tail)?;
    let found = tail
        .windows(END_SIZE)
        .enumerate()
        .rev()
        .filter(|(_, window)| window.starts_with(&END_SIGNATURE))
        .find(|(at, window)| at + END_SIZE + usize::from(u16_at(window, 20)) <= tail.len());
    let Some((at, record)) = found else {
        let mut start = Vec::new();
        reader.seek(SeekFrom::Start(0))?;
        reader.by_ref().take(4).read_to_end(&mut start)?;
        return Err(if start == LOCAL_SIGNATURE {
            ArchiveError::Truncated { expected: file_size + END_SIZE as u64, actual: file_size }
        } else {
            ArchiveError::NotAZip
        });
    };
    let position = tail_start + at as u64;
    let end = End {
        position,
        count: u64::from(u16_at(record, 10)),
        size: u64::from(u32_at(record, 12)),
        offset: u64::from(u32_at(record, 16)),
    };
    if let Some(wide) = find_end64(reader, position)? {
        // Readers disagree about which of the two counts, so they must say the same.
        let agrees = |narrow: u64, marker: u64, wide: u64| narrow == marker || narrow == wide;
        let (short, long) = (u64::from(u16::MAX), u64::from(u32::MAX));
        if !agrees(end.count, short, wide.count)
            || !agrees(end.size, long, wide.size)
            || !agrees(end.offset, long, wide.offset)
        {
            return Err(ArchiveError::BrokenDirectory { offset: position });
        }
        return Ok(wide);
    }
    if u16_at(record, 4) != 0 || u16_at(record, 6) != 0 || u16_at(record, 8) != u16_at(record, 10) {
        return Err(ArchiveError::MultiPart);
    }
    Ok(end)
}

/// The zip64 end record (4.3.14), through its locator (4.3.15) just before the end record.
fn find_end64<R: Read + Seek>(
    reader: &mut R,
    end_position: u64,
) -> Result<Option<End>, ArchiveError> {
    let Some(locator_position) = end_position.checked_sub(LOCATOR_SIZE) else {
        return Ok(None);
    };
    let mut locator = [0; LOCATOR_SIZE as usize];
    reader.seek(SeekFrom::Start(locator_position))?;
    reader.read_exact(&mut locator)?;
    if !locator.starts_with(&LOCATOR_SIGNATURE) {
        return Ok(None);
    }
    if u32_at(&locator, 16) > 1 {
        return Err(ArchiveError::MultiPart);
    }
    // With leading bytes the named offset is off; the record then usually stands just before.
    for position in [u64_at(&locator, 8), locator_position.saturating_sub(END64_SIZE)] {
        if position.saturating_add(END64_SIZE) > locator_position {
            continue;
        }
        let mut record = [0; END64_SIZE as usize];
        reader.seek(SeekFrom::Start(position))?;
        reader.read_exact(&mut record)?;
        if record.starts_with(&END64_SIGNATURE) {
            return Ok(Some(End {
                position,
                count: u64_at(&record, 32),
                size: u64_at(&record, 40),
                offset: u64_at(&record, 48),
            }));
        }
    }
    Err(ArchiveError::BrokenDirectory { offset: locator_position })
}

/// What the local header (4.3.7) says: the raw name, the method and where the data starts.
#[derive(Debug)]
pub(super) struct LocalHeader {
    pub(super) name: Vec<u8>,
    pub(super) crc32: u32,
    pub(super) compressed_size: u32,
    pub(super) size: u32,
    pub(super) method: u16,
    pub(super) flags: u16,
    pub(super) data_offset: u64,
}

/// Reads the local header at `offset`; `None` when there is none.
pub(super) fn read_local<R: Read + Seek>(
    reader: &mut R,
    offset: u64,
) -> Result<Option<LocalHeader>, ArchiveError> {
    reader.seek(SeekFrom::Start(offset))?;
    let mut fixed = [0; LOCAL_SIZE];
    match reader.read_exact(&mut fixed) {
        Ok(()) if fixed.starts_with(&LOCAL_SIGNATURE) => {}
        Ok(()) => return Ok(None),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let name_length = u16_at(&fixed, 26);
    let mut name = vec![0; usize::from(name_length)];
    match reader.read_exact(&mut name) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let lengths = u64::from(name_length) + u64::from(u16_at(&fixed, 28));
    Ok(Some(LocalHeader {
        name,
        crc32: u32_at(&fixed, 14),
        compressed_size: u32_at(&fixed, 18),
        size: u32_at(&fixed, 22),
        method: u16_at(&fixed, 8),
        flags: u16_at(&fixed, 6),
        data_offset: offset + LOCAL_SIZE as u64 + lengths,
    }))
}
