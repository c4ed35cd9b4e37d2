//! Local files: everything is there already, so that no engine is asked.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use infill_core::{ByteRange, Cause, Change, Error, Facts, ResourceId, TrackId, TrackState};

use crate::engine::{Blob, Resource, Track};
use crate::store::positional;

/// Opens a local file as a track that is complete.
pub(crate) fn open(id: TrackId, path: &Path) -> Result<Track, Error> {
    let name = path.display().to_string();
    let wrong = |error: io::Error| {
        let what = format!("can't open {name}: {error}");
        Error::new(Cause::Caller(what)).with_source(error)
    };
    let file = File::open(path).map_err(wrong)?;
    let metadata = file.metadata().map_err(wrong)?;
    if !metadata.is_file() {
        return Err(wrong(io::Error::other("it is no regular file")));
    }
    let len = metadata.len();
    let resource = Resource::new(ResourceId(0), Some(Arc::new(LocalFile(file))));
    resource.publish(&Change::Facts(Box::new(Facts {
        total: Some(len),
        content_type: None,
        unverified: false,
    })));
    resource.publish(&Change::Present(ByteRange::new(0, len)));
    resource.commit(len);
    let track = Track::new(id, name, None);
    track.set_current(Arc::new(resource));
    track.set_state(TrackState::Complete, 0);
    track.set_opened(Ok(()));
    Ok(track)
}

struct LocalFile(File);

impl Blob for LocalFile {
    fn write_at(&self, _offset: u64, _bytes: &Bytes) -> io::Result<()> {
        Err(io::Error::from(io::ErrorKind::ReadOnlyFilesystem))
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        positional::read_full_at(&self.0, offset, buf)
    }

    fn discard(&self, _range: ByteRange) {}
}
