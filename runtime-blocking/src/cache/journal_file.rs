//! The journal as a file: read once, appended to, cut back when that fails, and put in the place of its former self.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use infill_core::catalog::{Catalog, Record, Replay};
use infill_core::journal::{BLOCK_BYTES, Encoder, Found, Header, NoHeader, Reader};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::disk::{Disk, DiskFile, DiskLock};
use super::layout::{INDEX, JOURNAL, JOURNAL_DAMAGED, JOURNAL_NEW};

/// How much of a journal is read or written at once.
const PIECE_BYTES: usize = 32 * BLOCK_BYTES;

/// After how many appends it is made sure that the journal is still there. What is written into a deleted file goes
/// nowhere, without any error.
const CHECK_EVERY: u32 = 64;

/// The journal, open.
pub(super) struct JournalFile {
    disk: Arc<dyn Disk>,
    lock: Arc<dyn DiskLock>,
    epochs: Epochs,
    open: OpenJournal,
    /// Appends since it was made sure that the file is there.
    unchecked: u32,
    /// Its name is on the disk, for certain. A process that was killed may have put it there and not got that far.
    named: bool,
    /// Why nothing is appended until a compaction.
    refused: Option<String>,
    /// For the bytes of one append; kept for the next.
    buf: Vec<u8>,
}

struct OpenJournal {
    file: Arc<dyn DiskFile>,
    identity: Option<(u64, u64)>,
    encoder: Encoder,
}

/// What opening found.
pub(super) struct Opened {
    pub(super) journal: JournalFile,
    pub(super) catalog: Catalog,
    pub(super) damage: Option<String>,
}

/// A number for each journal that is begun.
struct Epochs {
    seed: u64,
    count: u64,
}

impl Epochs {
    fn next(&mut self) -> Header {
        self.count += 1;
        Header { epoch: xxh3_64_with_seed(&self.count.to_le_bytes(), self.seed) }
    }
}

impl JournalFile {
    /// Reads the journal, or begins one. A damaged one is set aside; a newer one is an error, and left as it is.
    pub(super) fn open(
        disk: &Arc<dyn Disk>,
        lock: &Arc<dyn DiskLock>,
        entropy: u64,
    ) -> io::Result<Opened> {
        // What a compaction left that was interrupted. If it can't be deleted, the next one will say so.
        let _ = disk.remove(JOURNAL_NEW);
        let mut epochs = Epochs { seed: entropy, count: 0 };
        let mut replay = Replay::new();
        let (open, named, damage) = match read(&**disk, &mut replay)? {
            Present::Readable(open, damage) => (open, false, damage),
            Present::Missing => (begin(&**disk, epochs.next(), &[])?, true, None),
            Present::Unreadable(why) => {
                disk.rename(JOURNAL, JOURNAL_DAMAGED)?;
                let aside = disk.describe(JOURNAL_DAMAGED);
                let what = format!("{why}: it is kept as {aside}, and the cache begins empty");
                (begin(&**disk, epochs.next(), &[])?, true, Some(what))
            }
        };
        let (disk, lock) = (Arc::clone(disk), Arc::clone(lock));
        let (unchecked, refused, buf) = (0, None, Vec::new());
        let journal = Self { disk, lock, epochs, open, unchecked, named, refused, buf };
        Ok(Opened { journal, catalog: replay.finish(), damage })
    }

    /// How long it is.
    pub(super) fn len(&self) -> u64 {
        self.open.encoder.offset()
    }

    /// Appends records. After an error it is as it was, or refuses everything until it is compacted.
    pub(super) fn append(&mut self, records: &[Record], durable: bool) -> io::Result<u64> {
        if let Some(why) = &self.refused {
            return Err(io::Error::other(why.clone()));
        }
        self.unchecked += 1;
        if durable || self.unchecked >= CHECK_EVERY {
            self.check()?;
        }
        if durable && !self.named {
            sync_names(&*self.disk)?;
            self.named = true;
        }
        let before = self.len();
        self.buf.clear();
        for record in records {
            encode(&mut self.open.encoder, record, &mut self.buf);
        }
        if let Err(error) = self.open.file.write_at(before, &self.buf) {
            self.cut_back(before);
            return Err(self.error(&error));
        }
        if durable && let Err(error) = self.open.file.sync() {
            // What the disk has of the records before these is not known either, and no later sync will tell.
            self.cut_back(before);
            let error = self.error(&error);
            self.refused = Some(format!("the journal is to be written anew, for {error}"));
            return Err(error);
        }
        self.buf.shrink_to(PIECE_BYTES);
        Ok(self.len())
    }

    /// Puts a journal of these records in the place of this one. After an error this one goes on as it was.
    pub(super) fn compact(&mut self, records: &[Record]) -> io::Result<u64> {
        self.check_lock()?;
        match self.disk.identity(JOURNAL) {
            Ok(identity) if identity == self.open.identity => {}
            // Deleted under us, while we hold the lock: nobody else can have begun one.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
            Ok(_) => return Err(self.replaced()),
        }
        let open = write_new(&*self.disk, self.epochs.next(), records)
            .inspect_err(|_| drop(self.disk.remove(JOURNAL_NEW)))?;
        // From here on, whatever happens, the name leads to the new one.
        self.open = open;
        self.unchecked = 0;
        if let Err(error) = sync_names(&*self.disk) {
            self.refused = Some(format!("the journal is to be written anew, for {error}"));
            return Err(error);
        }
        (self.refused, self.named) = (None, true);
        Ok(self.len())
    }

