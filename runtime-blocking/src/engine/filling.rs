//! A track without a reader: to have its bytes in the cache, or to check those that are there.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use infill_core::catalog::{Key, Listing};
use infill_core::{Cause, Command, Error, Intent, OpenOptions, SourceSpec};
use url::Url;

use super::What;
use super::hub::Hub;
use super::reader::{Access, Reader};
use super::ticket::Ticket;
use super::track::Track;
use crate::handle::StreamHandle;
use crate::source::{Place, Renew, Source};

/// The identity of what a source names.
pub fn identity(source: &Source) -> Result<Key, Error> {
    let url = remote(source)?;
    Ok(source.spec(url)?.identity())
}

fn remote(source: &Source) -> Result<&Url, Error> {
    match source.place() {
        Place::Remote(url) => Ok(url),
        Place::Nowhere(error) => Err(error.clone()),
        Place::Local(path) => {
            let path = path.display();
            let what = format!("a local file needs no cache: open {path} instead");
            Err(Cause::Unsupported(what).into())
        }
    }
}

impl Hub {
    /// Begins to fetch a source into the cache. What can't begin says so when it is polled.
    pub fn fill(self: &Arc<Self>, source: &Source, intent: Intent) -> Filling {
        let options = OpenOptions { intent, ..OpenOptions::default() };
        self.try_fill(source, options).unwrap_or_else(|error| Filling {
            reader: Reader::new(self.link(Track::failed(self.next_track(), error)), 0, ACCESS),
            asset: None,
            pin: None,
        })
    }

    /// Begins to check what is stored of an asset that was listed. Gives its size, too.
    pub fn verify(
        self: &Arc<Self>,
        listed: &[Listing],
        asset: Key,
    ) -> Result<(Filling, u64), Error> {
        let listing = listed.iter().find(|listing| listing.asset == asset).ok_or_else(|| {
            let what = format!("nothing in the cache has the key {asset}: see its list");
            Error::new(Cause::Caller(what))
        })?;
        let url = Url::parse(&listing.label).map_err(|error| {
            let what = format!("the cache says that {asset} came from no URL: remove it");
            Error::new(Cause::Store(what)).with_source(error)
        })?;
        let headers = [].into();
        let spec = SourceSpec { url, cache_key: None, headers, renewable: false, slice: None };
        let intent = Intent::Verify;
        let options = OpenOptions { intent, asset: Some(asset), ..OpenOptions::default() };
        Ok((self.begin(spec, options, None, asset), listing.stored))
    }

    fn try_fill(self: &Arc<Self>, source: &Source, options: OpenOptions) -> Result<Filling, Error> {
        if !self.has_cache() {
            let what = "downloads need a cache: give the client's builder a `cache_dir`";
            return Err(Cause::Unsupported(what.into()).into());
        }
        let spec = source.spec(remote(source)?)?;
        let asset = spec.identity();
        Ok(self.begin(spec, options, source.take_renew(), asset))
    }

    fn begin(
        self: &Arc<Self>,
        spec: SourceSpec,
        options: OpenOptions,
        renew: Option<Renew>,
        asset: Key,
    ) -> Filling {
        let track = self.order(spec, What::File(options), renew);
        Filling { reader: Reader::new(self.link(track), 0, ACCESS), asset: Some(asset), pin: None }
    }
}

/// Nothing is read: any will do.
const ACCESS: Access = Access::Inline;

/// A track that is being filled or verified. Dropping it closes the track; what is in the cache stays.
pub struct Filling {
    /// Never attached: it is what keeps the track open, and what a handle looks at.
    reader: Reader,
    asset: Option<Key>,
    pin: Option<Ticket>,
}

impl Filling {
    /// Pins what is filled.
    pub fn pin(&mut self) {
        if let Some(asset) = self.asset {
            self.pin = Some(self.reader.hub().command(Command::Pin(asset)));
        }
    }

    /// A handle.
    pub fn handle(&self) -> StreamHandle {
        StreamHandle::of(&self.reader)
    }

    /// Ready once all that was wanted is there, and the pin set.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        ready!(self.reader.track().poll_filled(cx.waker()))?;
        match &mut self.pin {
            Some(ticket) => ticket.poll(cx).map(|answer| answer.map(drop)),
            None => Poll::Ready(Ok(())),
        }
    }

    /// How many bytes can be read.
    pub fn present(&self) -> u64 {
        let resource = self.reader.resource();
        resource.map_or(0, |resource| resource.with_view(|view| view.present().len()))
    }
}
