//! What is left when the power was cut: what was synced, and an arbitrary part of the rest.
//!
//! A write survives block by block: each one is there, or is what it was, or is zero where the file has grown. A file
//! may have grown though nothing of what it grew by is there. A change of names happened or didn't; a rename never
//! tears. Bytes that were synced stay, also beside those that are lost.

use fastrand::Rng;

use super::log::{Edit, Log, grow, write};
use super::tree::{FileId, Tree};

/// How much of what was not synced gets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mercy {
    /// Chances in 256 of a block.
    pub data: u32,
    /// Chances in 256 of a change of names.
    pub names: u32,
    /// Whether changes of names are kept in order, as file systems with a journal do: the first ones, and no later.
    pub ordered: bool,
    /// Chances in 256 that a block that is lost is zero, where it need not be.
    pub zero: u32,
    /// What survives as a whole, in bytes; 1 tears anywhere.
    pub block: usize,
}

impl Mercy {
    /// All of it.
    pub const ALL: Self = Self { data: 256, names: 256, ordered: true, zero: 0, block: 4096 };

    /// Nothing.
    pub const NONE: Self = Self { data: 0, names: 0, ordered: true, zero: 0, block: 4096 };

    /// Some kind or other.
    pub fn draw(rng: &mut Rng) -> Self {
        let chances = [0, 16, 128, 128, 240, 256];
        Self {
            data: chances[rng.usize(0..chances.len())],
            names: chances[rng.usize(0..chances.len())],
            ordered: rng.bool(),
            zero: [0, 0, 64, 256][rng.usize(0..4)],
            block: [4096, 512, 512, 1][rng.usize(0..4)],
        }
    }

    fn gets_through(in_256: u32, rng: &mut Rng) -> bool {
        rng.u32(0..256) < in_256
    }
}

/// The image after a cut.
pub(super) fn image(durable: &Tree, log: &Log, mercy: Mercy, rng: &mut Rng) -> Tree {
    let mut tree = durable.clone();
    let mut lengths: Vec<(FileId, usize)> = Vec::new();
    for (file, edit) in log.edits() {
        let before = tree.bytes(*file).len();
        match edit {
            Edit::Write { offset, bytes } => {
                write_some(tree.bytes_mut(*file), *offset as usize, bytes, mercy, rng);
                lengths.push((*file, *offset as usize + bytes.len()));
            }
            Edit::Grow { len } => lengths.push((*file, *len as usize)),
            Edit::Truncate { .. } => {
                if Mercy::gets_through(mercy.data, rng) {
                    edit.apply(tree.bytes_mut(*file));
                }
                lengths.push((*file, before));
            }
        }
    }
    // The length that some write gave, though perhaps nothing of that write is there.
    for (file, len) in lengths {
        if Mercy::gets_through(mercy.data / 8, rng) {
            grow(tree.bytes_mut(file), len);
        }
    }
    for edit in log.names() {
        if Mercy::gets_through(mercy.names, rng) {
            edit.apply(&mut tree);
        } else if mercy.ordered {
            break;
        }
    }
    tree.forget_unreachable();
    tree
}

/// Writes those blocks that get through.
fn write_some(old: &mut Vec<u8>, offset: usize, new: &[u8], mercy: Mercy, rng: &mut Rng) {
    let durable_len = old.len();
    for (start, end) in blocks(offset, new.len(), mercy.block, rng) {
        let part = &new[start - offset..end - offset];
        if Mercy::gets_through(mercy.data, rng) {
            write(old, start, part);
        } else if start >= durable_len.min(old.len()) && Mercy::gets_through(mercy.zero, rng) {
            // The file has grown, and the block has not come.
            write(old, start, &vec![0; part.len()]);
        }
    }
}

/// What of a write survives or is lost as a whole.
fn blocks(offset: usize, len: usize, block: usize, rng: &mut Rng) -> Vec<(usize, usize)> {
    let end = offset + len;
    if block == 1 {
        let cut = offset + rng.usize(0..=len);
        return [(offset, cut), (cut, end)].into_iter().filter(|(from, to)| from < to).collect();
    }
    let mut blocks = Vec::new();
    let mut at = offset;
    while at < end {
        let next = (at - at % block + block).min(end);
        blocks.push((at, next));
        at = next;
    }
    blocks
}

/// Loses some blocks that were written and acknowledged, in a disk that has power.
pub(super) fn lose(live: &mut Tree, durable: &Tree, log: &mut Log, rng: &mut Rng) {
    for index in (0..log.edits().len()).rev() {
        let (file, edit) = &log.edits()[index];
        let Edit::Write { offset, bytes } = edit else {
            continue;
        };
        if rng.bool() {
            continue;
        }
        let (file, offset, len) = (*file, *offset as usize, bytes.len());
        let zero = rng.bool();
        revert(live, durable, file, (offset, len), zero);
        log.drop_edit(index);
        log.edit(file, Edit::Grow { len: (offset + len) as u64 });
    }
}

/// Puts what is durable, or zeros, in the place of written bytes; the length stays.
pub(super) fn revert(
    live: &mut Tree,
    durable: &Tree,
    file: FileId,
    (offset, len): (usize, usize),
    zero: bool,
) {
    let kept = durable.bytes(file);
    let bytes = live.bytes_mut(file);
    let end = (offset + len).min(bytes.len());
    for (at, byte) in bytes.iter_mut().enumerate().take(end).skip(offset) {
        *byte = kept.get(at).copied().filter(|_| !zero).unwrap_or(0);
    }
}
