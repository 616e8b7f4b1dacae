//! Content hosts: packages served from inside their zip, to their own learner.

use std::io::{Cursor, Read as _, Write as _};

use async_compression::tokio::bufread::DeflateDecoder;
use scorm::package::Format;
use tokio::io::AsyncReadExt as _;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::on_both_databases;
use crate::support::course::{SLUG, new_version, package};
use crate::support::platform::person;
use crate::support::{Answer, Player, Service};

const GZIP: (&str, &str) = ("accept-encoding", "gzip, deflate, br");

fn entry(zip: &[u8], name: &str) -> Vec<u8> {
    let mut archive = ZipArchive::new(Cursor::new(zip)).expect("a zip");
    let mut bytes = Vec::new();
    archive.by_name(name).expect("the entry").read_to_end(&mut bytes).expect("whole");
    bytes
}

/// The fixture's package with a stored text and a deflated film beside it.
fn with_media(zip: Vec<u8>) -> Vec<u8> {
    let mut writer = ZipWriter::new_append(Cursor::new(zip)).expect("a zip");
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    writer.start_file("media/stored.txt", stored).expect("an entry");
    writer.write_all(b"0123456789").expect("written");
    let deflated = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    writer.start_file("media/film.mp4", deflated).expect("an entry");
    writer.write_all(&film()).expect("written");
    writer.finish().expect("finished").into_inner()
}

fn film() -> Vec<u8> {
    (0..50_000_u32).flat_map(|number| (number / 7).to_le_bytes()).collect()
}

/// What is inside a gzip member of one plain header (RFC 1952).
async fn gunzip(answer: &Answer) -> Vec<u8> {
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    let (header, rest) = answer.body.split_at(10);
    assert_eq!(&header[..4], [0x1f, 0x8b, 8, 0]);
    let (deflated, trailer) = rest.split_at(rest.len() - 8);
    let mut bytes = Vec::new();
    DeflateDecoder::new(deflated).read_to_end(&mut bytes).await.expect("sound data");
    assert_eq!(trailer[4..], (bytes.len() as u32).to_le_bytes());
    bytes
}

async fn play(service: &Service, number: usize) -> Player {
    let mut browser = service.browser();
    let item = format!("course/{SLUG}");
    let answer = service.platform.launch(&mut browser, &item, |c| person(c, number)).await;
    Player::admit(&service.app, &mut browser, answer.expect(303).location()).await
}

