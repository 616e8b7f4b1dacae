//! The mails about somebody's own account.

use serde::Serialize;

use crate::web::Page;

#[derive(Serialize)]
pub struct ConfirmAddress {
    pub tenant: String,
    pub name: Option<String>,
    pub link: String,
}

impl Page for ConfirmAddress {
    const TEMPLATE: &'static str = "mails/confirm-address";

    fn samples() -> Vec<Self> {
        let sample = |name: Option<&str>| Self {
            tenant: "Réseau Canopé".to_owned(),
            name: name.map(str::to_owned),
            link: "https://training.example.org/address/abc".to_owned(),
        };
        vec![sample(Some("Zoé <Lefèvre>")), sample(None)]
    }
}
