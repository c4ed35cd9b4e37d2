//! Any bytes as a journal, and any damage to one: what is read was written, and what lies before the damage is read.

use arbitrary::{Result, Unstructured};
use infill_core::catalog::{
    Catalog, Extent, Generation, Key, Place, Record, Replay, ResourceKey, StoredFacts,
};
use infill_core::journal::{
    BLOCK_BYTES, Encoder, Found, HEADER_BYTES, Header, MAX_PAYLOAD, Reader,
};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::draw;

/// Runs one input.
pub fn run(data: &[u8]) {
    let _ = drive(&mut Unstructured::new(data));
}

fn drive(input: &mut Unstructured<'_>) -> Result<()> {
    let header = Header { epoch: input.arbitrary()? };
    let mode: u8 = input.arbitrary()?;
    match mode % 4 {
        0 => anything(header, input.bytes(input.len())?),
        1 => payloads(header, input)?,
        _ => damaged(header, input)?,
    }
    Ok(())
}

/// A file of these bytes, with a good header and without one.
fn anything(header: Header, bytes: &[u8]) {
    if let Ok(header) = Header::decode(bytes) {
        assert_eq!(Header::decode(&header.encode()), Ok(header));
        read(header, bytes);
    }
    let file = [&header.encode(), bytes].concat();
    read(header, &file);
}

/// Payloads that no record has, with digests that are right: what is read is a record that can be written.
fn payloads(header: Header, input: &mut Unstructured<'_>) -> Result<()> {
    let mut file = header.encode().to_vec();
    while !input.is_empty() {
        let len = input.int_in_range(0..=input.len().min(MAX_PAYLOAD + 1))?;
        let mut payload = input.bytes(len)?.to_vec();
        // One of the records there are, more often than not.
        if let Some(tag) = payload.first_chunk_mut::<4>() {
            *tag = [tag[0] % 9, 0, 0, 0];
        }
        file.extend_from_slice(&framed(header, file.len() as u64, &payload));
    }
    let (records, _) = read(header, &file);
    let mut encoder = Encoder::new(header);
    for record in &records {
        encoder.append(record, &mut Vec::new()).expect("what was read can be written");
    }
    Ok(())
}

/// A record as the format describes it: `journal`'s own way to write one takes none but records.
fn framed(header: Header, offset: u64, payload: &[u8]) -> Vec<u8> {
    let sealed = [&(payload.len() as u16).to_le_bytes(), payload].concat();
    let seed = header.epoch ^ offset.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    [&xxh3_64_with_seed(&sealed, seed).to_le_bytes()[..], &sealed].concat()
}

/// Records, damage behind them, and more records behind the last good one.
fn damaged(header: Header, input: &mut Unstructured<'_>) -> Result<()> {
    let mut file = header.encode().to_vec();
    let mut encoder = Encoder::new(header);
    let (mut written, mut ends) = (Vec::new(), Vec::new());
    for _ in 0..input.int_in_range(1..=40)? {
        let record = record(input)?;
        encoder.append(&record, &mut file).expect("none is too long");
        assert_eq!(encoder.offset(), file.len() as u64);
        written.push(record);
        ends.push(file.len());
    }
    let (records, found) = read(header, &file);
    assert!(records == written && found.end == file.len() as u64 && found.damaged == 0);
    let from = input.int_in_range(HEADER_BYTES..=file.len())?;
    damage(&mut file, from, input)?;
    let kept = ends.iter().filter(|end| **end <= from).count();
    let (records, found) = read(header, &file);
    assert!(records.len() >= kept && records[..kept] == written[..kept], "the good prefix is lost");
    let mut left = written.iter();
    let known = records.iter().all(|record| left.any(|written| written == record));
    assert!(known, "a record that was not written, or in another order");
    // What a store does next.
    file.truncate(found.end as usize);
    let mut encoder = Encoder::at(header, found.end);
    let more = record(input)?;
    encoder.append(&more, &mut file).expect("none is too long");
    let (again, _) = read(header, &file);
    assert!(again.len() == records.len() + 1 && again.last() == Some(&more));
    assert_eq!(again[..records.len()], records);
    Ok(())
}

