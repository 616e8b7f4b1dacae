//! A table as a file that spreadsheets open.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};

use super::Lang;

/// The table as a file to keep; `name` is one of ours, in ASCII.
pub fn file(name: &'static str, text: String) -> Response {
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""))
        .unwrap_or(HeaderValue::from_static("attachment"));
    (
        [
            (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
            (header::CONTENT_DISPOSITION, disposition),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        ],
        text,
    )
        .into_response()
}

/// The table with a byte order mark, by which spreadsheets know UTF-8. Cells that a spreadsheet
/// would take for formulas begin with an apostrophe.
pub fn write(lang: Lang, rows: &[Vec<String>]) -> String {
    // Where the comma is in the numbers, spreadsheets expect the semicolon between cells.
    let separator = match lang {
        Lang::Fr => ";",
        Lang::En => ",",
    };
    let mut text = String::from("\u{feff}");
    for row in rows {
        let cells: Vec<String> = row.iter().map(|value| cell(value)).collect();
        text.push_str(&cells.join(separator));
        text.push_str("\r\n");
    }
    text
}

fn cell(value: &str) -> String {
    let guard = if starts_like_a_formula(value) { "'" } else { "" };
    format!("\"{guard}{}\"", value.replace('"', "\"\""))
}

/// Spreadsheets skip blanks before the sign, and take its full-width form too.
fn starts_like_a_formula(value: &str) -> bool {
    value.starts_with(['\t', '\r', '\n'])
        || value.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_separated_as_the_language_expects() {
        let rows = [vec!["Zoé \"Z\" Lefèvre".to_owned(), "a;b,c\nd".to_owned()]];
        assert_eq!(write(Lang::Fr, &rows), "\u{feff}\"Zoé \"\"Z\"\" Lefèvre\";\"a;b,c\nd\"\r\n");
        assert!(write(Lang::En, &rows).contains("\",\""));
    }

    #[test]
    fn formulas_are_neutralised() {
        for formula in ["=1+1", "+33", "-2", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1"] {
            assert_eq!(cell(formula), format!("\"'{formula}\""));
        }
        for harmless in ["Zoé", "1-2", "a=b", ""] {
            assert_eq!(cell(harmless), format!("\"{harmless}\""));
        }
    }
}
