//! What is worth telling about a manifest: each finding names the place and what to do.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::xml::{Element, Position};

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Part of the course will not work.
    Error,
    /// It works, but perhaps not as meant.
    Warning,
    /// Put right, for information.
    Note,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub severity: Severity,
    /// What was found, with the words the message needs; its `code` is stable.
    pub problem: Problem,
    pub file: String,
    /// From 1, in the decoded text ([`super::decode`]).
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
}

impl Finding {
    pub fn code(&self) -> &'static str {
        self.problem.code()
    }

    /// What to do about it, in English.
    pub fn help(&self) -> &'static str {
        self.problem.help()
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}:{}: {}", self.file, self.line, self.column, self.problem)
    }
}

/// The longest word of a message, in characters.
const MOST_CHARACTERS: usize = 300;

fn shorten(word: &mut String) {
    if let Some((end, _)) = word.char_indices().nth(MOST_CHARACTERS) {
        word.truncate(end);
        word.push('…');
    }
}

macro_rules! problems {
    ($( $name:ident { $($field:ident),* } $code:literal $severity:ident $message:literal $help:literal; )*) => {
        /// Everything a finding can be about. The display text is the English message.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "code")]
        pub enum Problem {
            $( #[doc = $message] #[serde(rename = $code)] $name { $($field: String),* }, )*
        }

        impl Problem {
            /// The stable kebab-case name, for translations and tests.
            pub const fn code(&self) -> &'static str {
                match self { $( Self::$name { .. } => $code, )* }
            }

            /// How much it matters.
            pub const fn severity(&self) -> Severity {
                match self { $( Self::$name { .. } => Severity::$severity, )* }
            }

            /// What to do about it, in English.
            pub const fn help(&self) -> &'static str {
                match self { $( Self::$name { .. } => $help, )* }
            }

            /// The words of the message by name, for translations.
            pub fn arguments(&self) -> Vec<(&'static str, &str)> {
                match self {
                    $( Self::$name { $($field),* } => vec![$( (stringify!($field), $field.as_str()) ),*], )*
                }
            }

            /// Cuts words that were copied from the document: they may be megabytes.
            fn shorten(&mut self) {
                match self {
                    $( Self::$name { $($field),* } => { $( shorten($field); )* } )*
                }
            }

            /// Every code there is: a translation needs a message for each.
            pub const CODES: &'static [&'static str] = &[$( $code ),*];
        }

        impl fmt::Display for Problem {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $( Self::$name { $($field),* } => write!(out, $message), )* }
            }
        }
    };
}