    /// Makes sure that the journal and the lock are still ours.
    fn check(&mut self) -> io::Result<()> {
        self.unchecked = 0;
        let checked = self.check_lock().and_then(|()| match self.disk.identity(JOURNAL) {
            Ok(identity) if identity == self.open.identity => Ok(()),
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            Ok(_) | Err(_) => {
                let refusal = self.replaced();
                self.refused = Some(refusal.to_string());
                Err(refusal)
            }
        });
        if checked.is_err() {
            // The next append looks again.
            self.unchecked = CHECK_EVERY;
        }
        checked
    }

    fn check_lock(&self) -> io::Result<()> {
        super::shared::check_lock(&*self.disk, &*self.lock)
    }

    fn replaced(&self) -> io::Error {
        let path = self.disk.describe(JOURNAL);
        let what = format!("{path}: the journal was deleted or replaced while it was in use");
        io::Error::new(ErrorKind::NotFound, what)
    }

    fn error(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("{}: {error}", self.disk.describe(JOURNAL)))
    }

    fn cut_back(&mut self, len: u64) {
        self.open.encoder.reset(len);
        if let Err(error) = self.open.file.truncate(len) {
            let error = self.error(&error);
            self.refused = Some(format!("what was half written can't be cut off: {error}"));
        }
    }
}

/// What is there of a journal.
enum Present {
    Readable(OpenJournal, Option<String>),
    Missing,
    /// Why.
    Unreadable(String),
}

fn read(disk: &dyn Disk, replay: &mut Replay) -> io::Result<Present> {
    let file = match disk.open(JOURNAL, false) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Present::Missing),
        file => file?,
    };
    let path = disk.describe(JOURNAL);
    let at = |error: io::Error| io::Error::new(error.kind(), format!("{path}: {error}"));
    let mut piece = vec![0; PIECE_BYTES];
    let mut count = file.read_at(0, &mut piece).map_err(at)?;
    let header = match Header::decode(&piece[..count]) {
        Ok(header) => header,
        Err(NoHeader::Empty) => return Ok(Present::Missing),
        Err(why @ NoHeader::Damaged) => return Ok(Present::Unreadable(format!("{path}: {why}"))),
        Err(why @ NoHeader::Newer { .. }) => {
            return Err(io::Error::new(ErrorKind::Unsupported, format!("{path}: {why}")));
        }
    };
    let mut reader = Reader::new(header);
    let mut at_byte = 0;
    while count > 0 {
        for block in piece[..count].chunks(BLOCK_BYTES) {
            reader.block(block, |record| replay.apply(&record));
        }
        at_byte += count as u64;
        // A piece that is not full was the last.
        let more = count == piece.len();
        count = if more { file.read_at(at_byte, &mut piece).map_err(at)? } else { 0 };
    }
    let found = reader.finish();
    if found.end < at_byte {
        // On the disk before anything is appended: or, after a power cut, what was cut off might follow upon it.
        file.truncate(found.end).and_then(|()| file.sync()).map_err(at)?;
    }
    let identity = file.identity().map_err(at)?;
    let encoder = Encoder::at(header, found.end);
    Ok(Present::Readable(OpenJournal { file, identity, encoder }, damage(&path, found)))
}

fn damage(path: &str, found: Found) -> Option<String> {
    let blocks = found.damaged;
    (blocks > 0).then(|| {
        format!("{path}: {blocks} of its blocks of 32 KiB are damaged, and what they said is lost")
    })
}

/// A new journal where there is none.
fn begin(disk: &dyn Disk, header: Header, records: &[Record]) -> io::Result<OpenJournal> {
    let open = write_new(disk, header, records)?;
    sync_names(disk)?;
    Ok(open)
}

/// Writes a journal and gives it its name. Without the sync before it, some file systems give back an empty file after
/// a power cut.
fn write_new(disk: &dyn Disk, header: Header, records: &[Record]) -> io::Result<OpenJournal> {
    let path = disk.describe(JOURNAL_NEW);
    let at = |error: io::Error| io::Error::new(error.kind(), format!("{path}: {error}"));
    let file = disk.open(JOURNAL_NEW, true)?;
    file.truncate(0).map_err(at)?;
    let mut encoder = Encoder::new(header);
    let mut piece = header.encode().to_vec();
    let mut written = 0;
    for record in records {
        encode(&mut encoder, record, &mut piece);
        if piece.len() >= PIECE_BYTES {
            file.write_at(written, &piece).map_err(at)?;
            written += piece.len() as u64;
            piece.clear();
        }
    }
    file.write_at(written, &piece).map_err(at)?;
    file.sync().map_err(at)?;
    let identity = file.identity().map_err(at)?;
    disk.rename(JOURNAL_NEW, JOURNAL)?;
    Ok(OpenJournal { file, identity, encoder })
}

fn sync_names(disk: &dyn Disk) -> io::Result<()> {
    disk.sync_dir(INDEX)?;
    // The journal's directory may be new as well.
    disk.sync_dir("")
}

/// A record that doesn't fit is left out: no other one depends on it.
fn encode(encoder: &mut Encoder, record: &Record, out: &mut Vec<u8>) {
    if let Err(error) = encoder.append(record, out) {
        tracing::error!(%error, "the cache forgets a record");
    }
}
