//! Credentials as PDF: typst documents compiled in this process.
//!
//! The templates in `templates/certificates` are sources; what they say of somebody enters as the
//! virtual file `data.json`, so nothing that a person typed is ever read as markup. The document's
//! date is the credential's, so the same credential gives the same bytes.

use chrono::{DateTime, Datelike as _, Timelike as _, Utc};
use chrono_tz::Tz;
use include_dir::{Dir, include_dir};
use serde::Serialize;
use typst::diag::{FileError, FileResult, Severity, SourceDiagnostic, Warned};
use typst::foundations::{Bytes, Datetime, Duration, Smart};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt as _, World};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards};

use super::{Facts, Kind};
use crate::web::{Lang, dates};

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates/certificates");

/// Cached pieces of a compilation are dropped when this many later ones did not use them.
const CACHE_AGE: usize = 8;
/// More dates than this are written as one period: the sheet has one page.
const DATES_SHOWN: usize = 8;

/// Templates and fonts, read once; each certificate then costs milliseconds.
pub struct Certificates {
    library: LazyHash<Library>,
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
    sources: Vec<Source>,
    certificate: FileId,
    attestation: FileId,
    data: FileId,
    qr: FileId,
    /// PDF/UA-1 with PDF/A-3a.
    strict: PdfStandards,
}

/// Why the templates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificatesError {
    #[error("the certificate template {0} is not text")]
    NotText(String),
    #[error("the certificate font {0} cannot be read")]
    Font(String),
    #[error("{0:?} is not a path that a certificate template can have")]
    Path(String),
    #[error("PDF/UA-1 and PDF/A-3a cannot be had together: {0}")]
    Standards(String),
}

/// Why a certificate cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    #[error("the facts cannot be written as JSON")]
    Data(#[from] serde_json::Error),
    #[error("the verification address does not fit a QR code: {0}")]
    Qr(#[from] qrcode::types::QrError),
    #[error("the certificate template does not compile: {0}")]
    Compile(String),
    #[error("the certificate cannot be written as PDF: {0}")]
    Export(String),
}

/// Everything that one sheet shows.
#[derive(Clone, Debug)]
pub struct Document {
    pub kind: Kind,
    pub lang: Lang,
    /// The verification code, without spaces.
    pub code: String,
    /// Where anybody can check the code.
    pub verify_url: String,
    pub issued_at: DateTime<Utc>,
    pub facts: Facts,
}

impl Certificates {
    /// Reads the templates and fonts that are built into the program.
    pub fn load() -> Result<Self, CertificatesError> {
        let mut sources = Vec::new();
        for file in FILES.files().filter(|file| has_extension(file, "typ")) {
            let name = file.path().to_string_lossy();
            let text = file.contents_utf8();
            let text = text.ok_or_else(|| CertificatesError::NotText(name.to_string()))?;
            sources.push(Source::new(file_id(&name)?, text.to_owned()));
        }
        let mut fonts = Vec::new();
        let mut files: Vec<_> = FILES.dirs().flat_map(Dir::files).collect();
        // Their order decides which one stands in for a missing letter.
        files.sort_by_key(|file| file.path());
        for file in files.into_iter().filter(|file| has_extension(file, "ttf")) {
            let font = Font::new(Bytes::new(file.contents()), 0);
            let name = || file.path().to_string_lossy().into_owned();
            fonts.push(font.ok_or_else(|| CertificatesError::Font(name()))?);
        }
        let strict = PdfStandards::new(&[PdfStandard::Ua_1, PdfStandard::A_3a])
            .map_err(|error| CertificatesError::Standards(error.message().to_string()))?;
        Ok(Self {
            library: LazyHash::new(Library::default()),
            book: LazyHash::new(FontBook::from_fonts(&fonts)),
            fonts,
            sources,
            certificate: file_id("certificate.typ")?,
            attestation: file_id("attestation.typ")?,
            data: file_id("data.json")?,
            qr: file_id("qr.svg")?,
            strict,
        })
    }

    /// The sheet as PDF/UA-1 and PDF/A-3a. Takes milliseconds of CPU: not for an async thread.
    pub fn render(&self, document: &Document) -> Result<Vec<u8>, RenderError> {
        let sheet = self.sheet(document)?;
        let Warned { output, warnings } = typst::compile::<PagedDocument>(&sheet);
        for warning in &warnings {
            tracing::warn!(warning = %warning.message, "a certificate template gives a warning");
        }
        let bytes = output
            .map_err(|errors| RenderError::Compile(summary(&errors)))
            .and_then(|paged| self.export(&paged, document));
        typst::comemo::evict(CACHE_AGE);
        bytes
    }

    /// PDF/A refuses letters that no font of ours has. Somebody whose name is written with such a
    /// letter still gets a document: tagged, but without the archive's seal.
    fn export(&self, paged: &PagedDocument, document: &Document) -> Result<Vec<u8>, RenderError> {
        let options = |standards| PdfOptions {
            ident: Smart::Custom(document.code.clone()),
            creator: Smart::Custom(Some("Passerelle".to_owned())),
            standards,
            ..PdfOptions::default()
        };
        typst_pdf::pdf(paged, &options(self.strict.clone())).or_else(|errors| {
            tracing::warn!(reason = summary(&errors), "a certificate is not PDF/A");
            typst_pdf::pdf(paged, &options(PdfStandards::default()))
                .map_err(|errors| RenderError::Export(summary(&errors)))
        })
    }

    fn sheet(&self, document: &Document) -> Result<Sheet<'_>, RenderError> {
        let data = serde_json::to_vec(&Data::of(document))?;
        let code = qrcode::QrCode::new(document.verify_url.as_bytes())?;
        let svg = code.render::<qrcode::render::svg::Color<'_>>().build();
        let main = match document.kind {
            Kind::Certificate => self.certificate,
            Kind::Attestation => self.attestation,
        };
        Ok(Sheet { shared: self, main, data: Bytes::new(data), qr: Bytes::from_string(svg) })
    }
}

