//! `model.json` as Rust types.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use serde::Deserialize;

use super::Edition;

/// The whole table.
#[derive(Debug, Deserialize)]
pub(super) struct Table {
    pub(super) caps: Caps,
    languages: Languages,
    editions: Editions,
    /// Every registered primary language tag.
    #[serde(skip)]
    pub(super) language_tags: HashSet<String>,
}

/// Our own limits, far above the smallest permitted maxima.
#[derive(Debug, Deserialize)]
pub(super) struct Caps {
    /// UTF-16 units of a value whose row names no cap of its own.
    pub(super) text: usize,
    /// Records of one collection.
    pub(super) records: usize,
    /// Notes kept for one model.
    pub(super) notes: usize,
    /// UTF-16 units of an element's name.
    pub(super) element: usize,
    /// UTF-16 units of all values together, each with its element's name.
    pub(super) total: usize,
}

/// ISO 639-1 and 639-2 codes, space separated; withdrawn ones included, as old content uses them.
#[derive(Debug, Deserialize)]
struct Languages {
    two: String,
    three: String,
}

#[derive(Debug, Deserialize)]
struct Editions {
    #[serde(rename = "1.2")]
    v12: Spec,
    #[serde(rename = "2004")]
    v2004: Spec,
}

/// One edition's data model.
#[derive(Debug, Deserialize)]
pub(super) struct Spec {
    pub(super) codes: Codes,
    pub(super) collections: HashMap<String, Collection>,
    pub(super) interactions: HashMap<String, InteractionKind>,
    pub(super) elements: HashMap<String, Row>,
    /// Every proper prefix of an element's path: what has children.
    #[serde(skip)]
    pub(super) groups: HashSet<String>,
}

/// The error code of each kind of failure.
#[derive(Debug, Deserialize)]
pub(super) struct Codes {
    pub(super) ok: u16,
    pub(super) empty_get: u16,
    pub(super) empty_set: u16,
    pub(super) unknown: u16,
    pub(super) foreign: u16,
    pub(super) keyword: u16,
    pub(super) read_only: u16,
    pub(super) write_only: u16,
    pub(super) not_initialized: u16,
    pub(super) index_get: u16,
    pub(super) index_set: u16,
    pub(super) dependency: u16,
    pub(super) single: u16,
    pub(super) duplicate: u16,
    pub(super) once: u16,
    pub(super) too_long: u16,
    #[serde(rename = "type")]
    pub(super) mismatch: u16,
    pub(super) range: u16,
    pub(super) no_children: u16,
    pub(super) no_count: u16,
    pub(super) no_version: u16,
    pub(super) no_target: u16,
}

/// The rules of one collection.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Collection {
    /// The member that must be set before the others (code `dependency`).
    pub(super) key: Option<String>,
    /// Whether the SCO may add records.
    #[serde(default)]
    pub(super) fixed: bool,
}

/// How an interaction of one type answers.
#[derive(Debug, Deserialize)]
pub(super) struct InteractionKind {
    pub(super) response: Type,
    pub(super) pattern: Type,
    /// Only one correct response exists.
    #[serde(default)]
    pub(super) single: bool,
    /// No two correct responses are equal.
    #[serde(default)]
    pub(super) unique: bool,
    /// Whether order distinguishes two correct responses.
    #[serde(default)]
    pub(super) ordered: bool,
    /// Smallest permitted maximum of patterns.
    pub(super) spm: Option<usize>,
}

/// One element.
#[derive(Debug, Deserialize)]
pub(super) struct Row {
    pub(super) access: Access,
    #[serde(flatten)]
    pub(super) kind: Type,
    pub(super) default: Option<String>,
    pub(super) evaluate: Option<Evaluate>,
    /// An element that must be set before this one.
    pub(super) needs: Option<String>,
    /// Cap in UTF-16 units, when it is not the general one.
    pub(super) cap: Option<usize>,
    #[serde(default)]
    pub(super) unique: bool,
    #[serde(default)]
    pub(super) once: bool,
    /// The content of a shared data store, with flags of its own.
    #[serde(default)]
    pub(super) store: bool,
    /// An empty value reads as not initialised.
    #[serde(default)]
    pub(super) empty_is_unset: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum Access {
    #[serde(rename = "ro")]
    ReadOnly,
    #[serde(rename = "rw")]
    ReadWrite,
    #[serde(rename = "wo")]
    WriteOnly,
}

/// A status that a threshold decides (RTE 4.2.4.1, 4.2.22.1).
#[derive(Debug, Deserialize)]
pub(super) struct Evaluate {
    pub(super) threshold: String,
    pub(super) measure: String,
    pub(super) reached: String,
    pub(super) missed: String,
}

/// Which half of an interaction a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Part {
    Response,
    Pattern,
}

/// The type of a value, with its parameters.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Type {
    Children,
    Count,
    RequestValid {
        #[serde(default)]
        target: bool,
    },
    Text {
        spm: Option<usize>,
    },
    Vocabulary {
        values: Vec<String>,
    },
    Real {
        min: Option<f64>,
        max: Option<f64>,
        #[serde(default)]
        blank: bool,
    },
    Integer {
        min: Option<f64>,
        max: Option<f64>,
    },
    RealOrWord {
        values: Vec<String>,
    },
    Duration,
    Timestamp,
    Time,
    Timespan,
    Identifier {
        spm: Option<usize>,
    },
    ShortIdentifier {
        spm: Option<usize>,
    },
    LongIdentifier {
        spm: Option<usize>,
    },
    Language {
        #[serde(default)]
        blank: bool,
        spm: Option<usize>,
    },
    Localized {
        spm: Option<usize>,
    },
    Identifiers {
        #[serde(default)]
        empty: bool,
        #[serde(default)]
        unique: bool,
        spm: Option<usize>,
    },
    Delimited {
        delimiters: Vec<String>,
        /// A value that is nothing but delimiters is stored as an empty one.
        #[serde(default)]
        blank_is_empty: bool,
        spm: Option<usize>,
    },
    Texts {
        delimiters: Vec<String>,
        spm: Option<usize>,
        text_spm: Option<usize>,
    },
    Pairs {
        #[serde(default)]
        empty: bool,
        spm: Option<usize>,
    },
    Steps {
        #[serde(default)]
        empty: bool,
        delimiters: Vec<String>,
        spm: Option<usize>,
        text_spm: Option<usize>,
    },
    Range,
    Marks {
        #[serde(default)]
        braces: bool,
        spm: Option<usize>,
    },
    MarkedPairs {
        #[serde(default)]
        braces: bool,
        spm: Option<usize>,
    },
    Navigation {
        values: Vec<String>,
        targets: Vec<String>,
    },
    ByInteraction {
        part: Part,
        sibling: String,
    },
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table: Table =
        serde_json::from_str(super::MODEL_TABLE).expect("model.json is part of this crate");
    for spec in [&mut table.editions.v12, &mut table.editions.v2004] {
        for path in spec.elements.keys() {
            spec.groups.extend(path.match_indices('.').map(|(dot, _)| path[..dot].to_owned()));
        }
    }
    let languages = &table.languages;
    table.language_tags =
        languages.two.split(' ').chain(languages.three.split(' ')).map(str::to_owned).collect();
    table
});

impl Table {
    /// The table compiled into the crate.
    pub(super) fn built_in() -> &'static Self {
        &TABLE
    }

    pub(super) fn spec(&self, edition: Edition) -> &Spec {
        match edition {
            Edition::V12 => &self.editions.v12,
            Edition::V2004 => &self.editions.v2004,
        }
    }
}
