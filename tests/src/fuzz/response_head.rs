//! Any status and any header fields: what a head says fits together, and a machine that is given it goes on.

use arbitrary::{Result, Unstructured};
use infill_core::http::{ContentRange, ETag, Field, Framing, ResponseHead, RetryAfter};

use super::{draw, machine};

/// Runs one input.
pub fn run(data: &[u8]) {
    let _ = drive(&mut Unstructured::new(data));
}

fn drive(input: &mut Unstructured<'_>) -> Result<()> {
    let raw = input.arbitrary::<u8>()? > 0xc0;
    let head = if raw {
        let len = input.len() / 2;
        raw_head(input.bytes(len)?)
    } else {
        draw::head(input)?
    };
    check(&head);
    machine::answer_with(&head, input.len());
    Ok(())
}

/// Lines of `name: value`, as a careless client would hand them over.
fn raw_head(text: &[u8]) -> ResponseHead {
    let lines = text.split(|byte| *byte == b'\n');
    lines.fold(ResponseHead::new(206), |head, line| {
        let colon = line.iter().position(|byte| *byte == b':');
        let (name, value) = line.split_at(colon.unwrap_or(line.len()));
        let name = String::from_utf8_lossy(name);
        head.with_field(&name, value.get(1..).unwrap_or_default())
    })
}

fn check(head: &ResponseHead) {
    match head.framing() {
        Framing::Length(length) => {
            assert_eq!(head.content_length, Field::Valid(length));
            assert!(!head.chunked, "a length beside chunks counts for nothing");
        }
        Framing::Chunked => assert!(head.chunked || head.self_framed),
        Framing::Close => assert!(!head.chunked && !head.self_framed),
    }
    if let Field::Valid(ContentRange::Bytes { range, total }) = head.content_range {
        assert!(!range.is_empty(), "a placed body holds a byte");
        assert!(total.is_none_or(|total| range.end <= total), "{range} of {total:?}");
    }
    if let Some(RetryAfter(wait)) = head.retry_after() {
        let field = head.retry_after_field.as_deref().expect("it was read from there");
        let undated = RetryAfter::parse(field, None);
        assert!(undated.is_none_or(|RetryAfter(same)| same == wait), "seconds need no date");
    }
    if let Some(etag) = &head.validator.etag {
        let again = ETag::parse(etag.as_str()).expect("a tag is its own field value");
        assert!(!again.is_weak(), "without its prefix it is strong");
        assert_eq!(again.as_str(), etag.as_str());
    }
    if let Some(sent) = head.validator.if_range() {
        let strong = head.validator.etag.as_ref().filter(|etag| !etag.is_weak());
        let expected = strong.map(ETag::as_str).or(head.validator.last_modified.as_deref());
        assert_eq!(Some(sent), expected, "If-Range takes a strong validator, never a weak one");
    }
    let same = &head.validator;
    assert!(!same.etag_differs(same) && !same.last_modified_differs(same));
    if let Some(media_type) = &head.content_type {
        assert!(!media_type.is_empty() && !media_type.contains(';'));
        assert_eq!(*media_type, media_type.to_ascii_lowercase());
    }
}