on_both_databases! {
    async fn a_file_goes_out_as_it_is_in_the_zip(database: TestDatabase) {
        let service = Service::start(database).await;
        let zip = with_media(package(Format::Scorm2004Fourth));
        let version = service.import(&zip, new_version(SLUG, "1")).await.expect("sound");
        let player = play(&service, 1).await;
        let path = |name: &str| format!("/content/{version}/{name}");

        let expected = entry(&zip, "lesson-01.html");
        let gzipped = player.get(&path("lesson-01.html"), &[GZIP]).await.expect(200);
        assert_eq!(gunzip(&gzipped).await, expected);
        assert_eq!(gzipped.header("vary"), Some("Accept-Encoding"));
        assert_eq!(gzipped.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(gzipped.header("referrer-policy"), Some("no-referrer"));
        assert!(gzipped.header("content-type").is_some_and(|kind| kind.starts_with("text/html")));
        let policy = gzipped.header("content-security-policy").expect("a policy");
        assert!(policy.contains("default-src 'self'"), "{policy}");
        assert!(gzipped.header("cache-control").is_some_and(|text| text.contains("immutable")));
        assert!(gzipped.headers.get("set-cookie").is_none());

        let plain = player.get(&path("lesson-01.html"), &[]).await.expect(200);
        assert_eq!(plain.header("content-encoding"), None);
        assert_eq!(plain.body, expected);
        assert_ne!(plain.header("etag"), gzipped.header("etag"));
        assert_eq!(plain.header("content-length"), Some(expected.len().to_string().as_str()));

        let tag = gzipped.header("etag").expect("a tag");
        let again = player.get(&path("lesson-01.html"), &[GZIP, ("if-none-match", tag)]).await;
        let again = again.expect(304);
        assert!(again.body.is_empty());
        let changed = [("if-none-match", "\"other\"")];
        player.get(&path("lesson-01.html"), &changed).await.expect(200);

        let svg = player.get(&path("images/bridge.svg"), &[GZIP]).await.expect(200);
        assert_eq!(svg.header("content-type"), Some("image/svg+xml"));
        let script = player.get(&path("assets/course.js"), &[GZIP]).await.expect(200);
        assert!(script.header("content-type").is_some_and(|kind| kind.contains("javascript")));
    }

    async fn media_can_be_read_in_parts(database: TestDatabase) {
        let service = Service::start(database).await;
        let zip = with_media(package(Format::Scorm2004Fourth));
        let version = service.import(&zip, new_version(SLUG, "1")).await.expect("sound");
        let player = play(&service, 1).await;
        let stored = format!("/content/{version}/media/stored.txt");
        let whole = player.get(&stored, &[GZIP]).await.expect(200);
        assert_eq!((whole.header("content-encoding"), &whole.body[..]), (None, &b"0123456789"[..]));
        assert_eq!(whole.header("accept-ranges"), Some("bytes"));
        let part = player.get(&stored, &[("range", "bytes=2-4")]).await.expect(206);
        assert_eq!(part.body, "234");
        assert_eq!(part.header("content-range"), Some("bytes 2-4/10"));
        let tail = player.get(&stored, &[("range", "bytes=-3")]).await.expect(206);
        assert_eq!(tail.body, "789");
        let beyond = player.get(&stored, &[("range", "bytes=10-")]).await.expect(416);
        assert_eq!(beyond.header("content-range"), Some("bytes */10"));
        let stale = [("range", "bytes=2-4"), ("if-range", "\"other\"")];
        player.get(&stored, &stale).await.expect(200);

        // Deflated in the zip, and yet readable in parts.
        let film = format!("/content/{version}/media/film.mp4");
        let part = player.get(&film, &[GZIP, ("range", "bytes=1000-1999")]).await.expect(206);
        assert_eq!(&part.body[..], &self::film()[1000..2000]);
        assert_eq!(part.header("content-type"), Some("video/mp4"));
    }

    async fn a_host_reads_its_own_version_and_nothing_else(database: TestDatabase) {
        let service = Service::start(database).await;
        let zip = package(Format::Scorm2004Fourth);
        let version = service.import(&zip, new_version(SLUG, "1")).await.expect("sound");
        let zip = package(Format::Scorm12);
        let other = service.import(&zip, new_version("other", "1")).await.expect("sound");
        let player = play(&service, 1).await;
        let get = async |path: String| player.get(&path, &[]).await;
        get(format!("/content/{version}/imsmanifest.xml")).await.expect(200);
        get(format!("/content/{other}/imsmanifest.xml")).await.expect(404);
        get(format!("/content/{version}/nothing.html")).await.expect(404);
        get(format!("/content/{version}/..%2f..%2fetc%2fpasswd")).await.expect(404);
        assert!(get("/content/nonsense/a.html".to_owned()).await.status.is_client_error());
        // The pages' routes are not here.
        get("/verify".to_owned()).await.expect(404);
        get("/lti/login".to_owned()).await.expect(404);
        let mut nobody = player.clone();
        "http://bbbbbbbbbbbbbbbbbbbbbbbbbb.localhost:8081".clone_into(&mut nobody.origin);
        nobody.get(&format!("/content/{version}/imsmanifest.xml"), &[]).await.expect(404);
        // A learner who has not opened the player yet has nothing to read.
        service.execute("UPDATE enrolments SET label = NULL").await;
        service.app.packages.forget_label(
            player.origin.trim_start_matches("http://").split('.').next().expect("a label"),
        );
        get(format!("/content/{version}/imsmanifest.xml")).await.expect(404);
    }

    async fn no_content_host_sets_a_cookie(database: TestDatabase) {
        let service = Service::start(database).await;
        let version = service.install_course().await;
        let player = play(&service, 1).await;
        let paths = [
            "/player?lang=fr".to_owned(),
            "/runtime/table.json".to_owned(),
            "/runtime/player-api.js".to_owned(),
            "/runtime/player-journal.js".to_owned(),
            format!("/content/{version}/lesson-01.html"),
            "/nothing".to_owned(),
        ];
        for path in paths {
            let cookie = [("cookie", "__Host-passerelle=x")];
            let answer = player.get(&path, &cookie).await;
            assert!(answer.headers.get("set-cookie").is_none(), "{path}");
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        }
        let page = player.get("/player?lang=fr", &[]).await.expect(200);
        let policy = page.header("content-security-policy").expect("a policy");
        assert!(policy.contains("frame-ancestors 'self' http://localhost:8080"), "{policy}");
    }
}
