//! Every page and mail, in every shape and language.

use std::collections::BTreeSet;

use passerelle::mail::Body;
use passerelle::web::{Lang, Page, Pages};
use passerelle::{
    console, credentials, events, identities, launches, learners, people, platforms, player, web,
};

/// Renders what was not rendered before, strictly: a name that a context lacks is an error.
struct Rendering {
    pages: Pages,
    templates: BTreeSet<String>,
}

impl Rendering {
    fn all<P: Page>(&mut self) {
        let samples = P::samples();
        assert!(!samples.is_empty(), "{} has no sample", P::TEMPLATE);
        for lang in Lang::ALL {
            for sample in &samples {
                self.one(lang, sample);
            }
        }
    }

    fn one<P: Page>(&mut self, lang: Lang, sample: &P) {
        let rendered = |result: Result<String, web::pages::RenderError>| {
            result.unwrap_or_else(|error| {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                panic!("{} in {}: {error}: {cause:?}", P::TEMPLATE, lang.as_str())
            })
        };
        if P::TEMPLATE.starts_with("mails/") {
            for part in ["subject", "text", "html"] {
                let text = rendered(self.pages.mail(lang, part, sample));
                assert!(!text.trim().is_empty(), "{}.{part}", P::TEMPLATE);
                assert!(part != "html" || !text.contains("<Lefèvre>"), "{text}");
                assert!(part == "html" || !text.contains("&lt;"), "{}.{part}", P::TEMPLATE);
                self.templates.insert(format!("{}.{part}", P::TEMPLATE));
            }
        } else {
            let html = rendered(self.pages.html(lang, sample));
            assert!(html.contains(&format!("lang=\"{}\"", lang.as_str())), "{}", P::TEMPLATE);
            for raw in ["<Lefèvre>", "<script>\"", "<européen>", "{{"] {
                assert!(!html.contains(raw), "{}: {raw}", P::TEMPLATE);
            }
            assert_unique_ids(&html);
            self.templates.insert(P::TEMPLATE.to_owned());
        }
    }
}

fn assert_unique_ids(html: &str) {
    let mut seen = BTreeSet::new();
    for id in html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(seen.insert(id), "two elements have the id {id:?}: {html}");
    }
}

#[test]
fn every_page_and_mail_renders_in_every_shape_and_language() {
    let pages = Pages::load().expect("templates and catalogues");
    let mut rendering = Rendering { pages, templates: BTreeSet::new() };
    rendering.all::<web::home::HomePage>();
    rendering.all::<web::problem::ProblemPage>();
    rendering.all::<launches::legacy::pages::ContinuePage>();
    rendering.all::<console::pages::HomePage>();
    rendering.all::<console::sign_in::SignInPage>();
    rendering.all::<console::sign_in::LinkPage>();
    rendering.all::<console::mails::SignInLink>();
    rendering.all::<launches::nothing::NothingPage>();
    rendering.all::<launches::pages::NewWindowPage>();
    rendering.all::<launches::pages::RefusedPage>();
    rendering.all::<launches::storage::KeepPage>();
    rendering.all::<launches::storage::FetchPage>();
    rendering.all::<launches::picker::PickerPage>();
    rendering.all::<launches::picker::ReturnPage>();
    rendering.all::<platforms::dynamic::pages::ConnectPage>();
    rendering.all::<platforms::dynamic::pages::ConnectedPage>();
    rendering.all::<platforms::dynamic::pages::NotConnectedPage>();
    rendering.all::<people::pages::AddressPage>();
    rendering.all::<people::pages::ConfirmPage>();
    rendering.all::<people::mails::ConfirmAddress>();
    rendering.all::<player::api::PlayerPage>();
    rendering.all::<player::pages::CoursePage>();
    rendering.all::<credentials::pages::CredentialPage>();
    rendering.all::<credentials::pages::VerifyFormPage>();
    rendering.all::<credentials::pages::VerifiedPage>();
    rendering.all::<credentials::mails::CertificateMail>();
    rendering.all::<credentials::mails::AttestationMail>();
    rendering.all::<events::views::ListPage>();
    rendering.all::<events::views::ShowPage>();
    rendering.all::<events::views::FormPage>();
    rendering.all::<events::views::CancelPage>();
    rendering.all::<events::copies::pages::CopyPage>();
    rendering.all::<events::copies::pages::UndecidedPage>();
    rendering.all::<identities::pages::IdentitiesPage>();
    rendering.all::<identities::pages::JoinPage>();
    rendering.all::<events::views::PresencePage>();
    rendering.all::<events::missing::MissingPage>();
    rendering.all::<learners::views::LearnersPage>();
    rendering.all::<learners::views::LearnerPage>();
    rendering.all::<events::mails::Confirmation>();
    rendering.all::<events::mails::Waiting>();
    rendering.all::<events::mails::Promotion>();
    rendering.all::<events::mails::Change>();
    rendering.all::<events::mails::Cancellation>();
    rendering.all::<events::mails::Withdrawal>();
    rendering.all::<events::mails::Reminder>();
    rendering.all::<console::platforms::ListPage>();
    rendering.all::<console::platforms::ChoosePage>();
    rendering.all::<console::platforms::ConnectPage>();
    rendering.all::<console::platforms::LinkPage>();
    rendering.all::<console::platforms::LegacyPage>();
    rendering.all::<console::platforms::ShowPage>();
    rendering.all::<console::platforms::MovePage>();
    let written: BTreeSet<String> = rendering.pages.template_names().into_iter().collect();
    let never: Vec<&String> = written.difference(&rendering.templates).collect();
    assert!(never.is_empty(), "templates that no sample renders: {never:?}");
}

/// A mail as people read it: subject and text.
fn mail<P: Page>(lang: Lang, shape: usize) -> String {
    let pages = Pages::load().expect("templates and catalogues");
    let sample = P::samples().into_iter().nth(shape).expect("the shape");
    let body = Body::render(&pages, lang, &sample).expect("renders");
    format!("{}\n\n{}", body.subject, body.text)
}

#[test]
fn mails_read_well() {
    insta::assert_snapshot!("address_fr", mail::<people::mails::ConfirmAddress>(Lang::Fr, 0));
    insta::assert_snapshot!(
        "certificate_fr",
        mail::<credentials::mails::CertificateMail>(Lang::Fr, 0)
    );
    insta::assert_snapshot!("change_en", mail::<events::mails::Change>(Lang::En, 0));
    insta::assert_snapshot!("waiting_fr", mail::<events::mails::Waiting>(Lang::Fr, 1));
}