problems! {
    EditionUnknown { text } "edition-unknown" Warning
        "the schema version `{text}` is not one of SCORM's; the edition was taken from the namespaces"
        "Publish again as SCORM 1.2 or SCORM 2004.";
    EditionMissing {} "edition-missing" Warning
        "the manifest does not say its SCORM version; it was taken from the namespaces"
        "Add <schemaversion> to <metadata>, or publish again.";
    EditionConflict { text, namespaces } "edition-conflict" Warning
        "the schema version says `{text}` but the namespaces are those of {namespaces}; the schema version counts"
        "Publish again choosing one SCORM version.";
    ManifestIdentifierMissing {} "manifest-identifier-missing" Warning
        "the manifest has no identifier"
        "Add an identifier attribute to <manifest>.";
    OrganizationsMissing {} "organizations-missing" Warning
        "the manifest has no organization; each launchable resource became a step"
        "Publish as a course, not as a resource package.";
    DefaultOrganizationMissing { used } "default-organization-missing" Warning
        "no default organization is named; `{used}` is used"
        "Add default=\"…\" to <organizations>.";
    DefaultOrganizationUnknown { named, used } "default-organization-unknown" Warning
        "the default organization `{named}` does not exist; `{used}` is used"
        "Correct the default attribute of <organizations>.";
    OrganizationEmpty { identifier } "organization-empty" Warning
        "the organization `{identifier}` has nothing to launch"
        "Remove it or give its items resources.";
    IdentifierMissing { element, given } "identifier-missing" Warning
        "this {element} has no identifier; it is called `{given}` here"
        "Add an identifier attribute.";
    IdentifierDuplicate { identifier, given } "identifier-duplicate" Warning
        "the identifier `{identifier}` is used twice; this one is called `{given}` here"
        "Give every item its own identifier.";
    ResourceDuplicate { identifier } "resource-duplicate" Warning
        "the resource `{identifier}` is declared twice; the first one counts"
        "Remove one of the two.";
    TitleMissing { element, identifier } "title-missing" Note
        "the {element} `{identifier}` has no title"
        "Add a <title>; learners see it in the table of contents.";
    ItemEmpty { identifier } "item-empty" Warning
        "the item `{identifier}` has neither content nor sub-items"
        "Give it a resource or remove it.";
    ItemResourceUnknown { identifier, reference } "item-resource-unknown" Error
        "the item `{identifier}` names the resource `{reference}`, which does not exist"
        "Correct identifierref or add the resource.";
    ItemResourceOnCluster { identifier } "item-resource-on-cluster" Warning
        "the item `{identifier}` has both sub-items and a resource; the resource is left out"
        "Move the resource to a sub-item of its own.";
    ParametersDiscarded { parameters, href } "parameters-discarded" Warning
        "the parameters `{parameters}` cannot be added to `{href}`, which already has a fragment"
        "Keep the fragment in one of the two places.";
    LaunchMissing { identifier } "launch-missing" Error
        "the resource `{identifier}` has no href, so it cannot be launched"
        "Add the href of the page that starts it.";
    LaunchGuessed { identifier, path } "launch-guessed" Warning
        "the resource `{identifier}` has no href; its file `{path}` is launched"
        "Add the href of the page that starts it.";
    LaunchFileMissing { identifier, path } "launch-file-missing" Error
        "the resource `{identifier}` launches `{path}`, which is not in the package"
        "Add the file or correct the href.";
    LaunchExternal { identifier, href } "launch-external" Note
        "the resource `{identifier}` launches `{href}`, outside the package"
        "Its tracking works only if that server cooperates.";
    FileMissing { identifier, path } "file-missing" Warning
        "the resource `{identifier}` lists `{path}`, which is not in the package"
        "Add the file or remove it from the list.";
    FilesOrphaned { count, examples } "files-orphaned" Note
        "{count} files of the package belong to no resource ({examples})"
        "They are served all the same; list them for other platforms.";
    HrefOutside { href } "href-outside-package" Error
        "`{href}` leads out of the package"
        "Use a path inside the package.";
    HrefTooLong { length } "href-too-long" Error
        "an href or xml:base of {length} bytes is too long and is left out"
        "Shorten it; the specification foresees 2000 characters.";
    HrefBackslash { href } "href-backslash" Note
        "`{href}` uses `\\` instead of `/`"
        "Publish again; other platforms may not find the file.";
    HrefDecoded { href, path } "href-decoded" Note
        "`{href}` was found as `{path}` after decoding"
        "File names without spaces and accents travel best.";
    HrefCase { href, path } "href-case" Note
        "`{href}` was found as `{path}`, written with other capitals"
        "Make both the same; other platforms may not find the file.";
    BaseWithoutSlash { base } "base-without-slash" Note
        "xml:base `{base}` does not end with `/` but was meant as a folder"
        "End xml:base with `/`.";
    DependencyUnknown { identifier, reference } "dependency-unknown" Warning
        "the resource `{identifier}` depends on `{reference}`, which does not exist"
        "Correct or remove the dependency.";
    ScormTypeInvalid { identifier, value } "scorm-type-invalid" Warning
        "the resource `{identifier}` has the unknown SCORM type `{value}`; it counts as an asset"
        "Use sco or asset.";
    SubManifest { identifier } "sub-manifest" Note
        "the nested manifest `{identifier}` was merged into the course"
        "Nested manifests are not used any more; publish as one manifest.";
    SubManifestLoop { identifier } "sub-manifest-loop" Error
        "the nested manifest `{identifier}` contains itself"
        "Remove the reference.";
    ValueInvalid { name, value, used } "value-invalid" Warning
        "`{value}` is not a value of {name}; `{used}` is used"
        "Correct the value.";
    PercentAsFraction { name, value } "percent-as-fraction" Warning
        "{name} is `{value}`, which was read as a percentage"
        "Write a fraction between 0 and 1.";
    RuleIncomplete { element } "rule-incomplete" Warning
        "this {element} has no usable condition or action and is left out"
        "Complete the rule or remove it.";
    ObjectiveUnknown { identifier } "objective-unknown" Warning
        "the objective `{identifier}` is not declared by this activity"
        "Declare it in <objectives>, or correct the reference.";
    ObjectiveInvalid { element } "objective-invalid" Warning
        "this {element} has no identifier and is left out"
        "Add the identifier attribute.";
    ObjectiveDuplicate { identifier } "objective-duplicate" Warning
        "the objective `{identifier}` is declared twice by this activity; the first one counts"
        "Remove one of the two.";
    SubManifestRepeated { identifier } "sub-manifest-repeated" Error
        "the nested manifest `{identifier}` is used too often; this use is left out"
        "Publish as one manifest.";
    SequencingReferenceUnknown { reference } "sequencing-reference-unknown" Warning
        "the sequencing `{reference}` is not in the sequencing collection"
        "Correct IDRef or add it to <sequencingCollection>.";
    SequencingIgnored { edition } "sequencing-ignored" Note
        "{edition} has no sequencing; the sequencing of this manifest is left out"
        "Publish as SCORM 2004 if the course needs sequencing.";
    AuxiliaryResources {} "auxiliary-resources" Note
        "auxiliary resources have no meaning in SCORM and are left out"
        "Nothing needs to be done.";
    PrerequisitesInvalid { script, reason } "prerequisites-invalid" Warning
        "the prerequisites `{script}` cannot be read ({reason}); the item is always open"
        "Use identifiers with & | ~ = <> and parentheses.";
    PrerequisitesWords { script } "prerequisites-words" Note
        "the prerequisites `{script}` use words instead of & | ~"
        "Other platforms may not understand it.";
    PrerequisitesUnknownItem { script, identifier } "prerequisites-unknown-item" Warning
        "the prerequisites `{script}` name `{identifier}`, which does not exist; the item is always open"
        "Correct the identifier.";
    PrerequisitesCycle { identifiers } "prerequisites-cycle" Warning
        "the prerequisites of {identifiers} wait for each other; those of the last are left out"
        "Break the circle.";
    PrerequisitesType { value } "prerequisites-type" Warning
        "prerequisites of type `{value}` are not known; they were read as aicc_script"
        "Use type=\"aicc_script\".";
    SharedDataTargetMissing {} "shared-data-target-missing" Warning
        "this map names no targetID and is left out"
        "Add targetID.";
    FindingsCut { count } "findings-cut" Note
        "{count} further findings are not shown"
        "Mend the first ones and check again.";
}

