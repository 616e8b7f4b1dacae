//! `imsmanifest.xml` of both editions.

use std::io::Cursor;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use thiserror::Error;

use super::{Format, schemas};
use crate::compiler::{Compiled, PartKind, Sco};
use crate::source::{Content, Course, Lang};

/// The manifest's name, fixed by IMS CP.
pub(super) const FILE: &str = "imsmanifest.xml";

/// Text that XML cannot hold.
#[derive(Debug, Error)]
pub enum ManifestError {
    /// Writing failed.
    #[error("XML: {0}")]
    Xml(#[from] std::io::Error),
    /// The result is not UTF-8.
    #[error("XML is not UTF-8")]
    NotUtf8,
    /// The course has no content in the language.
    #[error("the course has no such language")]
    LanguageMissing,
}

type Attributes<'a> = &'a [(&'a str, &'a str)];

/// Writes the manifest of a compiled course.
pub(super) fn write(
    course: &Course,
    lang: Lang,
    format: Format,
    compiled: &Compiled,
) -> Result<String, ManifestError> {
    let content = course.contents.get(&lang).ok_or(ManifestError::LanguageMissing)?;
    let mut manifest = Manifest {
        xml: Writer::new_with_indent(Cursor::new(Vec::new()), b' ', 2),
        course,
        content,
        lang,
        format,
        compiled,
    };
    manifest.document()?;
    String::from_utf8(manifest.xml.into_inner().into_inner()).map_err(|_| ManifestError::NotUtf8)
}

struct Manifest<'a> {
    xml: Writer<Cursor<Vec<u8>>>,
    course: &'a Course,
    content: &'a Content,
    lang: Lang,
    format: Format,
    compiled: &'a Compiled,
}

