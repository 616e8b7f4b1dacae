//! Packages that are refused: each by its name, with nothing stored.

use std::io::{Cursor, Write as _};
use std::path::Path;

use passerelle::courses::import::ImportError;
use scorm::package::Format;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::on_both_databases;
use crate::support::Service;
use crate::support::course::{SLUG, new_version, package};

fn options(method: CompressionMethod) -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(method)
}

/// A zip of these files beside a manifest.
fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in [("imsmanifest.xml", &b"<manifest/>"[..])].iter().chain(files) {
        writer.start_file(*name, options(CompressionMethod::Deflated)).expect("an entry");
        writer.write_all(bytes).expect("written");
    }
    writer.finish().expect("finished").into_inner()
}

/// The bytes with every `from` replaced by `to` of the same length.
fn replaced(mut bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let places: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(from)).collect();
    assert!(!places.is_empty(), "nothing to replace");
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    bytes
}

fn symlink() -> Vec<u8> {
    let mut writer = ZipWriter::new_append(Cursor::new(zip(&[]))).expect("a zip");
    writer.add_symlink("link.html", "/etc/passwd", SimpleFileOptions::default()).expect("an entry");
    writer.finish().expect("finished").into_inner()
}

fn crowd() -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for number in 0..20_001 {
        let stored = options(CompressionMethod::Stored);
        writer.start_file(format!("{number}.txt"), stored).expect("an entry");
    }
    writer.finish().expect("finished").into_inner()
}

fn damaged() -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in [("imsmanifest.xml", "<manifest/>"), ("a.html", "a page that is sound")] {
        writer.start_file(name, options(CompressionMethod::Stored)).expect("an entry");
        writer.write_all(bytes.as_bytes()).expect("written");
    }
    let bytes = writer.finish().expect("finished").into_inner();
    replaced(bytes, b"a page that is sound", b"a page that is wrong")
}

fn without_manifest() -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("index.html", options(CompressionMethod::Stored)).expect("an entry");
    writer.finish().expect("finished").into_inner()
}

fn files_below(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let count = |path: &Path| if path.is_dir() { files_below(path) } else { 1 };
    entries.filter_map(Result::ok).map(|entry| count(&entry.path())).sum()
}

async fn assert_nothing_is_stored(service: &Service, case: &str) {
    assert_eq!(service.count("courses").await, 0, "{case}");
    assert_eq!(service.count("course_versions").await, 0, "{case}");
    assert_eq!(files_below(&service.folder.path().join("blobs")), 0, "{case}");
}

on_both_databases! {
    async fn a_hostile_package_is_refused_by_its_name_and_leaves_nothing(database: TestDatabase) {
        let service = Service::start(database).await;
        let sound = package(Format::Scorm2004Fourth);
        let cases: Vec<(&str, Vec<u8>)> = vec![
            ("traversal", replaced(zip(&[("XX/XX/evil.html", b"x")]), b"XX/XX/", b"../../")),
            ("absolute-path", replaced(zip(&[("Xetc/passwd", b"x")]), b"Xetc", b"/etc")),
            ("symlink", symlink()),
            ("bomb", zip(&[("bomb.html", &vec![0; 8 << 20])])),
            ("too-many-entries", crowd()),
            ("wrong-checksum", damaged()),
            ("not-a-zip", b"hello, this is no zip at all".repeat(100)),
            ("not-a-zip", Vec::new()),
            ("no-manifest", without_manifest()),
            ("truncated", sound[..sound.len() / 2].to_vec()),
        ];
        for (code, bytes) in cases {
            let refused = service.import(&bytes, new_version(SLUG, "1")).await;
            let error = refused.expect_err(code);
            assert_eq!(error.code(), code, "{error}");
            assert_nothing_is_stored(&service, code).await;
        }
        let refused = service.import(&zip(&[]), new_version(SLUG, "1")).await;
        let refused = refused.expect_err("an empty manifest");
        assert!(matches!(refused, ImportError::Manifest(_)), "{refused:?}");
        assert_nothing_is_stored(&service, "an empty manifest").await;
        let refused = service.import(&sound, new_version("Bad Slug", "1")).await;
        assert_eq!(refused.expect_err("a bad slug").code(), "slug-invalid");
        assert_nothing_is_stored(&service, "a bad slug").await;
    }

    async fn a_version_is_imported_once(database: TestDatabase) {
        let service = Service::start(database).await;
        service.install_course().await;
        let files = files_below(&service.folder.path().join("blobs"));
        let bytes = package(Format::Scorm2004Fourth);
        let again = service.import(&bytes, new_version(SLUG, "1.0.0")).await;
        assert_eq!(again.expect_err("it exists").code(), "version-exists");
        assert_eq!(service.count("course_versions").await, 1);
        assert_eq!(files_below(&service.folder.path().join("blobs")), files);
        service.import(&bytes, new_version(SLUG, "1.0.1")).await.expect("another version");
        assert_eq!((service.count("courses").await, service.count("course_versions").await), (1, 2));
    }

    async fn both_editions_are_played(database: TestDatabase) {
        let service = Service::start(database).await;
        let bytes = package(Format::Scorm12);
        service.import(&bytes, new_version("twelve", "1")).await.expect("sound");
        let mut browser = service.browser();
        let page = service.platform.launch(&mut browser, "course/twelve", |_| ()).await.expect(303);
        let page = page.location().to_owned();
        let mut player = crate::support::Player::admit(&service.app, &mut browser, &page).await;
        let opened = player.open().await;
        assert_eq!(opened["delivery"]["edition"], "1.2", "{opened}");
        for activity in crate::support::player::leaves(&opened["view"]) {
            player.choose(&activity).await;
            let delta = if activity.ends_with("test") {
                vec![("cmi.core.lesson_status", "passed"), ("cmi.core.score.raw", "80")]
            } else {
                vec![("cmi.core.lesson_status", "completed")]
            };
            player.commit(&activity, &delta, true).await.expect(200);
        }
        assert_eq!(service.count("credentials").await, 1);
    }
}
