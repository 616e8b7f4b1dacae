//! What a launched page tells the platform that frames it: how high it is, and nothing else
//! (LTI Client Side postMessages, `lti.frameResize`).

use super::assets;

/// Adds the script that tells the height to the platform's `origins`, and to them only.
pub fn tell_height(html: String, origins: &[String]) -> String {
    let (Some(script), Some(head)) = (assets::address("frame.js"), html.find("</head>")) else {
        return html;
    };
    let origins = handlebars::html_escape(&origins.join(" "));
    let (before, after) = html.split_at(head);
    format!(
        "{before}<meta name=\"platform-origins\" content=\"{origins}\">\n\
         <script type=\"module\" src=\"{script}\"></script>\n{after}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_the_platform_and_stays_as_it_was() {
        let page = "<html><head><title>a</title></head><body>&lt;/head&gt;</body></html>";
        let told = tell_height(page.to_owned(), &["https://lms.example".to_owned()]);
        assert!(told.contains("content=\"https://lms.example\""), "{told}");
        assert!(told.contains("/frame.js\"></script>\n</head><body>&lt;/head&gt;"), "{told}");
    }
}
