//! The interpreter of the table.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::Edition;
use super::check::{Failure, Remarks, check, length, real, wording};
use super::launch::{BrowserLaunch, DataStore, Launch, RequestValid, Snapshot, StoreAccess};
use super::table::{Access, Codes, Evaluate, InteractionKind, Part, Row, Spec, Table, Type};
use super::taken::{Parts, Taken, normal};

/// The data model of one delivered SCO.
#[derive(Debug, Clone)]
pub struct Model {
    edition: Edition,
    values: BTreeMap<String, String>,
    counts: HashMap<String, usize>,
    stores: Vec<StoreAccess>,
    request_valid: RequestValid,
    notes: Vec<Note>,
    taken: Taken,
    /// UTF-16 units of all values and their elements' names.
    size: usize,
}

/// Something accepted beyond what the specification promises, for whoever made the content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The element's canonical path.
    pub element: String,
    /// What is unusual, in English.
    pub note: String,
}

/// One pair of a delta that the table refuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The element as it was sent.
    pub element: String,
    /// The edition's error code.
    pub code: u16,
}

/// Where an element's name leads.
struct Place {
    /// The path with `n` for every index: the key of the table.
    pattern: String,
    /// The path with indexes in canonical form: the key of the values.
    path: String,
    indexes: Vec<Index>,
    /// The `{target=..}` of a `request_valid` element.
    target: Option<String>,
}

struct Index {
    /// Pattern of the collection.
    collection: String,
    /// Path of the collection.
    path: String,
    index: usize,
}

impl Model {
    /// A first session: nothing but what the launch says.
    pub fn new(edition: Edition, launch: &Launch) -> Self {
        Self::build(edition, launch, &Snapshot::default(), true)
    }

    /// A later session: what [`Snapshot::carried`] left, then the launch, whose objectives (found
    /// again by identifier) are newer.
    pub fn resume(edition: Edition, launch: &Launch, carried: &Snapshot) -> Self {
        Self::build(edition, launch, carried, true)
    }

    /// The session that is running, as the last commit left it: what the SCO set is newer than the
    /// launch.
    pub fn running(edition: Edition, launch: &Launch, snapshot: &Snapshot) -> Self {
        Self::build(edition, launch, snapshot, false)
    }

    fn build(edition: Edition, launch: &Launch, kept: &Snapshot, launch_is_newer: bool) -> Self {
        let mut model = Self {
            edition,
            values: BTreeMap::new(),
            counts: HashMap::new(),
            stores: launch.stores.iter().map(|store| store.access).collect(),
            request_valid: launch.request_valid.clone(),
            notes: Vec::new(),
            taken: Taken::default(),
            size: 0,
        };
        for (element, value) in launch.values(edition) {
            model.store(&resolve(&element), value);
        }
        let elements = &model.spec().elements;
        for (element, value) in &kept.values {
            let place = resolve(element);
            let Some(row) = elements.get(&place.pattern) else { continue };
            let settable = row.access != Access::ReadOnly;
            // A shared store outlives the SCO: a new launch brings its present content.
            if settable && !(row.store && launch_is_newer) {
                model.store(&place, value.clone());
            }
        }
        // 1.2 content may rename its objectives, so seeds are not found again: a first session only.
        let seeded = edition == Edition::V2004 || model.count("cmi.objectives") == 0;
        let mut known: HashMap<String, usize> = HashMap::new();
        for index in 0..model.count("cmi.objectives") {
            if let Some(id) = model.value(&format!("cmi.objectives.{index}.id")) {
                known.entry(id.to_owned()).or_insert(index);
            }
        }
        for seed in launch.objectives.iter().filter(|_| seeded) {
            let count = model.count("cmi.objectives");
            let index = *known.entry(seed.id.clone()).or_insert(count);
            let record = format!("cmi.objectives.{index}");
            model.store(&resolve(&format!("{record}.id")), seed.id.clone());
            for (member, value) in seed.members(edition) {
                let place = resolve(&format!("{record}.{member}"));
                if launch_is_newer || !model.values.contains_key(&place.path) {
                    model.store(&place, value);
                }
            }
        }
        model
    }

