//! Media types of course files by extension (IANA registrations; `nosniff` makes them count).

/// The type sent for a path; `application/octet-stream` for what is not known.
pub fn media_type(path: &str) -> &'static str {
    let name = path.rsplit('/').next().unwrap_or(path);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension.to_ascii_lowercase().as_str() {
        "html" | "htm" => "text/html; charset=utf-8",
        "xhtml" | "xht" => "application/xhtml+xml",
        "js" | "mjs" | "cjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "jsonld" => "application/ld+json",
        "webmanifest" => "application/manifest+json",
        "xml" | "xsl" | "xslt" | "xsd" => "application/xml",
        "dtd" => "application/xml-dtd",
        "txt" | "log" | "md" => "text/plain; charset=utf-8",
        "csv" => "text/csv; charset=utf-8",
        "ics" => "text/calendar; charset=utf-8",
        "vtt" => "text/vtt; charset=utf-8",
        "srt" => "application/x-subrip",
        "ttml" | "dfxp" => "application/ttml+xml",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "apng" => "image/apng",
        "jpg" | "jpeg" | "jpe" | "jfif" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "heic" => "image/heic",
        "bmp" => "image/bmp",
        "ico" | "cur" => "image/vnd.microsoft.icon",
        "tif" | "tiff" => "image/tiff",
        "mp4" | "m4v" => "video/mp4",
        "webm" => "video/webm",
        "ogv" => "video/ogg",
        "mov" | "qt" => "video/quicktime",
        "avi" => "video/x-msvideo",
        "wmv" => "video/x-ms-wmv",
        "flv" => "video/x-flv",
        "mpg" | "mpeg" => "video/mpeg",
        "ts" | "m2ts" => "video/mp2t",
        "m3u8" => "application/vnd.apple.mpegurl",
        "mpd" => "application/dash+xml",
        "m4s" => "video/iso.segment",
        "mp3" => "audio/mpeg",
        "m4a" => "audio/mp4",
        "aac" => "audio/aac",
        "ogg" | "oga" | "opus" | "spx" => "audio/ogg",
        "weba" => "audio/webm",
        "wav" => "audio/wav",
        "flac" => "audio/flac",
        "mid" | "midi" => "audio/midi",
        "pdf" => "application/pdf",
        "woff" => "font/woff",
        "woff2" => "font/woff2",
        "ttf" => "font/ttf",
        "otf" => "font/otf",
        "eot" => "application/vnd.ms-fontobject",
        "wasm" => "application/wasm",
        "swf" => "application/x-shockwave-flash",
        "zip" | "h5p" => "application/zip",
        "gz" | "svgz" => "application/gzip",
        "epub" => "application/epub+zip",
        "glb" => "model/gltf-binary",
        "gltf" => "model/gltf+json",
        "rtf" => "application/rtf",
        "doc" => "application/msword",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xls" => "application/vnd.ms-excel",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "ppt" => "application/vnd.ms-powerpoint",
        "pptx" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "odt" => "application/vnd.oasis.opendocument.text",
        "ods" => "application/vnd.oasis.opendocument.spreadsheet",
        "odp" => "application/vnd.oasis.opendocument.presentation",
        _ => "application/octet-stream",
    }
}

/// Whether players and viewers ask for ranges of such a file: audio, video, PDF.
pub fn is_seekable_media(path: &str) -> bool {
    let media_type = media_type(path);
    media_type.starts_with("audio/")
        || media_type.starts_with("video/")
        || media_type == "application/pdf"
}

#[cfg(test)]
mod tests {
    use super::{is_seekable_media, media_type};

    #[test]
    fn the_last_extension_decides_whatever_its_case() {
        assert_eq!(media_type("a.b/Index.HTM"), "text/html; charset=utf-8");
        assert_eq!(media_type("scripts/app.min.mjs"), "text/javascript; charset=utf-8");
        assert_eq!(media_type("folder.html/README"), "application/octet-stream");
        assert!(is_seekable_media("v.MP4") && is_seekable_media("x.pdf"));
        assert!(!is_seekable_media("subtitles.vtt"));
    }
}