impl Manifest<'_> {
    fn old(&self) -> bool {
        self.format == Format::Scorm12
    }

    fn open(&mut self, name: &str, attributes: Attributes<'_>) -> Result<(), ManifestError> {
        let start = BytesStart::new(name).with_attributes(attributes.iter().copied());
        Ok(self.xml.write_event(Event::Start(start))?)
    }

    fn close(&mut self, name: &str) -> Result<(), ManifestError> {
        Ok(self.xml.write_event(Event::End(BytesEnd::new(name)))?)
    }

    fn empty(&mut self, name: &str, attributes: Attributes<'_>) -> Result<(), ManifestError> {
        let start = BytesStart::new(name).with_attributes(attributes.iter().copied());
        Ok(self.xml.write_event(Event::Empty(start))?)
    }

    fn text(
        &mut self,
        name: &str,
        attributes: Attributes<'_>,
        text: &str,
    ) -> Result<(), ManifestError> {
        let start = BytesStart::new(name).with_attributes(attributes.iter().copied());
        self.xml.write_event(Event::Start(start))?;
        // Control characters other than tab and line ends do not exist in XML 1.0.
        let text: String =
            text.chars().filter(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r')).collect();
        self.xml.write_event(Event::Text(BytesText::new(&text)))?;
        self.close(name)
    }

    fn document(&mut self) -> Result<(), ManifestError> {
        self.xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        let identifier = format!("{}-{}", self.course.slug, self.lang.code());
        let identifier = format!("course-{identifier}");
        let mut attributes = vec![
            ("identifier", identifier.as_str()),
            ("version", self.course.version.as_str()),
            ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
        ];
        attributes.extend_from_slice(if self.old() { NAMESPACES_12 } else { NAMESPACES_2004 });
        self.open("manifest", &attributes)?;
        self.metadata()?;
        self.organizations()?;
        self.resources()?;
        self.close("manifest")
    }

    fn metadata(&mut self) -> Result<(), ManifestError> {
        self.open("metadata", &[])?;
        self.text("schema", &[], "ADL SCORM")?;
        self.text("schemaversion", &[], if self.old() { "1.2" } else { "2004 4th Edition" })?;
        if self.old() {
            self.metadata_12()?;
        } else {
            self.metadata_2004()?;
        }
        self.close("metadata")
    }

    /// IMS Learning Resource Metadata 1.2.1, as SCORM 1.2 uses it (CAM 2.2).
    fn metadata_12(&mut self) -> Result<(), ManifestError> {
        let code = self.lang.code();
        let content = self.content;
        let duration = iso_minutes(self.course.duration_minutes);
        self.open("imsmd:lom", &[])?;
        self.open("imsmd:general", &[])?;
        self.langstring_12("imsmd:title", &content.title)?;
        self.text("imsmd:language", &[], code)?;
        self.langstring_12("imsmd:description", &content.description)?;
        self.close("imsmd:general")?;
        self.open("imsmd:lifecycle", &[])?;
        self.langstring_12("imsmd:version", &self.course.version)?;
        self.close("imsmd:lifecycle")?;
        self.open("imsmd:educational", &[])?;
        self.open("imsmd:typicallearningtime", &[])?;
        self.text("imsmd:datetime", &[], &duration)?;
        self.close("imsmd:typicallearningtime")?;
        self.close("imsmd:educational")?;
        self.open("imsmd:rights", &[])?;
        self.langstring_12("imsmd:description", &self.course.licence)?;
        self.close("imsmd:rights")?;
        self.close("imsmd:lom")
    }

    fn langstring_12(&mut self, name: &str, text: &str) -> Result<(), ManifestError> {
        let code = self.lang.code();
        self.open(name, &[])?;
        self.text("imsmd:langstring", &[("xml:lang", code)], text)?;
        self.close(name)
    }

    /// IEEE 1484.12.3 Learning Object Metadata.
    fn metadata_2004(&mut self) -> Result<(), ManifestError> {
        let code = self.lang.code();
        let content = self.content;
        let duration = iso_minutes(self.course.duration_minutes);
        self.open("lom:lom", &[])?;
        self.open("lom:general", &[])?;
        self.open("lom:identifier", &[])?;
        self.text("lom:catalog", &[], "URI")?;
        self.text("lom:entry", &[], &self.course.identifier)?;
        self.close("lom:identifier")?;
        self.string_2004("lom:title", &content.title)?;
        self.text("lom:language", &[], code)?;
        self.string_2004("lom:description", &content.description)?;
        self.close("lom:general")?;
        self.open("lom:lifeCycle", &[])?;
        self.string_2004("lom:version", &self.course.version)?;
        self.close("lom:lifeCycle")?;
        self.open("lom:educational", &[])?;
        self.open("lom:typicalLearningTime", &[])?;
        self.text("lom:duration", &[], &duration)?;
        self.close("lom:typicalLearningTime")?;
        self.close("lom:educational")?;
        self.open("lom:rights", &[])?;
        self.string_2004("lom:description", &self.course.licence)?;
        self.close("lom:rights")?;
        self.close("lom:lom")
    }

    fn string_2004(&mut self, name: &str, text: &str) -> Result<(), ManifestError> {
        let code = self.lang.code();
        self.open(name, &[])?;
        self.text("lom:string", &[("language", code)], text)?;
        self.close(name)
    }

    fn organizations(&mut self) -> Result<(), ManifestError> {
        let content = self.content;
        self.open("organizations", &[("default", "organization")])?;
        let mut attributes = vec![("identifier", "organization")];
        if !self.old() {
            // Objectives of two courses never meet.
            attributes.push(("adlseq:objectivesGlobalToSystem", "false"));
        }
        self.open("organization", &attributes)?;
        self.text("title", &[], &content.title)?;
        self.open("item", &[("identifier", "course")])?;
        self.text("title", &[], &content.title)?;
        let compiled = self.compiled;
        for sco in &compiled.scos {
            self.item(sco)?;
        }
        if !self.old() {
            self.cluster_sequencing()?;
        }
        self.close("item")?;
        if !self.old() {
            self.cluster_sequencing()?;
        }
        self.close("organization")?;
        self.close("organizations")
    }

    fn item(&mut self, sco: &Sco) -> Result<(), ManifestError> {
        let identifier = format!("item-{}", sco.identifier);
        let reference = format!("resource-{}", sco.identifier);
        self.open("item", &[("identifier", &identifier), ("identifierref", &reference)])?;
        self.text("title", &[], &sco.title)?;
        if self.old() {
            if let Some(pass_mark) = sco.pass_mark {
                // CAM 1.2, 2.3.2.5.1.8: a whole number, 0 to 100.
                let percent = (pass_mark * 100.0).round().to_string();
                self.text("adlcp:masteryscore", &[], &percent)?;
            }
        } else {
            self.sequencing(sco)?;
        }
        self.close("item")
    }

    /// The learner goes on or chooses freely, on each level.
    fn cluster_sequencing(&mut self) -> Result<(), ManifestError> {
        self.open("imsss:sequencing", &[])?;
        self.empty("imsss:controlMode", &[("choice", "true"), ("flow", "true")])?;
        self.close("imsss:sequencing")
    }

    /// Completion rolls up from every part; satisfaction and score from the test alone, if there
    /// is one (SN 3.7, 3.8).
    fn sequencing(&mut self, sco: &Sco) -> Result<(), ManifestError> {
        let has_test = self.compiled.scos.iter().any(|other| other.kind == PartKind::Test);
        self.open("imsss:sequencing", &[])?;
        match (sco.kind, sco.pass_mark) {
            (PartKind::Test, Some(pass_mark)) => {
                self.empty(
                    "imsss:rollupRules",
                    &[
                        ("rollupObjectiveSatisfied", "true"),
                        ("rollupProgressCompletion", "true"),
                        ("objectiveMeasureWeight", "1"),
                    ],
                )?;
                self.open("imsss:objectives", &[])?;
                let objective = [("objectiveID", "test-result"), ("satisfiedByMeasure", "true")];
                self.open("imsss:primaryObjective", &objective)?;
                self.text("imsss:minNormalizedMeasure", &[], &pass_mark.to_string())?;
                self.close("imsss:primaryObjective")?;
                self.close("imsss:objectives")?;
            }
            _ => self.empty(
                "imsss:rollupRules",
                &[
                    ("rollupObjectiveSatisfied", if has_test { "false" } else { "true" }),
                    ("rollupProgressCompletion", "true"),
                    ("objectiveMeasureWeight", "0"),
                ],
            )?,
        }
        // The page says when it is done; leaving it early must not count as completion (UP.4).
        let by_content = if sco.kind == PartKind::Test || has_test { "true" } else { "false" };
        self.empty(
            "imsss:deliveryControls",
            &[("completionSetByContent", "true"), ("objectiveSetByContent", by_content)],
        )?;
        self.close("imsss:sequencing")
    }

    fn resources(&mut self) -> Result<(), ManifestError> {
        let kind = if self.old() { "adlcp:scormtype" } else { "adlcp:scormType" };
        let compiled = self.compiled;
        self.open("resources", &[])?;
        for sco in &compiled.scos {
            let identifier = format!("resource-{}", sco.identifier);
            let attributes = [
                ("identifier", identifier.as_str()),
                ("type", "webcontent"),
                (kind, "sco"),
                ("href", sco.href.as_str()),
            ];
            self.open("resource", &attributes)?;
            self.empty("file", &[("href", &sco.href)])?;
            for image in &sco.images {
                self.empty("file", &[("href", image)])?;
            }
            self.empty("dependency", &[("identifierref", "shared")])?;
            self.close("resource")?;
        }
        self.assets("shared", kind, compiled.shared.iter().map(String::as_str))?;
        let schema_files = schemas(self.format).iter().map(|(path, _)| *path);
        self.assets("schemas", kind, schema_files)?;
        self.close("resources")
    }

    fn assets<'b>(
        &mut self,
        identifier: &str,
        kind: &str,
        files: impl Iterator<Item = &'b str>,
    ) -> Result<(), ManifestError> {
        let attributes = [("identifier", identifier), ("type", "webcontent"), (kind, "asset")];
        self.open("resource", &attributes)?;
        for file in files {
            self.empty("file", &[("href", file)])?;
        }
        self.close("resource")
    }
}

