//! Where records lie, to the byte.

use super::*;
use crate::catalog::{Extent, Generation, Key, Place, Record, ResourceKey, StoredFacts};

const HEADER: Header = Header { epoch: 0x5eed };
const HEAD: usize = frame::HEAD_BYTES;

/// A record that is `HEAD + 20 + 20 * count` bytes long.
fn extents(count: u64) -> Record {
    let extent = |at| Extent { start: at * 100, digest: at, len: 100 };
    Record::Extents { generation: Generation(1), extents: (0..count).map(extent).collect() }
}

/// A record that fills what is left of a block but for `left` bytes.
fn filling(encoder: &Encoder, left: usize) -> Record {
    let within = encoder.offset() as usize % BLOCK_BYTES;
    let place =
        Place { key: ResourceKey::file(Key([1; 20])), generation: Generation(1), file_bits: 0 };
    let fixed = HEAD + 4 + 49 + 8 + 7;
    let label = "l".repeat(BLOCK_BYTES - within - left - fixed);
    Record::Open { place, label: label.into(), facts: StoredFacts::default() }
}

struct File {
    encoder: Encoder,
    bytes: Vec<u8>,
}

impl File {
    fn new() -> Self {
        Self { encoder: Encoder::new(HEADER), bytes: HEADER.encode().to_vec() }
    }

    fn append(&mut self, record: &Record) {
        self.encoder.append(record, &mut self.bytes).unwrap();
        assert_eq!(self.encoder.offset(), self.bytes.len() as u64);
    }

    fn read(&self) -> (Vec<Record>, Found) {
        let mut records = Vec::new();
        let found =
            Reader::new(HEADER).file(&self.bytes, |record| records.push(record.into_owned()));
        (records, found)
    }
}

#[test]
fn records_follow_each_other_and_never_cross_a_block() {
    for (left, padding) in [(0, 0), (1, 1), (HEAD - 1, HEAD - 1), (HEAD, HEAD), (49, 49), (50, 0)] {
        let mut file = File::new();
        file.append(&extents(500));
        file.append(&extents(500));
        let filler = filling(&file.encoder, left);
        file.append(&filler);
        assert_eq!(file.bytes.len(), BLOCK_BYTES - left);
        file.append(&extents(1));
        assert_eq!(file.bytes.len(), BLOCK_BYTES - left + padding + 50, "{left} left");
        let (records, found) = file.read();
        assert_eq!(records, [extents(500), extents(500), filler, extents(1)]);
        assert_eq!(found, Found { end: file.bytes.len() as u64, records: 4, damaged: 0 });
    }
}

#[test]
fn what_is_too_long_is_refused_and_the_file_goes_on() {
    let mut file = File::new();
    let most = (MAX_PAYLOAD as u64 - 20) / 20;
    file.append(&extents(most));
    let before = (file.encoder.clone(), file.bytes.clone());
    let error = file.encoder.append(&extents(most + 1), &mut file.bytes).unwrap_err();
    assert_eq!(error.payload, 20 + 20 * (most + 1));
    assert!(file.encoder.append(&extents(1 << 16), &mut file.bytes).is_err());
    assert_eq!((&file.encoder, &file.bytes), (&before.0, &before.1));
    assert!(most > Record::MAX_EXTENTS as u64, "what is written fits");
    file.append(&extents(2));
    assert_eq!(file.read().0, [extents(most), extents(2)]);
}

#[test]
fn after_a_cut_the_next_record_goes_where_the_lost_one_was() {
    let mut file = File::new();
    file.append(&extents(1));
    let good = file.encoder.offset();
    file.append(&extents(2));
    file.bytes.truncate(good as usize);
    file.encoder.reset(good);
    file.append(&extents(3));
    assert_eq!(file.read().0, [extents(1), extents(3)]);
    assert_eq!(Encoder::at(HEADER, 0), Encoder::new(HEADER), "never into the header");
}

#[test]
fn d12_a_lost_end_is_no_damage_and_a_lost_middle_is() {
    let mut file = File::new();
    while file.bytes.len() < 3 * BLOCK_BYTES {
        file.append(&extents(300));
    }
    let whole = file.read();
    let end = whole.1.end;
    // A file that grew and was never written.
    file.bytes.resize(6 * BLOCK_BYTES, 0);
    assert_eq!(file.read(), whole);
    file.bytes.truncate(end as usize - 1);
    let (records, found) = file.read();
    assert_eq!((records.len(), found.damaged), (whole.0.len() - 1, 0));
    assert!(found.end < 3 * BLOCK_BYTES as u64);
    let kept = file.bytes.clone();
    // From a page's beginning to the block's end, as a disk loses it: that looks like padding.
    file.bytes[BLOCK_BYTES + 4096..2 * BLOCK_BYTES].fill(0);
    assert_eq!(file.read().1.damaged, 1);
    file.bytes[BLOCK_BYTES..2 * BLOCK_BYTES].fill(0);
    assert_eq!(file.read().1.damaged, 1);
    file.bytes[HEADER_BYTES..BLOCK_BYTES].fill(0);
    assert_eq!(file.read().1.damaged, 2);
    file.bytes[..BLOCK_BYTES].copy_from_slice(&kept[..BLOCK_BYTES]);
    file.bytes[BLOCK_BYTES] = 1;
    assert_eq!(file.read().1.damaged, 1);
}

#[test]
fn a_key_lies_there_as_it_is() {
    let asset = Key(core::array::from_fn(|at| at as u8));
    let mut payload = Vec::new();
    codec::write(&Record::Pin { asset, pinned: true }, &mut payload).unwrap();
    assert_eq!(payload, [&[6, 0, 0, 0], &asset.0[..], &[1]].concat());
}

#[test]
fn a_payload_that_says_more_than_a_record_is_none() {
    let mut payload = Vec::new();
    codec::write(&extents(2), &mut payload).unwrap();
    assert_eq!(codec::read(&payload).map(Record::into_owned), Some(extents(2)));
    payload.push(0);
    assert_eq!(codec::read(&payload), None, "trailing bytes");
    assert_eq!(codec::read(&payload[..payload.len() - 2]), None);
    let mut endless = payload[..12].to_vec();
    endless.extend_from_slice(&u64::MAX.to_le_bytes());
    assert_eq!(codec::read(&endless), None, "a length beyond the payload");
}
