//! Files under the SHA-256 of their bytes: packages, certificates.

use std::path::Path;

use bytes::Bytes;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{GetOptions, GetRange, ObjectStore as _, ObjectStoreExt as _, PutPayload};
use tokio::io::AsyncReadExt as _;

use crate::ids::{hex, sha256_hex};
use sha2::{Digest as _, Sha256};

/// Read from the disk and handed on in pieces of this many bytes.
const PIECE: usize = 256 * 1024;

/// Where blobs are kept. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Blobs {
    store: std::sync::Arc<LocalFileSystem>,
}

/// The name of a blob: 64 hexadecimal digits.
pub type Sha256Hex = String;

#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    #[error("the blob folder cannot be used")]
    Store(#[from] object_store::Error),
    #[error("a file cannot be read or written")]
    Io(#[from] std::io::Error),
}

impl Blobs {
    /// Opens the folder, making it if it is not there. What is put is synced to the disk.
    pub fn open(folder: &Path) -> Result<Self, BlobError> {
        std::fs::create_dir_all(folder)?;
        let store = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
        Ok(Self { store: std::sync::Arc::new(store) })
    }

    /// Stores bytes; storing the same bytes again changes nothing.
    pub async fn put(&self, bytes: Bytes) -> Result<Sha256Hex, BlobError> {
        let name = sha256_hex(&bytes);
        self.store.put(&key(&name), PutPayload::from(bytes)).await?;
        Ok(name)
    }

    /// Stores a file of any size in bounded memory, and returns its name and its size in bytes.
    pub async fn put_file(&self, path: &Path) -> Result<(Sha256Hex, u64), BlobError> {
        let (name, size) = hash_file(path).await?;
        let key = key(&name);
        if self.store.head(&key).await.is_ok_and(|known| known.size == size) {
            return Ok((name, size));
        }
        let mut file = tokio::fs::File::open(path).await?;
        let mut upload = object_store::WriteMultipart::new(self.store.put_multipart(&key).await?);
        let mut piece = vec![0; PIECE];
        loop {
            let read = file.read(&mut piece).await?;
            if read == 0 {
                break;
            }
            upload.wait_for_capacity(4).await?;
            upload.write(&piece[..read]);
        }
        upload.finish().await?;
        Ok((name, size))
    }

    /// The whole blob.
    pub async fn get(&self, name: &str) -> Result<Bytes, BlobError> {
        Ok(self.store.get(&key(name)).await?.bytes().await?)
    }

    /// Exactly `length` bytes from `offset`, as a stream.
    pub async fn stream(
        &self,
        name: &str,
        offset: u64,
        length: u64,
    ) -> Result<BoxStream<'static, Result<Bytes, object_store::Error>>, BlobError> {
        if length == 0 {
            return Ok(Box::pin(futures::stream::empty()));
        }
        let range = Some(GetRange::Bounded(offset..offset + length));
        let options = GetOptions { range, ..GetOptions::default() };
        Ok(self.store.get_opts(&key(name), options).await?.into_stream())
    }

    /// Exactly `length` bytes from `offset`, for pieces small enough to hold.
    pub async fn range(&self, name: &str, offset: u64, length: u64) -> Result<Bytes, BlobError> {
        if length == 0 {
            return Ok(Bytes::new());
        }
        Ok(self.store.get_range(&key(name), offset..offset + length).await?)
    }

    /// Whether the store answers: for readiness, which is asked often and by anybody.
    pub async fn reach(&self) -> Result<(), BlobError> {
        match self.store.head(&Key::from("reach")).await {
            Ok(_) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes, reads back and deletes a small file: for `doctor`.
    pub async fn check(&self) -> Result<(), BlobError> {
        let key = Key::from(format!("check-{}", crate::ids::label()));
        self.store.put(&key, PutPayload::from_static(b"passerelle")).await?;
        self.store.get(&key).await?.bytes().await?;
        self.store.delete(&key).await?;
        Ok(())
    }
}

/// Two levels of folders keep each of them small.
fn key(name: &str) -> Key {
    let level = |from: usize| name.get(from..from + 2).unwrap_or("__");
    Key::from_iter([level(0), level(2), name])
}

async fn hash_file(path: &Path) -> Result<(Sha256Hex, u64), BlobError> {
    let mut file = tokio::fs::File::open(path).await?;
    let (mut hash, mut size, mut piece) = (Sha256::new(), 0, vec![0; PIECE]);
    loop {
        let read = file.read(&mut piece).await?;
        if read == 0 {
            return Ok((hex(&hash.finalize()), size));
        }
        hash.update(&piece[..read]);
        size += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_put_is_read_back_whole_and_in_part() {
        let folder = tempfile::tempdir().expect("a folder");
        let blobs = Blobs::open(folder.path()).expect("opens");
        let name = blobs.put(Bytes::from_static(b"passerelle")).await.expect("stored");
        assert_eq!(blobs.get(&name).await.expect("there"), "passerelle");
        assert_eq!(blobs.range(&name, 4, 3).await.expect("there"), "ere");
        let file = folder.path().join("source");
        std::fs::write(&file, b"passerelle").expect("written");
        assert_eq!(blobs.put_file(&file).await.expect("stored"), (name, 10));
        assert!(blobs.get(&"0".repeat(64)).await.is_err());
        blobs.check().await.expect("works");
    }
}
