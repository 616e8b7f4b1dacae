//! From LTI 1.1 to 1.3: believing what a 1.3 launch says about its 1.1 past (LTI Advantage
//! migration guide 1.0, 3).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::Fault;
use crate::claims::{Launch, Migration};

/// Why the claim is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MigrationRefusal {
    /// The launch has no such claim.
    #[error("the launch has no migration claim")]
    ClaimMissing,
    /// No consumer key, or no signature with it.
    #[error("the migration claim is not signed")]
    Unsigned,
    /// Signed with another secret, or for another launch.
    #[error("the migration claim's signature does not match")]
    SignatureInvalid,
}

impl MigrationRefusal {
    /// A stable word for texts and counters.
    pub const fn code(self) -> &'static str {
        match self {
            Self::ClaimMissing => "migration-claim-missing",
            Self::Unsigned => "migration-unsigned",
            Self::SignatureInvalid => "migration-signature-invalid",
        }
    }

    /// Who has to act.
    pub const fn fault(self) -> Fault {
        Fault::Peer
    }
}

/// The claim, if it is signed with the secret of its consumer key: base64 of the HMAC-SHA256 over
/// `key&deployment&issuer&client&exp&nonce` (3.1). Without it any platform could claim another
/// one's users.
pub fn verify<'a>(launch: &'a Launch, secret: &str) -> Result<&'a Migration, MigrationRefusal> {
    let migration = launch.migration.as_ref().ok_or(MigrationRefusal::ClaimMissing)?;
    let (Some(key), Some(signature)) = (&migration.consumer_key, &migration.signature) else {
        return Err(MigrationRefusal::Unsigned);
    };
    let signature = STANDARD.decode(signature).map_err(|_| MigrationRefusal::SignatureInvalid)?;
    mac(launch, key, secret)
        .and_then(|mac| mac.verify_slice(&signature).ok())
        .map(|()| migration)
        .ok_or(MigrationRefusal::SignatureInvalid)
}

fn mac(launch: &Launch, key: &str, secret: &str) -> Option<Hmac<Sha256>> {
    let text = [
        key,
        &launch.deployment_id,
        &launch.issuer,
        &launch.client_id,
        &launch.expires_at.timestamp().to_string(),
        &launch.nonce,
    ]
    .join("&");
    Some(Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?.chain_update(text))
}
