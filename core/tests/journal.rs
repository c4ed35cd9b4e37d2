//! Any records come back from the journal; whatever happens to the file, nothing else does.
#![cfg(feature = "cache")]

mod records;

use core::ops::Range;

use infill_core::catalog::{Extent, Generation, Record};
use infill_core::journal::{BLOCK_BYTES, Encoder, Found, HEADER_BYTES, Header, Reader};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// Few are short and some are long, so that a file has some blocks.
fn any_record() -> impl Strategy<Value = Record> {
    let extent = |at: u64| Extent { start: at * 10, digest: at, len: 10 };
    let long = (0..Record::MAX_EXTENTS as u64, 1_u64..9).prop_map(move |(count, generation)| {
        let extents = (0..count).map(extent).collect();
        Record::Extents { generation: Generation(generation), extents }
    });
    prop_oneof![records::record(), long]
}

#[derive(Clone, Debug)]
struct Journal {
    header: Header,
    bytes: Vec<u8>,
    records: Vec<Record>,
    /// Where each record is.
    places: Vec<Range<usize>>,
}

impl Journal {
    fn new(epoch: u64, records: Vec<Record>) -> Self {
        let header = Header { epoch };
        let mut bytes = header.encode().to_vec();
        let mut encoder = Encoder::new(header);
        let places = records.iter().map(|record| {
            let before = bytes.len();
            encoder.append(record, &mut bytes).expect("none is too long");
            let begin = before.next_multiple_of(BLOCK_BYTES);
            if begin < bytes.len() { begin..bytes.len() } else { before..bytes.len() }
        });
        let places = places.collect();
        Self { header, bytes, records, places }
    }

    fn block_count(&self) -> usize {
        self.bytes.len().div_ceil(BLOCK_BYTES)
    }

    /// The records whose place has that property.
    fn only(&self, keep: impl Fn(&Range<usize>) -> bool) -> Vec<Record> {
        let all = self.records.iter().zip(&self.places);
        all.filter(|(_, place)| keep(place)).map(|(record, _)| record.clone()).collect()
    }
}

fn read(header: Header, bytes: &[u8]) -> (Vec<Record>, Found) {
    let mut records = Vec::new();
    let found = Reader::new(header).file(bytes, |record| records.push(record.into_owned()));
    assert_eq!(found.records, records.len() as u64);
    (records, found)
}

fn journal() -> impl Strategy<Value = Journal> {
    (any::<u64>(), vec(any_record(), 1..80))
        .prop_map(|(epoch, records)| Journal::new(epoch, records))
}

/// A block of the file, without its header.
fn block(index: Index, journal: &Journal) -> Range<usize> {
    let start = index.index(journal.block_count()) * BLOCK_BYTES;
    start.max(HEADER_BYTES)..(start + BLOCK_BYTES).min(journal.bytes.len())
}

proptest! {
    #[test]
    fn what_is_written_is_read(journal in journal()) {
        prop_assert_eq!(Header::decode(&journal.bytes), Ok(journal.header));
        let (records, found) = read(journal.header, &journal.bytes);
        prop_assert_eq!(records, journal.records);
        prop_assert_eq!((found.end, found.damaged), (journal.bytes.len() as u64, 0));
    }

    #[test]
    fn a_cut_file_keeps_what_is_before_the_cut_and_goes_on(
        journal in journal(),
        cut in any::<Index>(),
        more in vec(any_record(), 1..9),
    ) {
        let cut = HEADER_BYTES + cut.index(journal.bytes.len() - HEADER_BYTES + 1);
        let mut bytes = journal.bytes[..cut].to_vec();
        let mut expected = journal.only(|place| place.end <= cut);
        let (records, found) = read(journal.header, &bytes);
        prop_assert_eq!(&records, &expected);
        prop_assert_eq!(found.damaged, 0);
        bytes.truncate(found.end as usize);
        let mut encoder = Encoder::at(journal.header, found.end);
        for record in &more {
            encoder.append(record, &mut bytes).expect("none is too long");
        }
        expected.extend(more);
        prop_assert_eq!(read(journal.header, &bytes).0, expected);
    }

    #[test]
    fn d12_a_flipped_bit_costs_the_rest_of_its_block(
        journal in journal(),
        at in any::<Index>(),
        bit in 0_u8..8,
    ) {
        let at = HEADER_BYTES + at.index(journal.bytes.len() - HEADER_BYTES);
        let mut bytes = journal.bytes.clone();
        bytes[at] ^= 1 << bit;
        let rest = at..at.next_multiple_of(BLOCK_BYTES).max(at + 1);
        let expected = journal.only(|place| place.end <= rest.start || place.start >= rest.end);
        let (records, found) = read(journal.header, &bytes);
        prop_assert_eq!(&records, &expected);
        // Some record lies behind it, unless it hit the last block.
        let inner = journal.places.iter().any(|place| place.start >= rest.end);
        prop_assert_eq!(found.damaged, u64::from(inner));
    }

    #[test]
    fn d12_a_block_of_zeros_or_noise_costs_its_records(
        journal in journal(),
        index in any::<Index>(),
        noise in option_of_noise(),
    ) {
        let block = block(index, &journal);
        let mut bytes = journal.bytes.clone();
        for (at, byte) in bytes[block.clone()].iter_mut().enumerate() {
            *byte = noise.as_ref().map_or(0, |noise| noise[at % noise.len()]);
        }
        let expected = journal.only(|place| place.end <= block.start || place.start >= block.end);
        prop_assert_eq!(read(journal.header, &bytes).0, expected);
    }

    #[test]
    fn a_block_of_another_file_or_place_is_no_block_of_this(
        journal in journal(),
        to in any::<Index>(),
        from in any::<Index>(),
        epoch in any::<u64>(),
    ) {
        let to = block(to, &journal);
        let foreign = Journal::new(!journal.header.epoch ^ epoch >> 1, journal.records.clone());
        let mut bytes = journal.bytes.clone();
        bytes[to.clone()].copy_from_slice(&foreign.bytes[to.clone()]);
        let expected = journal.only(|place| place.end <= to.start || place.start >= to.end);
        prop_assert_eq!(&read(journal.header, &bytes).0, &expected);
        let from = block(from, &journal);
        if from != to {
            let len = from.len().min(to.len());
            bytes[to.start..to.start + len].copy_from_slice(&journal.bytes[from][..len]);
            prop_assert_eq!(read(journal.header, &bytes).0, expected);
        }
    }
}

fn option_of_noise() -> impl Strategy<Value = Option<Vec<u8>>> {
    proptest::option::of(vec(any::<u8>(), 1..99))
}