    /// Which edition this model speaks.
    pub fn edition(&self) -> Edition {
        self.edition
    }

    /// Answers a GetValue: the value and the edition's error code (0: no error).
    pub fn get(&self, element: &str) -> (String, u16) {
        match self.read(element) {
            Ok(value) => (value, self.codes().ok),
            Err((value, code)) => (value.to_owned(), code),
        }
    }

    /// Does a SetValue; the answer is the edition's error code (0: stored).
    pub fn set(&mut self, element: &str, value: &str) -> u16 {
        let mut remarks = Remarks::new();
        match self.examine(element, value, &mut remarks) {
            Ok((place, kept)) => {
                let room = Table::built_in().caps.notes.saturating_sub(self.notes.len());
                let note = |note| Note { element: place.path.clone(), note };
                self.notes.extend(remarks.into_iter().take(room).map(note));
                self.store(&place, kept.to_owned());
                self.codes().ok
            }
            Err(code) => code,
        }
    }

    /// Sets many elements in order, as a commit sends them. What the table refuses is answered
    /// and changes nothing; the rest is stored.
    pub fn apply<'a>(
        &mut self,
        delta: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        for (element, value) in delta {
            let code = self.set(element, value);
            if code != self.codes().ok {
                refusals.push(Refusal { element: element.to_owned(), code });
            }
        }
        refusals
    }

    /// What the SCO set, and the identifiers of objectives that give their indexes a meaning.
    pub fn snapshot(&self) -> Snapshot {
        let elements = &self.spec().elements;
        let kept = |element: &String| {
            elements
                .get(&resolve(element).pattern)
                .is_some_and(|row| row.access != Access::ReadOnly)
        };
        let values = self
            .values
            .iter()
            .filter(|(element, _)| kept(element))
            .map(|(element, value)| (element.clone(), value.clone()))
            .collect();
        Snapshot { values }
    }

    /// What the browser's script needs to answer for this model.
    pub fn browser_launch(&self, seq: u64) -> BrowserLaunch {
        BrowserLaunch {
            values: self.values.clone(),
            stores: self.stores.clone(),
            request_valid: self.request_valid.clone(),
            seq,
        }
    }

    /// Replaces the answers of `adl.nav.request_valid.*`.
    pub fn set_request_valid(&mut self, answers: RequestValid) {
        self.request_valid = answers;
    }

    /// What was accepted beyond the specification, in the order it came; bounded by the table.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The shared data stores as they are now, to be kept for the learner.
    pub fn stores(&self) -> Vec<DataStore> {
        self.stores
            .iter()
            .enumerate()
            .map(|(index, access)| DataStore {
                id: self.value(&format!("adl.data.{index}.id")).unwrap_or_default().to_owned(),
                value: self.value(&format!("adl.data.{index}.store")).map(str::to_owned),
                access: *access,
            })
            .collect()
    }

    /// The stored value of an element, without defaults and without access rules.
    pub fn value(&self, path: &str) -> Option<&str> {
        self.values.get(path).map(String::as_str)
    }

    /// Records in a collection, by its path (`cmi.interactions`, `cmi.interactions.0.objectives`).
    pub fn count(&self, collection: &str) -> usize {
        self.counts.get(collection).copied().unwrap_or(0)
    }

    /// The status an element answers once its threshold is taken into account.
    pub(super) fn status(&self, element: &str) -> Option<String> {
        self.read(element).ok()
    }

    fn spec(&self) -> &'static Spec {
        Table::built_in().spec(self.edition)
    }

    fn codes(&self) -> &'static Codes {
        &self.spec().codes
    }

    fn store(&mut self, place: &Place, value: String) {
        for Index { path, index, .. } in &place.indexes {
            let count = self.counts.entry(path.clone()).or_insert(0);
            *count = (*count).max(index + 1);
        }
        let before = self.values.get(&place.path).map(String::as_str);
        self.size = self.size_with(place, before, &value);
        let unique = self.spec().elements.get(&place.pattern).is_some_and(|row| {
            row.unique || matches!(row.kind, Type::ByInteraction { part: Part::Pattern, .. })
        });
        if let (true, Some(last), Some((_, leaf))) =
            (unique, place.indexes.last(), place.path.rsplit_once('.'))
        {
            self.taken.replace(&last.path, leaf, last.index, (before, &value));
        }
        self.values.insert(place.path.clone(), value);
    }

    /// The size once `place` has `value` instead of `before`.
    fn size_with(&self, place: &Place, before: Option<&str>, value: &str) -> usize {
        let freed = before.map_or(0, |before| length(before) + length(&place.path));
        (self.size + length(value) + length(&place.path)).saturating_sub(freed)
    }

    // ---- reading

    fn read(&self, element: &str) -> Result<String, (&'static str, u16)> {
        let codes = self.codes();
        if element.is_empty() {
            return Err(("", codes.empty_get));
        }
        if length(element) > Table::built_in().caps.element {
            return Err(("", codes.unknown));
        }
        let place = resolve(element);
        let Some(row) = self.spec().elements.get(&place.pattern) else {
            return Err(("", self.unknown(&place, element)));
        };
        if row.access == Access::WriteOnly {
            return Err(("", codes.write_only));
        }
        if place.indexes.iter().any(|index| index.index >= self.count(&index.path)) {
            return Err(("", codes.index_get));
        }
        match row.kind {
            Type::Count => {
                let collection = place.path.strip_suffix("._count").unwrap_or_default();
                return Ok(self.count(collection).to_string());
            }
            Type::RequestValid { target } => return self.navigation(&place, row, target),
            _ => {}
        }
        if row.store && !self.access(&place).read {
            return Err(("", codes.write_only));
        }
        let value = match &row.evaluate {
            Some(rule) => self.evaluated(&place, rule),
            None => self.value(&place.path),
        };
        let value = value.filter(|value| !(row.empty_is_unset && value.is_empty()));
        match (value, &row.default) {
            (Some(value), _) => Ok(value.to_owned()),
            (None, Some(default)) => Ok(default.clone()),
            (None, None) if codes.not_initialized == codes.ok => Ok(String::new()),
            (None, None) => Err(("", codes.not_initialized)),
        }
    }

    /// RTE 4.2.4.1 and 4.2.22.1: a threshold decides over what the SCO reported.
    fn evaluated<'a>(&'a self, place: &Place, rule: &'a Evaluate) -> Option<&'a str> {
        let threshold = self.value(&rule.threshold).filter(|value| !value.is_empty());
        let Some(threshold) = threshold.and_then(real) else {
            return self.value(&place.path);
        };
        let measure = self.value(&rule.measure).and_then(real)?;
        Some(if measure >= threshold { &rule.reached } else { &rule.missed })
    }

    fn navigation(
        &self,
        place: &Place,
        row: &Row,
        targeted: bool,
    ) -> Result<String, (&'static str, u16)> {
        let valid = &self.request_valid;
        let answer = if targeted {
            let Some(target) = &place.target else {
                return Err(("false", self.codes().no_target));
            };
            let answers = if place.pattern == "adl.nav.request_valid.jump" {
                &valid.jump
            } else {
                &valid.choice
            };
            answers.as_ref().map(|answers| answers.get(target).copied().unwrap_or(false))
        } else if place.pattern == "adl.nav.request_valid.continue" {
            valid.forward
        } else {
            valid.backward
        };
        let unknown = || row.default.clone().unwrap_or_else(|| "unknown".to_owned());
        Ok(answer.map_or_else(unknown, |answer| answer.to_string()))
    }

    fn access(&self, place: &Place) -> StoreAccess {
        place
            .indexes
            .first()
            .and_then(|index| self.stores.get(index.index))
            .copied()
            .unwrap_or(StoreAccess { read: true, write: true })
    }

    fn unknown(&self, place: &Place, element: &str) -> u16 {
        let codes = self.codes();
        if !matches!(element.split('.').next(), Some("cmi" | "adl")) {
            return codes.foreign;
        }
        let (parent, leaf) = place.pattern.rsplit_once('.').unwrap_or(("", &place.pattern));
        let spec = self.spec();
        let exists = spec.elements.contains_key(parent) || spec.groups.contains(parent);
        match leaf {
            "_children" if exists => codes.no_children,
            "_count" if exists => codes.no_count,
            "_version" if exists => codes.no_version,
            _ => codes.unknown,
        }
    }

    // ---- writing

    /// The place to store at and what to store there.
    fn examine<'a>(
        &self,
        element: &str,
        value: &'a str,
        remarks: &mut Remarks,
    ) -> Result<(Place, &'a str), u16> {
        let (table, spec, codes) = (Table::built_in(), self.spec(), self.codes());
        if element.is_empty() {
            return Err(codes.empty_set);
        }
        if length(element) > table.caps.element {
            return Err(codes.unknown);
        }
        let place = resolve(element);
        let Some(row) = spec.elements.get(&place.pattern) else {
            let code = self.unknown(&place, element);
            return Err(if code == codes.foreign { code } else { codes.unknown });
        };
        if matches!(row.kind, Type::Children | Type::Count) || place.pattern == "cmi._version" {
            return Err(codes.keyword);
        }
        if row.access == Access::ReadOnly {
            return Err(codes.read_only);
        }
        self.admit(&place, row)?;
        if length(value) > row.cap.unwrap_or(table.caps.text) {
            return Err(codes.too_long);
        }
        if value.contains('\0') {
            return Err(codes.mismatch);
        }
        let kept = self.check(&place, row, value, remarks)?;
        self.conflict(&place, row, value)?;
        let size = self.size_with(&place, self.value(&place.path), kept);
        if size > table.caps.total && size > self.size {
            return Err(codes.too_long);
        }
        Ok((place, kept))
    }

    /// The rules on collections: packed, fixed, identified first, single patterns (RTE 4.1.1.3).
    fn admit(&self, place: &Place, row: &Row) -> Result<(), u16> {
        let (spec, codes) = (self.spec(), self.codes());
        for (depth, Index { collection, path, index }) in place.indexes.iter().enumerate() {
            let rules = spec.collections.get(collection);
            let count = self.count(path);
            if *index > count || *index >= Table::built_in().caps.records {
                return Err(codes.index_set);
            }
            if *index < count {
                continue;
            }
            if rules.is_some_and(|rules| rules.fixed) {
                return Err(codes.index_set);
            }
            if let Some(key) = rules.and_then(|rules| rules.key.as_ref()) {
                let last = depth + 1 == place.indexes.len();
                if !last || place.pattern != format!("{collection}.n.{key}") {
                    return Err(codes.dependency);
                }
            }
        }
        if row.store && !self.access(place).write {
            return Err(codes.read_only);
        }
        if let Some(needed) = &row.needs
            && self.value(&fill(needed, place)).is_none()
        {
            return Err(codes.dependency);
        }
        let first = place.indexes.last().is_none_or(|last| last.index == 0);
        if let Some((Part::Pattern, kind)) = self.interaction(place, row)
            && kind.single
            && !first
        {
            return Err(codes.single);
        }
        Ok(())
    }

    /// The interaction's type, for its response and its patterns.
    fn interaction(&self, place: &Place, row: &Row) -> Option<(Part, &'static InteractionKind)> {
        let Type::ByInteraction { part, sibling } = &row.kind else {
            return None;
        };
        let name = self.value(&fill(sibling, place))?;
        Some((*part, self.spec().interactions.get(name)?))
    }

    fn check<'a>(
        &self,
        place: &Place,
        row: &Row,
        value: &'a str,
        remarks: &mut Remarks,
    ) -> Result<&'a str, u16> {
        let kind = match (&row.kind, self.interaction(place, row)) {
            (_, Some((Part::Response, interaction))) => &interaction.response,
            (_, Some((Part::Pattern, interaction))) => {
                if let (Some(spm), Some(last)) = (interaction.spm, place.indexes.last())
                    && last.index >= spm
                {
                    remarks.push(format!("more than {spm} patterns"));
                }
                &interaction.pattern
            }
            // SCORM 1.2 lets a response come before its type: any text then.
            (Type::ByInteraction { .. }, None) => return Ok(value),
            (kind, None) => kind,
        };
        match check(kind, value, remarks) {
            Ok(()) => Ok(wording(kind, value)),
            Err(Failure::Type) => Err(self.codes().mismatch),
            Err(Failure::Range) => Err(self.codes().range),
        }
    }

    /// Identifiers set once, unique identifiers, unique correct responses (RTE 3.1.7.6.6, .9).
    fn conflict(&self, place: &Place, row: &Row, value: &str) -> Result<(), u16> {
        let codes = self.codes();
        if row.once && self.value(&place.path).is_some_and(|before| before != value) {
            return Err(codes.once);
        }
        let parts = match self.interaction(place, row) {
            Some((Part::Pattern, kind)) if kind.unique && !kind.ordered => Parts::AsSet,
            Some((Part::Pattern, kind)) if kind.unique => Parts::AsWritten,
            _ if row.unique => Parts::AsWritten,
            _ => return Ok(()),
        };
        let (Some(last), Some((_, leaf))) = (place.indexes.last(), place.path.rsplit_once('.'))
        else {
            return Ok(());
        };
        let wanted = normal(value, parts);
        let mut others = self.taken.candidates(&last.path, leaf, value, parts);
        let taken = others.any(|other| {
            let path = format!("{}.{other}.{leaf}", last.path);
            other != last.index
                && self.value(&path).is_some_and(|taken| normal(taken, parts) == wanted)
        });
        if taken { Err(codes.duplicate) } else { Ok(()) }
    }
}

