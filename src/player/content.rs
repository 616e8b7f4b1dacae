//! Packages, served from inside their zip.
//!
//! A deflated entry goes out untouched as `Content-Encoding: gzip`; a stored one supports ranges;
//! deflated media has a second copy that does too. The host is the right to read.

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt as _, stream};
use scorm::archive::{Entry, Method, gzip_header, gzip_trailer, media_type};
use tokio_util::io::{ReaderStream, StreamReader};

use super::api::ContentHost;
use super::packages::Package;
use crate::app::App;
use crate::blobs::BlobError;
use crate::ids::CourseVersionId;
use crate::web::Problem;

/// Everything may be kept for as long as one likes: a version never changes, and the host is one
/// learner's.
const CACHING: HeaderValue = HeaderValue::from_static("private, max-age=31536000, immutable");

/// `GET /content/{version}/{*path}` on a content host.
pub async fn serve(
    State(app): State<App>,
    host: ContentHost,
    Path((version, path)): Path<(CourseVersionId, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if host.version != Some(version) {
        return Err(Problem::not_found());
    }
    let package =
        app.packages.load(&app, version).await.map_err(|error| Problem::internal(&error))?;
    let found = package.archive.index.find(&path).ok_or_else(Problem::not_found)?;
    let mut response = respond(&app, &package, found.entry, &headers).await?;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, CACHING);
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // A package may do as it likes on its own host, and reach nothing beyond it.
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; object-src 'self'; \
             frame-ancestors *",
        ),
    );
    Ok(response)
}

/// How an entry goes out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Coding {
    Gzip,
    Identity,
}

async fn respond(
    app: &App,
    package: &Package,
    entry: &Entry,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let copy = package.archive.media.get(&entry.path);
    let coding = match entry.method {
        Method::Deflated if copy.is_none() && accepts_gzip(headers) => Coding::Gzip,
        _ => Coding::Identity,
    };
    let media_type = HeaderValue::from_static(media_type(&entry.path));
    let etag = etag(entry, coding);
    let mut response = if matches_etag(headers, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else if coding == Coding::Gzip {
        gzip(app, package, entry).await?
    } else if let Some(blob) = copy {
        ranged(app, blob, 0, entry.size, headers, &etag).await?
    } else if entry.method == Method::Stored {
        ranged(app, &package.blob, entry.data_offset, entry.size, headers, &etag).await?
    } else {
        inflated(app, package, entry).await?
    };
    let out = response.headers_mut();
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        out.insert(header::ETAG, etag);
    }
    if entry.method == Method::Deflated && copy.is_none() {
        out.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    out.insert(header::CONTENT_TYPE, media_type);
    Ok(response)
}

/// The compressed bytes as they are in the zip, between a gzip header and trailer. They are read
/// whole where they are small, which most are; else streamed.
async fn gzip(app: &App, package: &Package, entry: &Entry) -> Result<Response, Problem> {
    const SMALL: u64 = 256 * 1024;
    let (head, tail) = (gzip_header(), gzip_trailer(entry.crc32, entry.size));
    let length = entry.compressed_size + head.len() as u64 + tail.len() as u64;
    let body = if entry.compressed_size <= SMALL {
        let bytes =
            app.blobs.range(&package.blob, entry.data_offset, entry.compressed_size).await?;
        let mut whole = Vec::with_capacity(length as usize);
        whole.extend_from_slice(&head);
        whole.extend_from_slice(&bytes);
        whole.extend_from_slice(&tail);
        Body::from(whole)
    } else {
        let middle =
            app.blobs.stream(&package.blob, entry.data_offset, entry.compressed_size).await?;
        let one = |bytes: Vec<u8>| stream::once(async { Ok(Bytes::from(bytes)) });
        Body::from_stream(one(head.to_vec()).chain(middle).chain(one(tail.to_vec())))
    };
    let headers = [
        (header::CONTENT_ENCODING, HeaderValue::from_static("gzip")),
        (header::CONTENT_LENGTH, HeaderValue::from(length)),
    ];
    Ok((headers, body).into_response())
}

/// For a client that does not take gzip.
async fn inflated(app: &App, package: &Package, entry: &Entry) -> Result<Response, Problem> {
    let compressed =
        app.blobs.stream(&package.blob, entry.data_offset, entry.compressed_size).await?;
    let reader = StreamReader::new(compressed.map(|piece| piece.map_err(std::io::Error::other)));
    let inflated = async_compression::tokio::bufread::DeflateDecoder::new(reader);
    let body = Body::from_stream(ReaderStream::new(inflated));
    Ok(([(header::CONTENT_LENGTH, HeaderValue::from(entry.size))], body).into_response())
}

/// Plain bytes of a blob, whole or the one range that was asked for (RFC 9110, 14).
async fn ranged(
    app: &App,
    blob: &str,
    offset: u64,
    size: u64,
    headers: &HeaderMap,
    etag: &str,
) -> Result<Response, Problem> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let unchanged = text(header::IF_RANGE).is_none_or(|wanted| wanted == etag);
    let range =
        text(header::RANGE).filter(|_| unchanged).and_then(|range| parse_range(range, size));
    let accept = (header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    match range {
        None => {
            let body = body_of(app, blob, offset, size).await?;
            let length = (header::CONTENT_LENGTH, HeaderValue::from(size));
            Ok(([accept, length], body).into_response())
        }
        Some(Ok((first, last))) => {
            let length = last - first + 1;
            let body = body_of(app, blob, offset + first, length).await?;
            let what = format!("bytes {first}-{last}/{size}");
            let headers = [
                accept,
                (header::CONTENT_LENGTH, HeaderValue::from(length)),
                (header::CONTENT_RANGE, header_value(&what)),
            ];
            Ok((StatusCode::PARTIAL_CONTENT, headers, body).into_response())
        }
        Some(Err(Unsatisfiable)) => {
            let what = [(header::CONTENT_RANGE, header_value(&format!("bytes */{size}")))];
            Ok((StatusCode::RANGE_NOT_SATISFIABLE, what).into_response())
        }
    }
}

fn header_value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}

