//! Organisations that run training: their name, sender, language, time zone and signatory.

mod store;

use chrono_tz::Tz;

use crate::ids::TenantId;
use crate::mail::Mailbox;
use crate::web::Lang;

pub use store::{all, allows_legacy_lti, by_slug, find, first, insert, set_legacy_lti};

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Tenant {
    pub id: TenantId,
    pub slug: String,
    pub name: String,
    pub sender_name: String,
    pub sender_address: String,
    pub signatory_name: String,
    pub signatory_title: String,
    pub language: Lang,
    time_zone: String,
}

impl Tenant {
    /// The zone its dates are written in; an unknown name counts as Paris, where the service is from.
    pub fn zone(&self) -> Tz {
        self.time_zone.parse().unwrap_or(chrono_tz::Europe::Paris)
    }

    pub fn mailbox(&self) -> Mailbox {
        Mailbox { name: self.sender_name.clone(), address: self.sender_address.clone() }
    }
}

/// A tenant to add.
#[derive(Clone, Debug)]
pub struct NewTenant {
    pub slug: String,
    pub name: String,
    pub sender_address: String,
    pub signatory_name: String,
    pub signatory_title: String,
    pub language: Lang,
    pub time_zone: Tz,
}