/// Changes the file from `from` on.
fn damage(file: &mut Vec<u8>, from: usize, input: &mut Unstructured<'_>) -> Result<()> {
    for _ in 0..input.int_in_range(1..=4)? {
        let at = from + input.choose_index(file.len() - from + 1)?;
        match input.arbitrary::<u8>()? % 5 {
            0 => file.truncate(at),
            1 => {
                let end = at.next_multiple_of(BLOCK_BYTES).min(file.len());
                file[at..end].fill(0);
            }
            2 => {
                let len = input.arbitrary_len::<u8>()?;
                let noise = input.bytes(len)?;
                let end = file.len().min(at + noise.len());
                file[at..end].copy_from_slice(&noise[..end - at]);
            }
            3 => file.resize(file.len() + BLOCK_BYTES + at % 97, 0),
            // An older part of the file, where it does not belong.
            _ => {
                let to = at.next_multiple_of(BLOCK_BYTES);
                let moved = file.len().saturating_sub(to).min(BLOCK_BYTES);
                let to = to.min(file.len());
                file.copy_within(0..moved, to);
            }
        }
    }
    Ok(())
}

fn record(input: &mut Unstructured<'_>) -> Result<Record> {
    let generation = Generation(u64::from(input.arbitrary::<u8>()? % 4) << 32);
    let key = |byte: u8| Key([byte; 20]);
    Ok(match input.arbitrary::<u8>()? % 9 {
        0 => {
            let [asset, name]: [u8; 2] = input.arbitrary()?;
            let key = ResourceKey { asset: key(asset), name: key(name) };
            let place = Place { key, generation, file_bits: input.arbitrary()? };
            Record::Open { place, label: text(input)?, facts: facts(input)? }
        }
        1 => Record::Facts { generation, facts: facts(input)? },
        2 => Record::Retract { generation, range: draw::range(input)? },
        3 => Record::Commit { generation, final_len: input.arbitrary()? },
        4 => Record::Remove { generation },
        5 => Record::Pin { asset: key(input.arbitrary()?), pinned: input.arbitrary()? },
        6 => Record::Use { asset: key(input.arbitrary()?), at: input.arbitrary()? },
        _ => {
            let [first, len]: [u16; 2] = input.arbitrary()?;
            let extent = |at| Extent { start: at * 100, digest: at, len: 100 };
            let count = u64::from(len) % (Record::MAX_EXTENTS as u64 + 1);
            let extents = (u64::from(first)..).take(count as usize).map(extent).collect();
            Record::Extents { generation, extents }
        }
    })
}

fn facts(input: &mut Unstructured<'_>) -> Result<StoredFacts> {
    let total = input.arbitrary()?;
    let etag = if input.arbitrary()? { Some(text(input)?) } else { None };
    Ok(StoredFacts { total, etag, unverified: input.arbitrary()?, ..StoredFacts::default() })
}

fn text(input: &mut Unstructured<'_>) -> Result<Box<str>> {
    let text: &str = input.arbitrary()?;
    Ok(text.chars().take(400).collect())
}

/// All records of a file. The tables take any of them, and their snapshot gives them again.
fn read(header: Header, file: &[u8]) -> (Vec<Record>, Found) {
    let (mut records, mut replay) = (Vec::new(), Replay::new());
    let found = Reader::new(header).file(file, |record| {
        replay.apply(&record);
        records.push(record.into_owned());
    });
    let mut catalog = Catalog::new();
    records.iter().for_each(|record| catalog.apply(record));
    assert!(replay.finish() == catalog);
    let end = found.end as usize;
    assert!(end <= file.len().max(HEADER_BYTES) && found.records == records.len() as u64);
    assert!(found.damaged <= (end / BLOCK_BYTES) as u64, "damage beyond the end is none");
    let mut again = Catalog::new();
    catalog.snapshot().iter().for_each(|record| again.apply(record));
    assert!(again == catalog && again.live_bytes() == catalog.live_bytes());
    (records, found)
}
