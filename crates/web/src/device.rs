//! What a browser calls itself, in words a villager recognises in a list of devices.

use axum::http::{HeaderMap, header};

/// Systems and browsers by what their `User-Agent` holds, the telling ones first: many claim to be others as well.
const SYSTEMS: [(&str, &str); 8] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("SMART-TV", "TV"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("CrOS", "Chromebook"),
    ("Linux", "Linux"),
];
const BROWSERS: [(&str, &str); 8] = [
    ("Zalo", "Zalo"),
    ("CocCoc", "Cốc Cốc"),
    ("coc_coc", "Cốc Cốc"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
];

/// `iPhone · Safari`; empty when it says nothing that is known.
pub(crate) fn label(headers: &HeaderMap) -> String {
    let agent = headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let find = |list: &[(&str, &'static str)]| list.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name);
    let words: Vec<&str> = [find(&SYSTEMS), find(&BROWSERS)].into_iter().flatten().collect();
    words.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phones_of_the_village_are_recognised() {
        let table = [
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 Version/17.1 Mobile/15E148 Safari/604.1",
                "iPhone · Safari",
            ),
            ("Mozilla/5.0 (Linux; Android 13; SM-A146P) AppleWebKit/537.36 Chrome/119.0 Mobile Safari/537.36", "Android · Chrome"),
            (
                "Mozilla/5.0 (Linux; Android 10; wv) AppleWebKit/537.36 Chrome/119.0 Mobile Safari/537.36 Zalo android/12090679",
                "Android · Zalo",
            ),
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36 Edg/120.0", "Windows · Edge"),
            ("curl/8.5", ""),
            ("", ""),
        ];
        for (agent, expected) in table {
            let mut headers = HeaderMap::new();
            headers.insert(header::USER_AGENT, agent.parse().unwrap());
            assert_eq!(label(&headers), expected);
        }
        assert_eq!(label(&HeaderMap::new()), "");
    }
}