/// Splits an element's name into pattern, canonical path and indexes.
fn resolve(element: &str) -> Place {
    for kind in ["choice", "jump"] {
        let pattern = format!("adl.nav.request_valid.{kind}");
        if let Some(rest) = element.strip_prefix(&pattern)
            && (rest.is_empty() || rest.starts_with('.'))
        {
            let target = rest
                .strip_prefix(".{target=")
                .and_then(|rest| rest.strip_suffix('}'))
                .filter(|target| !target.is_empty() && !target.contains(['{', '}']))
                .map(str::to_owned);
            return Place { pattern, path: element.to_owned(), indexes: Vec::new(), target };
        }
    }
    let mut place =
        Place { pattern: String::new(), path: String::new(), indexes: Vec::new(), target: None };
    for (position, segment) in element.split('.').enumerate() {
        let is_index =
            (1..=9).contains(&segment.len()) && segment.bytes().all(|byte| byte.is_ascii_digit());
        let index = segment.parse::<usize>().ok().filter(|_| is_index);
        if let Some(index) = index {
            place.indexes.push(Index {
                collection: place.pattern.clone(),
                path: place.path.clone(),
                index,
            });
        }
        if position > 0 {
            place.pattern.push('.');
            place.path.push('.');
        }
        if let Some(index) = index {
            place.pattern.push('n');
            place.path.push_str(&index.to_string());
        } else {
            // A literal "n" is no index.
            place.pattern.push_str(if segment == "n" { "" } else { segment });
            place.path.push_str(segment);
        }
    }
    place
}

/// A pattern of the table with the indexes of `place` filled in.
fn fill(pattern: &str, place: &Place) -> String {
    let mut indexes = place.indexes.iter();
    pattern
        .split('.')
        .map(|segment| match segment {
            "n" => indexes.next().map_or_else(String::new, |index| index.index.to_string()),
            _ => segment.to_owned(),
        })
        .collect::<Vec<_>>()
        .join(".")
}
