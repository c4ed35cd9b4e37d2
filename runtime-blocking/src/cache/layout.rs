//! What the cache's files are called, and which names are its own: no other file is ever deleted.

use core::str::FromStr;

use infill_core::catalog::{Generation, Key, Place, ResourceKey};

/// The directory of the journal.
pub(super) const INDEX: &str = "_index";

/// The journal.
pub(super) const JOURNAL: &str = "_index/journal.bin";

/// The journal that is being written.
pub(super) const JOURNAL_NEW: &str = "_index/journal.new";

/// A journal that could not be read.
pub(super) const JOURNAL_DAMAGED: &str = "_index/journal.damaged";

/// The lock's file.
pub(super) const LOCK: &str = "lock";

/// The smallest and the largest data file that a place may ask for, as powers of two. A journal may say anything.
const FILE_BITS: core::ops::RangeInclusive<u8> = 12..=40;

/// How much of a resource goes into one file.
pub(super) fn file_bytes(place: Place) -> u64 {
    1 << place.file_bits.clamp(*FILE_BITS.start(), *FILE_BITS.end())
}

/// The directory of an asset.
pub(super) fn asset_dir(asset: Key) -> String {
    asset.to_string()
}

/// The file of a chunk.
pub(super) fn data_path(place: Place, chunk: u64) -> String {
    let Place { key, generation, .. } = place;
    format!("{}/{}", asset_dir(key.asset), DataName { name: key.name, generation, chunk })
}

/// The name of a data file inside its asset's directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DataName {
    pub(super) name: Key,
    pub(super) generation: Generation,
    pub(super) chunk: u64,
}

impl DataName {
    /// Whether it is a file of that place.
    pub(super) fn is_of(&self, place: Place) -> bool {
        self.name == place.key.name && self.generation == place.generation
    }

    /// Whose it is.
    pub(super) fn owner(&self, asset: Key) -> (ResourceKey, Generation) {
        (ResourceKey { asset, name: self.name }, self.generation)
    }
}

impl core::fmt::Display for DataName {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}-{:016x}.{}", self.name, self.generation.0, self.chunk)
    }
}

/// That it is a file of somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotOurs;

impl FromStr for DataName {
    type Err = NotOurs;

    /// Takes exactly what [`DataName`] is written as: one name, one way to write it.
    fn from_str(text: &str) -> Result<Self, NotOurs> {
        let (name, rest) = text.split_once('-').ok_or(NotOurs)?;
        let (generation, chunk) = rest.split_once('.').ok_or(NotOurs)?;
        let parsed = Self {
            name: name.parse().map_err(|_| NotOurs)?,
            generation: Generation(u64::from_str_radix(generation, 16).map_err(|_| NotOurs)?),
            chunk: chunk.parse().map_err(|_| NotOurs)?,
        };
        if parsed.to_string() == text { Ok(parsed) } else { Err(NotOurs) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        let key = ResourceKey { asset: Key([0xab; 20]), name: Key([0x01; 20]) };
        Place { key, generation: Generation(0x1_0000_00ff), file_bits: 24 }
    }

    #[test]
    fn a_name_says_whose_and_where() {
        let path = data_path(place(), 12);
        let (asset, name) = path.split_once('/').unwrap();
        assert_eq!(asset, "ab".repeat(20));
        assert_eq!(name, format!("{}-00000001000000ff.12", "01".repeat(20)));
        let parsed: DataName = name.parse().unwrap();
        assert!(parsed.is_of(place()));
        assert_eq!(parsed.owner(place().key.asset), (place().key, place().generation));
        assert_eq!((parsed.chunk, parsed.to_string()), (12, name.to_owned()));
        let other = Place { generation: Generation(2), ..place() };
        assert!(!parsed.is_of(other));
    }

    #[test]
    fn nothing_else_is_ours() {
        let good = DataName { name: Key([1; 20]), generation: Generation(255), chunk: 3 };
        let good = good.to_string();
        assert!(good.parse::<DataName>().is_ok());
        for bad in [
            String::new(),
            "lock".into(),
            "journal.bin".into(),
            good.to_uppercase(),
            good.replace(".3", ".03"),
            good.replace(".3", ".+3"),
            good.replace(".3", "."),
            good.replace(".3", ".99999999999999999999"),
            good.replace(".3", ".3.tmp"),
            good.replace("-0000", "-000"),
            good.replace("-0", "-+"),
            format!("{good} "),
            format!("x{good}"),
            good[1..].to_owned(),
            format!("../{good}"),
        ] {
            assert_eq!(bad.parse::<DataName>(), Err(NotOurs), "{bad}");
        }
    }

    #[test]
    fn an_absurd_file_size_is_bounded() {
        let of = |file_bits| file_bytes(Place { file_bits, ..place() });
        assert_eq!((of(0), of(24), of(255)), (4096, 16 << 20, 1 << 40));
    }
}
