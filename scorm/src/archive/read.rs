//! Reading one entry, checked, and sending a deflated one as gzip without touching it.

use std::io::{self, BufReader, Read, Seek, SeekFrom, Take};

use flate2::bufread::DeflateDecoder;

use super::error::ArchiveError;
use super::index::{Entry, Method};

/// The ten bytes before raw deflate data that make it a gzip member (RFC 1952, 2.3): no name, no time.
pub const fn gzip_header() -> [u8; 10] {
    [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]
}

/// The eight bytes after it: CRC-32 and the size modulo 2^32, little-endian (RFC 1952, 2.3.1).
pub fn gzip_trailer(crc32: u32, size: u64) -> [u8; 8] {
    let mut trailer = [0; 8];
    let (checksum, modulus) = trailer.split_at_mut(4);
    checksum.copy_from_slice(&crc32.to_le_bytes());
    modulus.copy_from_slice(&(size as u32).to_le_bytes());
    trailer
}

/// The inflated bytes of one entry. Bounded memory; size and checksum are verified at the end, where
/// a difference is an [`io::ErrorKind::InvalidData`] error carrying an [`ArchiveError`].
#[derive(Debug)]
pub struct EntryReader<R: Read> {
    source: Source<R>,
    path: String,
    compressed_size: u64,
    size: u64,
    crc32: u32,
    read: u64,
    hasher: crc32fast::Hasher,
}

#[derive(Debug)]
enum Source<R: Read> {
    Stored(Take<R>),
    Deflated(DeflateDecoder<BufReader<Take<R>>>),
}

impl<R: Read + Seek> EntryReader<R> {
    /// Opens `entry` of the zip behind `reader`.
    pub fn open(mut reader: R, entry: &Entry) -> io::Result<Self> {
        reader.seek(SeekFrom::Start(entry.data_offset))?;
        let data = reader.take(entry.compressed_size);
        let source = match entry.method {
            Method::Stored => Source::Stored(data),
            Method::Deflated => {
                let capacity = entry.compressed_size.clamp(512, 64 << 10) as usize;
                Source::Deflated(DeflateDecoder::new(BufReader::with_capacity(capacity, data)))
            }
        };
        Ok(Self {
            source,
            path: entry.path.clone(),
            compressed_size: entry.compressed_size,
            size: entry.size,
            crc32: entry.crc32,
            read: 0,
            hasher: crc32fast::Hasher::new(),
        })
    }
}

impl<R: Read> EntryReader<R> {
    fn wrong_size(&self, expected: u64, actual: u64) -> io::Error {
        invalid(ArchiveError::SizeMismatch { entry: self.path.clone(), expected, actual })
    }

    fn check_end(&self) -> io::Result<()> {
        if self.read != self.size {
            return Err(self.wrong_size(self.size, self.read));
        }
        // Bytes after the deflate stream would be sent to browsers when the data goes out as gzip.
        if let Source::Deflated(decoder) = &self.source
            && decoder.total_in() != self.compressed_size
        {
            return Err(self.wrong_size(self.compressed_size, decoder.total_in()));
        }
        let actual = self.hasher.clone().finalize();
        if actual != self.crc32 {
            let entry = self.path.clone();
            return Err(invalid(ArchiveError::WrongChecksum {
                entry,
                expected: self.crc32,
                actual,
            }));
        }
        Ok(())
    }
}

fn invalid(error: ArchiveError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

impl<R: Read> Read for EntryReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let result = match &mut self.source {
            Source::Stored(data) => data.read(buffer),
            Source::Deflated(decoder) => decoder.read(buffer),
        };
        let count = match result {
            Ok(count) => count,
            Err(error) => {
                return Err(match error.kind() {
                    io::ErrorKind::InvalidInput
                    | io::ErrorKind::InvalidData
                    | io::ErrorKind::UnexpectedEof => {
                        invalid(ArchiveError::CorruptData { entry: self.path.clone() })
                    }
                    _ => error,
                });
            }
        };
        self.read += count as u64;
        if self.read > self.size {
            return Err(self.wrong_size(self.size, self.read));
        }
        self.hasher.update(buffer.get(..count).unwrap_or_default());
        if count == 0 {
            self.check_end()?;
        }
        Ok(count)
    }
}

/// An [`ArchiveError`] that travelled inside an [`io::Error`], or the I/O error itself.
pub(super) fn unwrap_io(error: io::Error) -> ArchiveError {
    error.downcast::<ArchiveError>().unwrap_or_else(ArchiveError::Io)
}

/// Reads one entry whole, checked, if it has at most `cap` bytes.
pub fn read_entry<R: Read + Seek>(
    reader: R,
    entry: &Entry,
    cap: u64,
) -> Result<Vec<u8>, ArchiveError> {
    if entry.size > cap {
        let path = entry.path.clone();
        return Err(ArchiveError::EntryTooLarge { entry: path, size: entry.size, limit: cap });
    }
    let mut bytes = Vec::new();
    EntryReader::open(reader, entry)?.read_to_end(&mut bytes).map_err(unwrap_io)?;
    Ok(bytes)
}