fn iso_minutes(minutes: u32) -> String {
    format!("PT{}H{}M", minutes / 60, minutes % 60)
}

const NAMESPACES_12: Attributes<'static> = &[
    ("xmlns", "http://www.imsproject.org/xsd/imscp_rootv1p1p2"),
    ("xmlns:adlcp", "http://www.adlnet.org/xsd/adlcp_rootv1p2"),
    ("xmlns:imsmd", "http://www.imsglobal.org/xsd/imsmd_rootv1p2p1"),
    (
        "xsi:schemaLocation",
        "http://www.imsproject.org/xsd/imscp_rootv1p1p2 imscp_rootv1p1p2.xsd \
         http://www.imsglobal.org/xsd/imsmd_rootv1p2p1 imsmd_rootv1p2p1.xsd \
         http://www.adlnet.org/xsd/adlcp_rootv1p2 adlcp_rootv1p2.xsd",
    ),
];

const NAMESPACES_2004: Attributes<'static> = &[
    ("xmlns", "http://www.imsglobal.org/xsd/imscp_v1p1"),
    ("xmlns:adlcp", "http://www.adlnet.org/xsd/adlcp_v1p3"),
    ("xmlns:adlseq", "http://www.adlnet.org/xsd/adlseq_v1p3"),
    ("xmlns:adlnav", "http://www.adlnet.org/xsd/adlnav_v1p3"),
    ("xmlns:imsss", "http://www.imsglobal.org/xsd/imsss"),
    ("xmlns:lom", "http://ltsc.ieee.org/xsd/LOM"),
    (
        "xsi:schemaLocation",
        "http://www.imsglobal.org/xsd/imscp_v1p1 imscp_v1p1.xsd \
         http://www.adlnet.org/xsd/adlcp_v1p3 adlcp_v1p3.xsd \
         http://www.adlnet.org/xsd/adlseq_v1p3 adlseq_v1p3.xsd \
         http://www.adlnet.org/xsd/adlnav_v1p3 adlnav_v1p3.xsd \
         http://www.imsglobal.org/xsd/imsss imsss_v1p0.xsd \
         http://ltsc.ieee.org/xsd/LOM lom.xsd",
    ),
];