fn has_extension(file: &include_dir::File<'_>, extension: &str) -> bool {
    file.path().extension().is_some_and(|found| found == extension)
}

fn file_id(path: &str) -> Result<FileId, CertificatesError> {
    let path = VirtualPath::new(path).map_err(|_| CertificatesError::Path(path.to_owned()))?;
    Ok(RootedPath::new(VirtualRoot::Project, path).intern())
}

fn summary(problems: &[SourceDiagnostic]) -> String {
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
    errors.map(|problem| problem.message.as_str()).collect::<Vec<_>>().join("; ")
}

/// One compilation's world: the shared templates and fonts, and this document's data.
struct Sheet<'a> {
    shared: &'a Certificates,
    main: FileId,
    data: Bytes,
    qr: Bytes,
}

impl World for Sheet<'_> {
    fn library(&self) -> &LazyHash<Library> {
        &self.shared.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &self.shared.book
    }

    fn main(&self) -> FileId {
        self.main
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        let source = self.shared.sources.iter().find(|source| source.id() == id);
        source.cloned().ok_or(FileError::AccessDenied)
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        if id == self.shared.data {
            Ok(self.data.clone())
        } else if id == self.shared.qr {
            Ok(self.qr.clone())
        } else {
            Err(FileError::AccessDenied)
        }
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.shared.fonts.get(index).cloned()
    }

    /// A certificate knows the date it was issued, and no other.
    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}

/// What the templates read: every number and date written out.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Data {
    lang: Lang,
    holder: Option<String>,
    title: String,
    duration: String,
    foreseen: Option<String>,
    one_day: bool,
    period: String,
    held: Vec<String>,
    time_zone: String,
    score: Option<String>,
    remote: bool,
    place: Option<String>,
    trainer: Option<String>,
    issuer: String,
    signatory: Signatory,
    issued: String,
    date: Date,
    code: String,
    url: String,
    address: String,
}

#[derive(Serialize)]
struct Signatory {
    name: String,
    title: String,
}

#[derive(Serialize)]
struct Date {
    year: i32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
}

impl Data {
    fn of(document: &Document) -> Self {
        let Document { lang, facts, .. } = document;
        let (lang, zone, at) = (*lang, facts.zone(), document.issued_at);
        let tidy =
            |text: &Option<String>| text.as_deref().map(clean).filter(|text| !text.is_empty());
        let period = facts.period(lang);
        let address = document.verify_url.split_once("://");
        Self {
            lang,
            holder: tidy(&facts.holder),
            title: clean(&facts.title),
            duration: dates::duration(facts.minutes),
            foreseen: facts.foreseen_minutes.map(dates::duration),
            one_day: facts.is_one_day(),
            held: held(lang, facts, zone).unwrap_or_else(|| vec![period.clone()]),
            period,
            time_zone: facts.time_zone.clone(),
            score: facts.percent(lang),
            remote: facts.remote,
            place: tidy(&facts.place),
            trainer: tidy(&facts.trainer),
            issuer: clean(&facts.issuer),
            signatory: Signatory {
                name: clean(&facts.signatory_name),
                title: clean(&facts.signatory_title),
            },
            issued: dates::day(lang, at, zone),
            date: Date {
                year: at.year(),
                month: at.month(),
                day: at.day(),
                hour: at.hour(),
                minute: at.minute(),
                second: at.second(),
            },
            code: super::grouped(&document.code),
            address: address.map_or(document.verify_url.as_str(), |(_, rest)| rest).to_owned(),
            url: document.verify_url.clone(),
        }
    }
}

/// Each date with its hours; `None` when there are none, or too many for a page.
fn held(lang: Lang, facts: &Facts, zone: Tz) -> Option<Vec<String>> {
    let lines = facts.dates.iter().map(|date| {
        let from = dates::day_and_time(lang, date.from, zone);
        format!("{from} – {}", dates::time(lang, date.until, zone))
    });
    (1..=DATES_SHOWN).contains(&facts.dates.len()).then(|| lines.collect())
}

