//! The published schemas of both editions, as they go into every package.

use super::Format;

macro_rules! files {
    ($folder:literal: $($path:literal),+ $(,)?) => {
        &[$(($path, include_str!(concat!("../../schemas/", $folder, "/", $path)))),+]
    };
}

const SCORM_12: &[(&str, &str)] = files![
    "1.2":
    "adlcp_rootv1p2.xsd",
    "ims_xml.xsd",
    "imscp_rootv1p1p2.xsd",
    "imsmd_rootv1p2p1.xsd",
];

const SCORM_2004_FOURTH: &[(&str, &str)] = files![
    "2004-4th":
    "XMLSchema.dtd",
    "adlcp_v1p3.xsd",
    "adlnav_v1p3.xsd",
    "adlseq_v1p3.xsd",
    "common/anyElement.xsd",
    "common/dataTypes.xsd",
    "common/elementNames.xsd",
    "common/elementTypes.xsd",
    "common/rootElement.xsd",
    "common/vocabTypes.xsd",
    "common/vocabValues.xsd",
    "datatypes.dtd",
    "extend/custom.xsd",
    "extend/strict.xsd",
    "imscp_v1p1.xsd",
    "imsss_v1p0.xsd",
    "imsss_v1p0auxresource.xsd",
    "imsss_v1p0control.xsd",
    "imsss_v1p0delivery.xsd",
    "imsss_v1p0limit.xsd",
    "imsss_v1p0objective.xsd",
    "imsss_v1p0random.xsd",
    "imsss_v1p0rollup.xsd",
    "imsss_v1p0seqrule.xsd",
    "imsss_v1p0util.xsd",
    "lom.xsd",
    "unique/loose.xsd",
    "unique/strict.xsd",
    "vocab/custom.xsd",
    "vocab/loose.xsd",
    "vocab/strict.xsd",
    "xml.xsd",
];

/// The schema files of an edition: path in the package and content, in the order of the path.
pub fn schemas(format: Format) -> &'static [(&'static str, &'static str)] {
    match format {
        Format::Scorm12 => SCORM_12,
        Format::Scorm2004Fourth => SCORM_2004_FOURTH,
    }
}
