//! Making keys where nobody waits for them.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{KeyState, KeysError, keys_of, make, store};
use crate::app::App;
use crate::ids::RegistrationId;
use crate::jobs::{Failure, Job};

/// When the database was away.
const SOON: TimeDelta = TimeDelta::seconds(30);

/// Makes a set's next key. Safe to run twice: a set has one next key.
#[derive(Debug, Serialize, Deserialize)]
pub struct MakeToolKey {
    /// `None`: the installation's set.
    pub registration: Option<RegistrationId>,
    /// When it begins to sign; `None`: when somebody rotates.
    pub signs_from: Option<DateTime<Utc>>,
}

impl Job for MakeToolKey {
    const KIND: &'static str = "make-tool-key";
}

impl MakeToolKey {
    pub async fn run(self, app: &App) -> Result<(), Failure> {
        self.make(app)
            .await
            .map_err(|error| Failure::Retry { after: SOON, reason: error.to_string() })
    }

    async fn make(self, app: &App) -> Result<(), KeysError> {
        let fresh = make().await?;
        let now = app.clock.now();
        let mut tx = app.db.write().await?;
        let keys = keys_of(&mut tx, self.registration).await?;
        // An attempt to register that came to nothing took its keys along.
        let wanted = match self.registration {
            Some(id) => !keys.is_empty() || super::super::find(&mut tx, id).await?.is_some(),
            None => true,
        };
        match keys.iter().find(|key| key.state == KeyState::Next) {
            None if wanted => {
                let of = self.registration;
                store::insert(&mut tx, of, fresh, KeyState::Next, self.signs_from, now).await?;
            }
            Some(next) if next.signs_from.is_none() => {
                if let Some(from) = self.signs_from {
                    store::schedule(&mut tx, &next.kid, from).await?;
                }
            }
            _ => {}
        }
        Ok(tx.commit().await?)
    }
}
