//! The mail that signs staff in.

use serde::Serialize;

use crate::web::Page;

#[derive(Serialize)]
pub struct SignInLink {
    pub name: String,
    pub link: String,
    /// How long the link works.
    pub minutes: i64,
}

impl Page for SignInLink {
    const TEMPLATE: &'static str = "mails/staff-sign-in";

    fn samples() -> Vec<Self> {
        vec![Self {
            name: "Zoé <Lefèvre>".to_owned(),
            link: "https://training.example.org/console/link/abc".to_owned(),
            minutes: 15,
        }]
    }
}
