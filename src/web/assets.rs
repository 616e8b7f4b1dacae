//! The stylesheet, fonts and scripts of our own pages, with the hash of their bytes in the address.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use include_dir::{Dir, include_dir};

use crate::ids::sha256_hex;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates/assets");

struct Asset {
    bytes: &'static [u8],
    version: String,
}

static ASSETS: LazyLock<BTreeMap<String, Asset>> = LazyLock::new(|| {
    let mut assets = BTreeMap::new();
    collect(&FILES, &mut assets);
    assets
});

fn collect(dir: &'static Dir<'_>, assets: &mut BTreeMap<String, Asset>) {
    for file in dir.files() {
        let bytes = file.contents();
        let version = sha256_hex(bytes).chars().take(12).collect();
        assets.insert(file.path().to_string_lossy().into_owned(), Asset { bytes, version });
    }
    for dir in dir.dirs() {
        collect(dir, assets);
    }
}

/// Where browsers find the asset, on the pages' origin and on the content's.
pub fn address(name: &str) -> Option<String> {
    ASSETS.get(name).map(|asset| format!("/assets/{}/{name}", asset.version))
}

/// `GET /assets/{version}/{*name}`
pub async fn serve(Path((version, name)): Path<(String, String)>) -> Response {
    let Some(asset) = ASSETS.get(&name) else { return StatusCode::NOT_FOUND.into_response() };
    // An address with an older hash still works, but is not kept for ever.
    let caching =
        if asset.version == version { "public, max-age=31536000, immutable" } else { "no-cache" };
    let media_type = scorm::archive::media_type(&name);
    (
        [
            (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
            (header::CACHE_CONTROL, HeaderValue::from_static(caching)),
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        ],
        asset.bytes,
    )
        .into_response()
}
