//! Entry names: decoding, and the one normal form every path of an index has.

use super::error::ArchiveError;
use super::limits::Limits;

/// The upper half of IBM code page 437, the encoding of zip names without the UTF-8 flag
/// (APPNOTE, appendix D).
const CODE_PAGE_437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// A decoded name and whether it had to be guessed to be code page 437.
///
/// Many tools write UTF-8 without setting the flag, so valid UTF-8 is taken as such first.
pub(super) fn decode(raw: &[u8]) -> (String, bool) {
    if let Ok(name) = std::str::from_utf8(raw) {
        return (name.to_owned(), false);
    }
    let upper_half = |byte: u8| CODE_PAGE_437.chars().nth(usize::from(byte & 0x7f));
    let decoded = raw.iter().map(|&byte| {
        if byte.is_ascii() {
            char::from(byte)
        } else {
            upper_half(byte).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
    });
    (decoded.collect(), true)
}

/// The normal form of a name: `/` between segments, no `.`, no empty segment, no leading `/`.
/// Empty for the folder `./`.
pub(super) fn normalise(name: &str, limits: &Limits) -> Result<String, ArchiveError> {
    let shown = || name.escape_debug().to_string();
    if name.chars().any(char::is_control) {
        return Err(ArchiveError::ControlCharacter { entry: shown() });
    }
    let slashed = name.replace('\\', "/");
    let drive = matches!(slashed.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    if slashed.starts_with('/') || drive {
        return Err(ArchiveError::AbsolutePath { entry: shown() });
    }
    let mut path = String::with_capacity(slashed.len());
    let mut depth = 0;
    for segment in slashed.split('/') {
        match segment {
            "" | "." => {}
            ".." => return Err(ArchiveError::Traversal { entry: shown() }),
            _ => {
                if !path.is_empty() {
                    path.push('/');
                }
                path.push_str(segment);
                depth += 1;
            }
        }
    }
    if path.len() > limits.path_bytes {
        let entry = path.chars().take(80).chain("…".chars()).collect();
        return Err(ArchiveError::PathTooLong {
            entry,
            length: path.len(),
            limit: limits.path_bytes,
        });
    }
    if depth > limits.depth {
        return Err(ArchiveError::PathTooDeep { entry: shown(), depth, limit: limits.depth });
    }
    Ok(path)
}

/// Files that operating systems leave behind and no course needs.
pub(super) fn is_litter(path: &str) -> bool {
    if path.starts_with("__MACOSX/") {
        return true;
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    // `._name` holds what macOS knows about `name` on foreign disks.
    name.starts_with("._") || matches!(name, ".DS_Store" | "__MACOSX" | "Thumbs.db" | "desktop.ini")
}

#[cfg(test)]
mod tests {
    use super::{decode, normalise};
    use crate::archive::{ArchiveError, Limits};

    #[test]
    fn names_without_the_flag_are_utf8_or_code_page_437() {
        assert_eq!(decode("été.html".as_bytes()), ("été.html".to_owned(), false));
        assert_eq!(decode(b"\x82t\x82.html"), ("été.html".to_owned(), true));
        assert_eq!(decode(b"\xff"), ("\u{a0}".to_owned(), true));
    }

    #[test]
    fn a_path_has_one_normal_form() {
        let limits = Limits::default();
        assert_eq!(normalise("./a//b\\c.html", &limits).unwrap(), "a/b/c.html");
        assert!(matches!(normalise("a/../b", &limits), Err(ArchiveError::Traversal { .. })));
        assert!(matches!(normalise("..\\b", &limits), Err(ArchiveError::Traversal { .. })));
        for absolute in ["/etc/passwd", "\\\\server\\share", "C:\\x", "c:x"] {
            let refused = normalise(absolute, &limits);
            assert!(matches!(refused, Err(ArchiveError::AbsolutePath { .. })), "{absolute}");
        }
    }
}
