//! A small course of two lessons and a test.

use std::io::Write as _;
use std::path::Path;

use passerelle::courses::import::{ImportError, NewVersion, import};
use passerelle::ids::CourseVersionId;
use passerelle::web::Lang;
use scorm::compiler::Theme;
use scorm::package::{Format, build_bytes};
use scorm::source;
use tempfile::NamedTempFile;

use super::Service;

/// Its short name, and the lessons and test in order.
pub(crate) const SLUG: &str = "fixture";

/// The package of the fixture course in French.
pub(crate) fn package(format: Format) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scorm/tests/data/course");
    let course = source::load(&folder).expect("readable").course.expect("correct");
    build_bytes(&course, source::Lang::French, format, &Theme::builtin()).expect("builds")
}

/// Version `version` of the course `slug`.
pub(crate) fn new_version(slug: &str, version: &str) -> NewVersion {
    NewVersion {
        slug: slug.to_owned(),
        language: Lang::Fr,
        version: version.to_owned(),
        title: None,
        description: "Un petit cours pour les essais.".to_owned(),
        duration_minutes: 12,
    }
}

impl Service {
    /// Takes a package in.
    pub(crate) async fn import(
        &self,
        bytes: &[u8],
        new: NewVersion,
    ) -> Result<CourseVersionId, ImportError> {
        let mut file = NamedTempFile::new().expect("a temporary file");
        file.write_all(bytes).expect("written");
        import(&self.app, file.path().to_owned(), new).await.map(|(version, _)| version)
    }

    /// The fixture course, installed.
    pub(crate) async fn install_course(&self) -> CourseVersionId {
        let bytes = package(Format::Scorm2004Fourth);
        self.import(&bytes, new_version(SLUG, "1.0.0")).await.expect("the package is sound")
    }
}
