//! Boxes of the ISO base media file format (ISO/IEC 14496-12, section 4.2), in memory.

/// What a box's first bytes say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: [u8; 4],
    /// Bytes of the header: 8, or 16 with a 64-bit size.
    pub(super) len: usize,
    /// Bytes of the box, its header included; `None` where it reaches to the end of the file.
    pub(super) size: Option<u64>,
}

impl Header {
    /// The most bytes that a header has.
    pub(super) const MAX: usize = 16;

    /// Reads the header at the start of `bytes`: `None` where there are too few of them.
    pub(super) fn read(bytes: &[u8]) -> Option<Result<Self, String>> {
        let size = u32_at(bytes, 0)?;
        let kind = *bytes.get(4..)?.first_chunk()?;
        let (len, size) = match size {
            0 => (8, None),
            1 => (16, Some(u64_at(bytes, 8)?)),
            size => (8, Some(u64::from(size))),
        };
        if let Some(size) = size.filter(|size| *size < len as u64) {
            return Some(Err(format!("a box `{}` of {size} bytes", name(kind))));
        }
        Some(Ok(Self { kind, len, size }))
    }
}

/// One box inside a larger piece of memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Child<'a> {
    pub(super) kind: [u8; 4],
    /// Where its header begins in the memory that [`children`] was given, offset included.
    pub(super) at: usize,
    /// What follows its header.
    pub(super) body: &'a [u8],
    /// Where the body begins, counted as `at`.
    pub(super) body_at: usize,
}

/// The boxes that fill `bytes`, which begins at `offset`. A box of size 0 reaches to its end.
pub(super) fn children(
    bytes: &[u8],
    offset: usize,
) -> impl Iterator<Item = Result<Child<'_>, String>> {
    let mut at = 0;
    core::iter::from_fn(move || {
        let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
        let child = child(rest, offset + at);
        // After a broken box nothing can be found.
        at = child.as_ref().map_or(bytes.len(), |(_, size)| at + size);
        Some(child.map(|(child, _)| child))
    })
}

fn child(rest: &[u8], at: usize) -> Result<(Child<'_>, usize), String> {
    // QuickTime ends some lists with four zeros.
    if rest.len() < 8 && rest.iter().all(|byte| *byte == 0) {
        let child = Child { kind: *b"free", at, body: &[], body_at: at + rest.len() };
        return Ok((child, rest.len()));
    }
    let header = Header::read(rest).unwrap_or_else(|| Err("a box that is cut off".to_owned()))?;
    let size = header.size.map_or(Some(rest.len()), |size| usize::try_from(size).ok());
    let body = size.and_then(|size| rest.get(header.len..size));
    let body =
        body.ok_or_else(|| format!("a box `{}` larger than its parent", name(header.kind)))?;
    let child = Child { kind: header.kind, at, body, body_at: at + header.len };
    Ok((child, header.len + body.len()))
}

/// The first box of this kind.
pub(super) fn find<'a>(
    bytes: &'a [u8],
    offset: usize,
    kind: &[u8; 4],
) -> Result<Option<Child<'a>>, String> {
    for child in children(bytes, offset) {
        let child = child?;
        if child.kind == *kind {
            return Ok(Some(child));
        }
    }
    Ok(None)
}

/// The body of the first box of this kind, which must be there.
pub(super) fn need<'a>(
    bytes: &'a [u8],
    offset: usize,
    kind: &[u8; 4],
) -> Result<Child<'a>, String> {
    find(bytes, offset, kind)?.ok_or_else(|| format!("no box `{}`", name(*kind)))
}

/// Version and flags of a full box, and what follows them.
pub(super) fn full(body: &[u8]) -> Result<(u8, u32, &[u8]), String> {
    let (head, rest) = body.split_first_chunk::<4>().ok_or("a box without version and flags")?;
    Ok((head[0], u32::from_be_bytes([0, head[1], head[2], head[3]]), rest))
}

/// A box's type as text.
pub(super) fn name(kind: [u8; 4]) -> String {
    kind.escape_ascii().to_string()
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}
