//! Packages made to hurt, through the service: each is refused by its name and nothing is stored.

use std::io::{Cursor, Write as _};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::on_both_databases;
use crate::support::Service;
use crate::support::course::{SLUG, new_version};

/// A zip of stored files.
fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, bytes) in files {
        writer.start_file(*name, stored).expect("an entry");
        writer.write_all(bytes).expect("written");
    }
    writer.finish().expect("finished").into_inner()
}

const MANIFEST: &[u8] = b"<manifest/>";

/// Two files beside a manifest that nobody gets to read.
fn two_files() -> Vec<u8> {
    let manifest = ("imsmanifest.xml", MANIFEST);
    zip(&[manifest, ("first.html", b"the first page"), ("other.html", b"the other page")])
}

/// Where a name stands: in its local header, and in the table of contents.
fn places(bytes: &[u8], name: &str) -> (usize, usize) {
    let mut found = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(name.as_bytes()));
    (found.next().expect("a local header"), found.next_back().expect("a central header"))
}

/// The flags and the method, which stand this far before a name in the two headers.
fn in_both(mut bytes: Vec<u8>, name: &str, (local, central): (usize, usize), value: u8) -> Vec<u8> {
    let (first, second) = places(&bytes, name);
    bytes[first - local] = value;
    bytes[second - central] = value;
    bytes
}

fn encrypted() -> Vec<u8> {
    in_both(two_files(), "first.html", (24, 38), 1)
}

fn foreign_method() -> Vec<u8> {
    in_both(two_files(), "first.html", (22, 36), 14)
}

fn other_checksum_in_the_local_header() -> Vec<u8> {
    let mut bytes = two_files();
    let (local, _) = places(&bytes, "first.html");
    bytes[local - 16] ^= 1;
    bytes
}

fn other_name_in_the_local_header() -> Vec<u8> {
    let mut bytes = two_files();
    let (local, _) = places(&bytes, "first.html");
    bytes[local] = b'F';
    bytes
}

fn two_names_of_one_file() -> Vec<u8> {
    let mut bytes = two_files();
    let (_, first) = places(&bytes, "first.html");
    let (_, other) = places(&bytes, "other.html");
    let offset: [u8; 4] = bytes[first - 4..first].try_into().expect("four bytes");
    bytes[other - 4..other].copy_from_slice(&offset);
    bytes
}

fn one_name_of_two_files() -> Vec<u8> {
    let mut bytes = two_files();
    for at in [places(&bytes, "other.html").0, places(&bytes, "other.html").1] {
        bytes[at..at + 10].copy_from_slice(b"first.html");
    }
    bytes
}

fn with_manifest(manifest: &[u8]) -> Vec<u8> {
    zip(&[("imsmanifest.xml", manifest), ("a.html", b"a page")])
}

fn files_below(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let count = |path: &Path| if path.is_dir() { files_below(path) } else { 1 };
    entries.filter_map(Result::ok).map(|entry| count(&entry.path())).sum()
}

async fn assert_refused(service: &Service, code: &str, bytes: &[u8]) {
    let refused = service.import(bytes, new_version(SLUG, "1")).await;
    let error = refused.expect_err(code);
    assert_eq!(error.code(), code, "{error}");
    assert_eq!(service.count("courses").await, 0, "{code}");
    assert_eq!(service.count("course_versions").await, 0, "{code}");
    assert_eq!(files_below(&service.folder.path().join("blobs")), 0, "{code}");
}

on_both_databases! {
    async fn zips_that_say_two_things_are_refused(database: TestDatabase) {
        let service = Service::start(database).await;
        for (code, bytes) in [
            ("encrypted", encrypted()),
            ("unsupported-method", foreign_method()),
            ("header-disagrees", other_checksum_in_the_local_header()),
            ("header-mismatch", other_name_in_the_local_header()),
            ("overlapping", two_names_of_one_file()),
            ("duplicate", one_name_of_two_files()),
        ] {
            assert_refused(&service, code, &bytes).await;
        }
    }

    async fn manifests_made_to_hurt_are_refused(database: TestDatabase) {
        let service = Service::start(database).await;
        let doctype = b"<!DOCTYPE m [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><manifest>&a;</manifest>";
        let deep = format!("<manifest>{}{}</manifest>", "<a>".repeat(10_000), "</a>".repeat(10_000));
        let many = format!("<manifest>{}</manifest>", "<a/>".repeat(500_001));
        let nothing = b"<manifest><organizations><organization identifier='o'>\
            <item identifier='i' identifierref='i'/></organization></organizations></manifest>";
        let cases: [(&str, &[u8]); 9] = [
            ("manifest-doctype-refused", doctype),
            ("manifest-entity-refused", b"<manifest>&laughs;</manifest>"),
            ("manifest-too-deep", deep.as_bytes()),
            ("manifest-too-many-elements", many.as_bytes()),
            ("manifest-not-text", b"\xff\xfe<\0m\0\0\xd8a\0"),
            ("manifest-unknown-encoding", b"<?xml version='1.0' encoding='klingon'?><manifest/>"),
            ("manifest-malformed", b"<manifest><title>\0</title></manifest>"),
            ("manifest-unknown-root", b"<html></html>"),
            ("manifest-nothing-launchable", nothing),
        ];
        for (code, manifest) in cases {
            assert_refused(&service, code, &with_manifest(manifest)).await;
        }
    }
}
