//! Credentials go to the origin that they were given for, and to no other.

use std::sync::Arc;

use super::Header;

/// Fields that must not be carried along to another origin.
const CREDENTIALS: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// The headers that may go to any origin.
pub(crate) fn public(headers: &[Header]) -> Arc<[Header]> {
    let secret =
        |(name, _): &&Header| CREDENTIALS.iter().any(|secret| name.eq_ignore_ascii_case(secret));
    headers.iter().filter(|header| !secret(header)).cloned().collect()
}
