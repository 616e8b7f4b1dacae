//! Our own keys: made on first start, kept in the database, the same in every process.

use std::sync::Arc;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use lti::state::{StateKey, StateKeyTooShort};
use lti::tool_key::{ToolKey, ToolKeyError, public_jwks};

use super::store;
use crate::clock::Clock;
use crate::db::{self, Db};
use crate::ids::{label, random_bytes};

/// What the service signs with. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Newest first: the first signs, all are published.
    tool: Arc<[ToolKey]>,
    pub state: StateKey,
    form: Arc<[u8]>,
}

#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error("the keys cannot be read from the database")]
    Database(#[from] db::Error),
    #[error("a stored key cannot be used")]
    Key(#[from] ToolKeyError),
    #[error("the stored key for states cannot be used")]
    State(#[from] StateKeyTooShort),
    #[error("no RSA key could be made")]
    Generate,
    #[error("there is no key to sign with")]
    None,
}

impl Keys {
    pub async fn load_or_make(db: &Db, clock: &Clock) -> Result<Self, KeysError> {
        let now = clock.now();
        let mut tx = db.write().await?;
        // Taken first: two processes that start together wait for each other here.
        let state =
            store::secret(&mut tx, "launch-state", random_bytes::<32>().to_vec(), now).await?;
        let form = store::secret(&mut tx, "form", random_bytes::<32>().to_vec(), now).await?;
        let mut stored = store::tool_keys(&mut tx).await?;
        if stored.is_empty() {
            let (kid, pkcs8) = (label(), make_rsa_key()?);
            store::insert_tool_key(&mut tx, &kid, pkcs8.clone(), now).await?;
            stored.push(store::StoredKey { kid, pkcs8 });
        }
        tx.commit().await?;
        let tool = stored
            .iter()
            .map(|key| ToolKey::from_pkcs8(&key.kid, &key.pkcs8))
            .collect::<Result<Vec<_>, _>>()?;
        if tool.is_empty() {
            return Err(KeysError::None);
        }
        Ok(Self { tool: tool.into(), state: StateKey::new(state)?, form: form.into() })
    }

    /// The key that signs towards platforms.
    pub fn signing(&self) -> &ToolKey {
        &self.tool[0]
    }

    /// What `/.well-known/jwks.json` answers.
    pub fn jwks(&self) -> serde_json::Value {
        public_jwks(self.tool.iter())
    }

    /// The key of form tokens.
    pub fn form(&self) -> &[u8] {
        &self.form
    }
}

fn make_rsa_key() -> Result<Vec<u8>, KeysError> {
    let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| KeysError::Generate)?;
    let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> =
        pair.as_der().map_err(|_| KeysError::Generate)?;
    Ok(der.as_ref().to_vec())
}
