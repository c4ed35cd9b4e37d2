//! What an earlier session may have left: a catalog of records that a store of ours would write, and of any.

use arbitrary::{Result, Unstructured};
use infill_core::ByteRange;
use infill_core::catalog::{
    Catalog, Extent, Generation, Key, Place, Record, ResourceKey, StoredFacts,
};
use xxhash_rust::xxh3::xxh3_64;

use super::draw;

/// The salts of earlier sessions; this one has another.
const SALTS: [u32; 2] = [7, 8];

/// A catalog of what was opened by these keys, and `zeros` behind it.
pub(super) fn catalog(
    input: &mut Unstructured<'_>,
    keys: &[Key],
    total: u64,
    zeros: &[u8],
) -> Result<Catalog> {
    let mut catalog = Catalog::new();
    let likely: u8 = input.arbitrary()?;
    for (counter, asset) in (1..).zip(keys) {
        if likely >> counter & 1 == 1 {
            whole(input, &mut catalog, *asset, generation(counter, 0), total, zeros)?;
        }
    }
    for _ in 0..input.arbitrary::<u8>()? % 24 {
        catalog.apply(&any(input, keys, total, zeros)?);
    }
    Ok(catalog)
}

/// An asset as a session leaves it: opened, in part or all there, perhaps complete.
fn whole(
    input: &mut Unstructured<'_>,
    catalog: &mut Catalog,
    asset: Key,
    generation: Generation,
    total: u64,
    zeros: &[u8],
) -> Result<()> {
    let bits: u8 = input.arbitrary()?;
    let place = Place { key: ResourceKey::file(asset), generation, file_bits: 18 };
    let facts = StoredFacts {
        total: (bits & 1 == 0).then_some(total),
        etag: (bits & 2 == 0).then(|| "\"v1\"".into()),
        ..StoredFacts::default()
    };
    catalog.apply(&Record::Open { place, label: "label".into(), facts });
    let (mut at, step) = (0, [total, 1 << 15, 5_000, 77][usize::from(bits >> 2 & 3)]);
    while at < total {
        let end = (at + step).min(total).min((at / Extent::BLOCK_BYTES + 1) * Extent::BLOCK_BYTES);
        // In part: every other one.
        if bits & 0x10 == 0 || at / step % 2 == 0 {
            let extents = vec![extent(ByteRange::new(at, end), bits & 0x20 == 0, zeros)];
            catalog.apply(&Record::Extents { generation, extents });
        }
        at = end;
        if step < 100 && at > 5_000 {
            break;
        }
    }
    if bits & 0x40 != 0 {
        catalog.apply(&Record::Commit { generation, final_len: total });
    }
    catalog.apply(&Record::Use { asset, at: u64::from(bits) });
    Ok(())
}

/// Any record.
fn any(input: &mut Unstructured<'_>, keys: &[Key], total: u64, zeros: &[u8]) -> Result<Record> {
    let (kind, which): (u8, u8) = input.arbitrary()?;
    let generation = generation(u32::from(which & 7), usize::from(which >> 3 & 1));
    let asset = key(input, keys)?;
    Ok(match kind % 9 {
        0 | 1 => {
            let name = if which & 0x10 == 0 { ResourceKey::file(asset).name } else { Key([1; 20]) };
            let file_bits = [18, 24, 0, 255][usize::from(which >> 5 & 3)];
            let place = Place { key: ResourceKey { asset, name }, generation, file_bits };
            Record::Open { place, label: "any".into(), facts: facts(input, total)? }
        }
        2 => Record::Facts { generation, facts: facts(input, total)? },
        3 | 4 => {
            let count = input.arbitrary::<u8>()? % 8;
            let mut extents = Vec::new();
            for _ in 0..count {
                let range = draw::range(input)?;
                extents.push(extent(range, input.arbitrary::<u8>()? < 0xc0, zeros));
            }
            Record::Extents { generation, extents }
        }
        5 => Record::Retract { generation, range: draw::range(input)? },
        6 => {
            let final_len = if which & 0x10 == 0 { total } else { draw::position(input)? };
            Record::Commit { generation, final_len }
        }
        7 if which & 0x10 == 0 => Record::Remove { generation },
        7 => Record::Pin { asset, pinned: which & 0x20 == 0 },
        _ => Record::Use { asset, at: draw::position(input)? },
    })
}

fn facts(input: &mut Unstructured<'_>, total: u64) -> Result<StoredFacts> {
    let bits: u8 = input.arbitrary()?;
    let total = match bits & 3 {
        0 | 1 => Some(total),
        2 => None,
        _ => Some(draw::position(input)?),
    };
    let etag: Option<Box<str>> =
        [Some("\"v1\"".into()), Some("W/\"v1\"".into()), None, Some("no etag".into())]
            [usize::from(bits >> 2 & 3)]
        .clone();
    let last_modified = (bits & 0x10 != 0).then(|| "Sun, 06 Nov 1994 08:49:37 GMT".into());
    Ok(StoredFacts {
        total,
        etag,
        last_modified,
        content_type: None,
        unverified: bits & 0x20 != 0,
        date: None,
        etags_per_node: bits & 0x40 != 0,
    })
}

fn extent(range: ByteRange, right: bool, zeros: &[u8]) -> Extent {
    let len = usize::try_from(range.len()).ok().and_then(|len| zeros.get(..len));
    let digest = len.filter(|_| right).map_or(0, xxh3_64);
    Extent { start: range.start, digest, len: u32::try_from(range.len()).unwrap_or(u32::MAX) }
}

fn generation(counter: u32, salt: usize) -> Generation {
    Generation(u64::from(counter) << 32 | u64::from(SALTS[salt]))
}

/// One of `keys`, or another.
pub(super) fn key(input: &mut Unstructured<'_>, keys: &[Key]) -> Result<Key> {
    let choice: u8 = input.arbitrary()?;
    Ok(match keys.get(usize::from(choice) % keys.len().max(1)) {
        Some(key) if choice < 0xe0 => *key,
        _ => Key([choice; 20]),
    })
}