/// One line of printable text: no control characters, no doubled spaces.
fn clean(text: &str) -> String {
    let printable: String =
        text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    // Only the plain space is folded: a non-breaking one was meant.
    printable.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(kind: Kind, lang: Lang, holder: Option<&str>) -> Document {
        let at = |text: &str| {
            dates::parse_local(text, chrono_tz::Europe::Paris).expect("an hour that exists")
        };
        Document {
            kind,
            lang,
            code: "ABCDEFGHIJKLMNOPQRSTUVWXYZ".to_owned(),
            verify_url: "https://training.example.org/verify/ABCDEFGHIJKLMNOPQRSTUVWXYZ".to_owned(),
            issued_at: at("2026-11-23T18:45"),
            facts: Facts {
                holder: holder.map(str::to_owned),
                title: "Premiers pas avec eTwinning : coopérer en Europe".to_owned(),
                minutes: 65,
                foreseen_minutes: Some(75),
                from: at("2026-11-03T09:00"),
                until: at("2026-11-23T18:45"),
                dates: vec![super::super::Held {
                    from: at("2026-11-23T17:30"),
                    until: at("2026-11-23T18:45"),
                }],
                score: Some(0.9),
                issuer: "Réseau Canopé".to_owned(),
                signatory_name: "Camille Moreau".to_owned(),
                signatory_title: "Responsable du bureau d’assistance national".to_owned(),
                time_zone: "Europe/Paris".to_owned(),
                remote: true,
                place: None,
                trainer: Some("Inès Da Silva".to_owned()),
            },
        }
    }

    /// Every text that is laid out, in reading order.
    fn printed(certificates: &Certificates, document: &Document) -> String {
        use typst::layout::{Frame, FrameItem};

        fn collect(frame: &Frame, text: &mut String) {
            for (_, item) in frame.items() {
                match item {
                    FrameItem::Group(group) => collect(&group.frame, text),
                    FrameItem::Text(item) => {
                        text.push_str(&item.text);
                        text.push(' ');
                    }
                    _ => {}
                }
            }
        }

        let sheet = certificates.sheet(document).expect("data");
        let Warned { output, warnings } = typst::compile::<PagedDocument>(&sheet);
        assert!(warnings.is_empty(), "{warnings:?}");
        let paged = output.expect("compiles");
        assert_eq!(paged.pages().len(), 1, "a sheet has one page");
        let mut text = String::new();
        for page in paged.pages() {
            collect(&page.frame, &mut text);
        }
        text
    }

    #[test]
    fn the_same_credential_gives_the_same_bytes() {
        let certificates = Certificates::load().expect("templates");
        for kind in [Kind::Certificate, Kind::Attestation] {
            for lang in Lang::ALL {
                let document = document(kind, lang, Some("Zoé Lefèvre"));
                let first = certificates.render(&document).expect("a PDF");
                typst::comemo::evict(0);
                let again = Certificates::load().expect("templates");
                assert!(first.starts_with(b"%PDF-"));
                assert_eq!(first, again.render(&document).expect("a PDF"));
            }
        }
    }

    #[test]
    fn a_sheet_says_who_what_when_and_how_long() {
        let certificates = Certificates::load().expect("templates");
        let text =
            printed(&certificates, &document(Kind::Certificate, Lang::Fr, Some("Zoé Lefèvre")));
        for expected in
            ["Zoé Lefèvre", "1 h 05", "du 3 au 23 novembre", "90 %", "ABCD EFGH", "Camille Moreau"]
        {
            assert!(plain(&text).contains(expected), "{expected} is not in {text}");
        }
        let text =
            printed(&certificates, &document(Kind::Attestation, Lang::En, Some("Zoé Lefèvre")));
        for expected in ["Monday 23 November 2026, 17:30", "Online", "Europe/Paris", "1 h 15"] {
            assert!(plain(&text).contains(expected), "{expected} is not in {text}");
        }
    }

    fn plain(text: &str) -> String {
        text.replace(['\u{a0}', '\u{202f}'], " ")
    }

    #[test]
    fn markup_in_a_name_is_printed_as_it_was_typed() {
        let certificates = Certificates::load().expect("templates");
        let name = r#"#panic("x") *a* $y$ @b"#;
        for kind in [Kind::Certificate, Kind::Attestation] {
            let text = printed(&certificates, &document(kind, Lang::Fr, Some(name)));
            assert!(text.contains(name), "{text}");
        }
    }

    #[test]
    fn long_names_no_name_and_unknown_letters_still_give_one_page() {
        let certificates = Certificates::load().expect("templates");
        let long = "Marie-Antoinette ".repeat(12);
        for kind in [Kind::Certificate, Kind::Attestation] {
            for holder in [Some(long.as_str()), None, Some("Ελένη Παπαδοπούλου"), Some("ნინო 🎓")]
            {
                let mut document = document(kind, Lang::Fr, holder);
                document.facts.title = "Une formation au titre très long ".repeat(8);
                printed(&certificates, &document);
                assert!(certificates.render(&document).expect("a PDF").starts_with(b"%PDF-"));
            }
        }
    }

    #[test]
    fn control_characters_do_not_reach_the_sheet() {
        assert_eq!(clean(" Zoé\u{0}\tLe\nfèvre "), "Zoé Le fèvre");
        assert_eq!(clean("Titre\u{a0}: suite"), "Titre\u{a0}: suite");
    }
}
