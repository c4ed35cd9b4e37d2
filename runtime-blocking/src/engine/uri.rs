//! URLs as they go into a request: the clients' `http` crate is stricter than the URL standard.

use url::Url;

/// The URL, with those few characters escaped that the `http` crate doesn't take. The fragment stays here.
pub fn request_uri(url: &Url) -> String {
    let mut url = url.clone();
    url.set_fragment(None);
    let mut text = String::with_capacity(url.as_str().len());
    for each in url.as_str().chars() {
        match each {
            '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}' | ' ' => {
                text.push_str(&format!("%{:02X}", u32::from(each)));
            }
            each => text.push(each),
        }
    }
    text
}
