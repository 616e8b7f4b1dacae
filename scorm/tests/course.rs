//! Sources to pages: the fixture course, and sources that are wrong.

use std::path::{Path, PathBuf};

use scorm::compiler::{Format, PartKind, Theme, compile, outline};
use scorm::source::{self, Course, Files, Lang, Severity};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/course")
}

fn files() -> Files {
    source::read_folder(&folder()).expect("the fixture is there")
}

fn course() -> Course {
    let loaded = source::load(&folder()).expect("the fixture is there");
    let findings: Vec<String> = loaded.findings.iter().map(ToString::to_string).collect();
    loaded.course.unwrap_or_else(|| panic!("the fixture is correct, but {findings:#?}"))
}

fn page(lang: Lang, href: &str) -> String {
    let compiled = compile(&course(), lang, Format::Scorm12, &Theme::builtin()).expect("compiles");
    let bytes = compiled.files.get(href).expect("the page is there");
    String::from_utf8(bytes.clone()).expect("pages are UTF-8")
}

/// Findings of the fixture after a change of its files.
fn findings_after(change: impl FnOnce(&mut Files)) -> Vec<String> {
    let mut files = files();
    change(&mut files);
    source::parse(&files).findings.iter().map(ToString::to_string).collect()
}

fn replace(files: &mut Files, path: &str, from: &str, to: &str) {
    let bytes = files.get_mut(path).expect("the file is in the fixture");
    let text = String::from_utf8(bytes.clone()).expect("UTF-8");
    assert!(text.contains(from), "{path} holds no {from:?}");
    *bytes = text.replace(from, to).into_bytes();
}

#[test]
fn the_fixture_has_no_finding_but_notes() {
    let findings = source::check(&folder()).expect("readable");
    let worse: Vec<_> = findings.iter().filter(|f| f.severity() > Severity::Note).collect();
    assert!(worse.is_empty(), "{worse:#?}");
}

#[test]
fn a_lesson_becomes_a_page() {
    insta::assert_snapshot!("lesson_fr", page(Lang::French, "lesson-01.html"));
}

#[test]
fn the_test_becomes_a_page() {
    insta::assert_snapshot!("test_en", page(Lang::English, "test.html"));
}

#[test]
fn pages_hold_no_inline_code_and_load_nothing_from_elsewhere() {
    for lang in Lang::ALL {
        let compiled =
            compile(&course(), lang, Format::Scorm2004Fourth, &Theme::builtin()).expect("compiles");
        for (path, bytes) in compiled.files.iter().filter(|(path, _)| !path.contains('/')) {
            let html = String::from_utf8_lossy(bytes);
            for forbidden in ["<style", " style=", " onclick", "src=\"http", "<script>", "{{"] {
                assert!(!html.contains(forbidden), "{path}: {forbidden}");
            }
            assert_eq!(html.matches("<script src=\"assets/").count(), 2, "{path}");
            assert_eq!(html.matches("<script").count(), 2, "{path}");
            assert_eq!(html.matches("<h1").count(), 1, "{path}");
        }
        assert!(compiled.files.contains_key("images/bridge.svg"));
        assert!(compiled.files.contains_key("assets/course.js"));
    }
}

#[test]
fn the_runtime_stays_small() {
    let theme = Theme::builtin();
    assert!(theme.session.len() < 20_000, "{}", theme.session.len());
    assert!(theme.script.len() < 12_000, "{}", theme.script.len());
}

#[test]
fn the_outline_lists_lessons_then_the_test() {
    let outline = outline(&course(), Lang::French).expect("there is French");
    let kinds: Vec<_> = outline.iter().map(|entry| (entry.minutes, entry.kind)).collect();
    assert_eq!(kinds, [(5, PartKind::Lesson), (2, PartKind::Lesson), (5, PartKind::Test)]);
}

#[test]
fn mistakes_are_collected_with_file_and_line() {
    let findings = findings_after(|files| {
        replace(
            files,
            "fr/01-bridges.md",
            "![Dessin d'une passerelle : un tablier posé sur deux appuis](images/bridge.svg",
            "![](images/missing.svg",
        );
        replace(
            files,
            "fr/01-bridges.md",
            "### Pour aller plus loin",
            "#### Trop profond\n\n<b>HTML</b>",
        );
        replace(files, "fr/01-bridges.md", "https://fr.wiki", "http://fr.wiki");
        replace(files, "fr/01-bridges.gift", "{T#", "{T#a#b#");
        replace(files, "fr/glossary.md", "**Tablier** :", "Tablier :");
        replace(files, "course.toml", "pass_mark = 0.75", "pass_mark = 75");
        replace(files, "course.toml", "title.en = \"Crossing\"", "titel.en = \"Crossing\"");
        replace(files, "course.toml", "slug = \"fixture\"", "slug = \"Fix ture\"");
        files.remove("en/02-crossing.md");
        files.insert("fr/images/odd.exe".to_owned(), vec![0, 1]);
        files.insert(
            "en/images/bridge.svg".to_owned(),
            b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>".to_vec(),
        );
    });
    insta::assert_snapshot!("findings", findings.join("\n"));
}

#[test]
fn broken_toml_and_text_are_said() {
    let toml = findings_after(|files| replace(files, "course.toml", "[title]", "[title"));
    assert!(toml.iter().any(|f| f.starts_with("course.toml:8:") && f.contains("TOML")), "{toml:?}");
    let bytes = findings_after(|files| {
        files.insert("fr/02-crossing.md".to_owned(), vec![0xff, 0xfe, 0x00]);
    });
    assert!(
        bytes.iter().any(|f| f == "fr/02-crossing.md:1:1: the file is not UTF-8 text"),
        "{bytes:?}"
    );
    assert_eq!(findings_after(Files::clear), ["course.toml:1:1: this file is missing"]);
}
