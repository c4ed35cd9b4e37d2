//! What targets draw from their input: ids, positions, response heads. Small and likely first, nonsense now and then.

use arbitrary::{Result, Unstructured};
use infill_core::ByteRange;
use infill_core::http::ResponseHead;

/// Field names that matter to a head, in both cases, and one that does not.
const NAMES: [&str; 14] = [
    "content-range",
    "Content-Range",
    "content-length",
    "Transfer-Encoding",
    "content-type",
    "content-encoding",
    "ETag",
    "last-modified",
    "date",
    "retry-after",
    "icy-metaint",
    "icy-name",
    "cache-control",
    "x-nothing",
];

/// Values from which fields are put together.
const VALUES: [&str; 24] = [
    "bytes 0-99999/100000",
    "bytes 0-99999/*",
    "bytes 50000-99999/100000",
    "bytes */100000",
    "bytes 18446744073709551614-18446744073709551614/18446744073709551615",
    "bytes 5-4/3",
    "100000",
    "0",
    "18446744073709551615",
    "5, 5",
    "chunked",
    "gzip, chunked",
    "audio/mpeg; charset=x",
    "text/html",
    "multipart/byteranges; boundary=x",
    "identity",
    "\"v1\"",
    "W/\"v1\"",
    "\"v2\"",
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:50:37 GMT",
    "Sun, 06 Nov 1994 08:49:07 GMT",
    "99999999999999999999999",
    "no-store",
];

/// Status codes that are treated apart.
const STATUSES: [u16; 16] =
    [206, 200, 206, 200, 416, 204, 301, 401, 403, 404, 408, 410, 425, 429, 500, 503];

/// One of `known`, or, rarely, an id that nobody gave.
pub(super) fn id(input: &mut Unstructured<'_>, known: &[u64]) -> Result<u64> {
    let choice: u8 = input.arbitrary()?;
    match known.get(usize::from(choice) % known.len().max(1)) {
        Some(id) if choice < 0xf8 => Ok(*id),
        _ => input.arbitrary::<u8>().map(u64::from),
    }
}

/// A byte position: mostly within the first 128 KiB, now and then at the end of all positions.
pub(super) fn position(input: &mut Unstructured<'_>) -> Result<u64> {
    let at: u16 = input.arbitrary()?;
    Ok(match at {
        0xfff0.. => u64::MAX - u64::from(at & 0xf),
        0xff00.. => input.arbitrary()?,
        _ => u64::from(at) * 2,
    })
}

/// A range; empty ones too.
pub(super) fn range(input: &mut Unstructured<'_>) -> Result<ByteRange> {
    let start = position(input)?;
    let len = match input.arbitrary::<u8>()? {
        0xff => u64::MAX,
        len => u64::from(len) * 64,
    };
    Ok(ByteRange::at(start, len))
}

/// Any head.
pub(super) fn head(input: &mut Unstructured<'_>) -> Result<ResponseHead> {
    let status = match input.arbitrary::<u8>()? {
        0xf0.. => input.arbitrary()?,
        choice => STATUSES[usize::from(choice) % STATUSES.len()],
    };
    let mut head = ResponseHead::new(status);
    for _ in 0..input.arbitrary::<u8>()? % 8 {
        head = field(input, head)?;
    }
    Ok(head.with_self_framing(input.arbitrary::<u8>()? > 0xf0))
}

fn field(input: &mut Unstructured<'_>, head: ResponseHead) -> Result<ResponseHead> {
    let name: u8 = input.arbitrary()?;
    let name = NAMES[usize::from(name) % NAMES.len()];
    let choice: u8 = input.arbitrary()?;
    if choice < 0xc0 {
        let value = VALUES[usize::from(choice) % VALUES.len()];
        return Ok(head.with_field(name, value.as_bytes()));
    }
    let len = usize::from(input.arbitrary::<u8>()? % 64).min(input.len());
    Ok(head.with_field(name, input.bytes(len)?))
}
