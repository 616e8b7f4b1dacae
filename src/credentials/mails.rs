//! The mails that bring somebody their credential.

use serde::Serialize;

use super::{Credential, Kind, grouped};
use crate::mail::Body;
use crate::web::pages::RenderError;
use crate::web::{Lang, Page, Pages, dates};

/// What both mails say.
#[derive(Clone, Serialize)]
pub struct Words {
    name: Option<String>,
    title: String,
    issuer: String,
    duration: String,
    one_day: bool,
    period: String,
    score: Option<String>,
    signatory_name: String,
    signatory_title: String,
    code: String,
    verify_url: String,
}

impl Words {
    fn of(lang: Lang, credential: &Credential, verify_url: String) -> Self {
        let facts = &credential.facts;
        Self {
            name: facts.holder.clone(),
            title: facts.title.clone(),
            issuer: facts.issuer.clone(),
            duration: dates::duration(facts.minutes),
            one_day: facts.is_one_day(),
            period: facts.period(lang),
            score: facts.percent(lang),
            signatory_name: facts.signatory_name.clone(),
            signatory_title: facts.signatory_title.clone(),
            code: grouped(&credential.code),
            verify_url,
        }
    }

    fn samples() -> [Self; 2] {
        let full = Self {
            name: Some("Zoé <Lefèvre>".to_owned()),
            title: "Premiers pas avec eTwinning & compagnie".to_owned(),
            issuer: "Réseau Canopé".to_owned(),
            duration: "1\u{a0}h\u{a0}05".to_owned(),
            one_day: false,
            period: "du 3 novembre 2026 au 23 novembre 2026".to_owned(),
            score: Some("90\u{a0}%".to_owned()),
            signatory_name: "Camille Moreau".to_owned(),
            signatory_title: "Responsable du bureau d’assistance national".to_owned(),
            code: "ABCD EFGH IJKL MNOP QRST UVWX YZ".to_owned(),
            verify_url: "https://training.example.org/verify/ABCDEFGHIJKLMNOPQRSTUVWXYZ".to_owned(),
        };
        let bare = Self { name: None, score: None, one_day: true, ..full.clone() };
        [full, bare]
    }
}

#[derive(Serialize)]
#[serde(transparent)]
pub struct CertificateMail(Words);

impl Page for CertificateMail {
    const TEMPLATE: &'static str = "mails/certificate";

    fn samples() -> Vec<Self> {
        Words::samples().map(Self).into()
    }
}

#[derive(Serialize)]
#[serde(transparent)]
pub struct AttestationMail(Words);

impl Page for AttestationMail {
    const TEMPLATE: &'static str = "mails/attestation";

    fn samples() -> Vec<Self> {
        Words::samples().map(Self).into()
    }
}

/// The credential's mail, in the holder's language.
pub(super) fn body(
    pages: &Pages,
    lang: Lang,
    credential: &Credential,
    verify_url: String,
) -> Result<Body, RenderError> {
    let words = Words::of(lang, credential, verify_url);
    match credential.kind {
        Kind::Certificate => Body::render(pages, lang, &CertificateMail(words)),
        Kind::Attestation => Body::render(pages, lang, &AttestationMail(words)),
    }
}