async fn body_of(app: &App, blob: &str, offset: u64, length: u64) -> Result<Body, BlobError> {
    Ok(Body::from_stream(app.blobs.stream(blob, offset, length).await?))
}

struct Unsatisfiable;

/// The first and last byte of a single range. `None`: no range that we serve, so the whole is sent,
/// as the specification allows.
fn parse_range(text: &str, size: u64) -> Option<Result<(u64, u64), Unsatisfiable>> {
    let (first, last) = text.strip_prefix("bytes=")?.trim().split_once('-')?;
    if last.contains(',') {
        return None;
    }
    if first.is_empty() {
        let suffix: u64 = last.parse().ok()?;
        if suffix == 0 || size == 0 {
            return Some(Err(Unsatisfiable));
        }
        return Some(Ok((size.saturating_sub(suffix), size - 1)));
    }
    let first: u64 = first.parse().ok()?;
    if first >= size {
        return Some(Err(Unsatisfiable));
    }
    let last = if last.is_empty() { size - 1 } else { last.parse::<u64>().ok()?.min(size - 1) };
    (first <= last).then_some(Ok((first, last)))
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|coding| {
            let mut parts = coding.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default();
            let refused = parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
            (name.eq_ignore_ascii_case("gzip") || name == "*") && !refused
        })
}

/// One a coding: the bytes differ, so the tag must.
fn etag(entry: &Entry, coding: Coding) -> String {
    let suffix = if coding == Coding::Gzip { "-gz" } else { "" };
    format!("\"{:08x}-{:x}{suffix}\"", entry.crc32, entry.size)
}

fn matches_etag(headers: &HeaderMap, etag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|tag| tag.trim().trim_start_matches("W/"))
        .any(|tag| tag == etag || tag == "*")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_specification_says() {
        let range = |text| parse_range(text, 1000).map(Result::ok);
        assert_eq!(range("bytes=0-99"), Some(Some((0, 99))));
        assert_eq!(range("bytes=990-"), Some(Some((990, 999))));
        assert_eq!(range("bytes=-10"), Some(Some((990, 999))));
        assert_eq!(range("bytes=-5000"), Some(Some((0, 999))));
        assert_eq!(range("bytes=0-5000"), Some(Some((0, 999))));
        assert_eq!(range("bytes=1000-"), Some(None));
        assert_eq!(range("bytes=-0"), Some(None));
        assert_eq!(range("bytes=5-2"), None);
        assert_eq!(range("bytes=0-1,5-6"), None);
        assert_eq!(range("lines=0-1"), None);
    }

    #[test]
    fn gzip_is_sent_to_those_who_take_it() {
        let accepts = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(text));
            accepts_gzip(&headers)
        };
        assert!(accepts("gzip, deflate, br"));
        assert!(accepts("br;q=1.0, GZIP;q=0.5"));
        assert!(!accepts("gzip;q=0, br"));
        assert!(!accepts("identity"));
        assert!(!accepts_gzip(&HeaderMap::new()));
    }
}
