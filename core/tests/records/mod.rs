//! Any records, of a world so small that they meet.

use infill_core::ByteRange;
use infill_core::catalog::{Extent, Generation, Key, Place, Record, ResourceKey, StoredFacts};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// Around the end of a block, so that extents cross it, too.
const BASE: u64 = Extent::BLOCK_BYTES - 40;

pub(crate) fn record() -> impl Strategy<Value = Record> {
    prop_oneof![
        3 => (place(), "[a-zü]{0,9}", facts())
            .prop_map(|(place, label, facts)| Record::Open { place, label: label.into(), facts }),
        1 => (generation(), facts())
            .prop_map(|(generation, facts)| Record::Facts { generation, facts }),
        8 => (generation(), vec(extent(), 0..4))
            .prop_map(|(generation, extents)| Record::Extents { generation, extents }),
        2 => (generation(), range())
            .prop_map(|(generation, range)| Record::Retract { generation, range }),
        2 => (generation(), final_len())
            .prop_map(|(generation, final_len)| Record::Commit { generation, final_len }),
        1 => generation().prop_map(|generation| Record::Remove { generation }),
        1 => (key(), any::<bool>()).prop_map(|(asset, pinned)| Record::Pin { asset, pinned }),
        2 => (key(), 0_u64..9).prop_map(|(asset, at)| Record::Use { asset, at }),
    ]
}

fn key() -> impl Strategy<Value = Key> {
    (0_u8..3).prop_map(|byte| Key([byte; 20]))
}

fn place() -> impl Strategy<Value = Place> {
    (key(), key(), generation()).prop_map(|(asset, name, generation)| {
        let key = ResourceKey { asset, name };
        Place { key, generation, file_bits: 24 }
    })
}

fn generation() -> impl Strategy<Value = Generation> {
    (1_u64..6).prop_map(|counter| Generation(counter << 32))
}

fn facts() -> impl Strategy<Value = StoredFacts> {
    let text = || option::of("[a-z]{0,5}".prop_map(Box::from));
    (option::of(final_len()), text(), text(), any::<bool>()).prop_map(
        |(total, content_type, etag, unverified)| StoredFacts {
            total,
            content_type,
            unverified,
            etag,
            ..StoredFacts::default()
        },
    )
}

fn final_len() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), 1_u64..20, BASE..BASE + 60]
}

/// One near the beginning, or near the end of the first block.
fn extent() -> impl Strategy<Value = Extent> {
    let start = prop_oneof![0_u64..20, Just(0), BASE..BASE + 60, Just(u64::MAX - 3)];
    let len = prop_oneof![9 => 0_u32..12, 1 => Just(u32::MAX)];
    (start, len, any::<u64>()).prop_map(|(start, len, digest)| Extent { start, digest, len })
}

/// Also none, and one whose end lies before its beginning.
fn range() -> impl Strategy<Value = ByteRange> {
    let edge = || prop_oneof![0_u64..30, BASE..BASE + 60];
    (edge(), edge()).prop_map(|(start, end)| ByteRange { start, end })
}