/// Findings beyond this number are only counted.
const MOST_FINDINGS: usize = 500;

/// Collects findings while a manifest is read.
#[derive(Debug)]
pub(super) struct Findings {
    list: Vec<Finding>,
    cut: usize,
}

impl Findings {
    pub(super) fn new() -> Self {
        Self { list: Vec::new(), cut: 0 }
    }

    pub(super) fn add(&mut self, at: &Element, problem: Problem) {
        self.add_at(at.position, problem);
    }

    pub(super) fn add_at(&mut self, position: Position, mut problem: Problem) {
        if self.list.len() >= MOST_FINDINGS {
            self.cut += 1;
            return;
        }
        problem.shorten();
        self.list.push(Finding {
            severity: problem.severity(),
            problem,
            file: super::MANIFEST_FILE.to_owned(),
            line: position.line,
            column: position.column,
        });
    }

    /// In the order of the document.
    pub(super) fn into_list(mut self) -> Vec<Finding> {
        self.list.sort_by_key(|finding| (finding.line, finding.column));
        if self.cut > 0 {
            let (line, column) = (1, 1);
            let problem = Problem::FindingsCut { count: self.cut.to_string() };
            let (severity, file) = (problem.severity(), super::MANIFEST_FILE.to_owned());
            self.list.push(Finding { severity, problem, file, line, column });
        }
        self.list
    }
}
