//! What is in the cache, for people.

use super::{Catalog, Download, Generation, Key, Place, ResourceKey};

/// One asset, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listing {
    /// Its key.
    pub asset: Key,
    /// Where it came from, without what may be secret.
    pub label: String,
    /// How long its resources are, if that is known of all.
    pub total: Option<u64>,
    /// How much is stored.
    pub stored: u64,
    /// Whether all of it was there, verified.
    pub complete: bool,
    /// Whether it is pinned.
    pub pinned: bool,
    /// Whether it is open now.
    pub open: bool,
    /// How recently it was used: a higher number is later.
    pub used: u64,
}

impl Catalog {
    /// What is stored, by asset. Which of them are open, the machine knows.
    pub fn listing(&self) -> Vec<Listing> {
        let mut list: Vec<(Generation, Listing)> = Vec::new();
        for download in self.downloads.iter() {
            let Place { key: ResourceKey { asset, .. }, generation, .. } = download.place();
            // The last one, unless two assets begin alike.
            let alike = |(_, last): &&mut (_, Listing)| last.asset.prefix() == asset.prefix();
            let mut near = list.iter_mut().rev().take_while(alike);
            if let Some((begun, listing)) = near.find(|(_, listing)| listing.asset == asset) {
                listing.add(download);
                // What was opened first leads to the others: a playlist to its segments.
                if generation < *begun {
                    *begun = generation;
                    download.label().clone_into(&mut listing.label);
                }
                continue;
            }
            let listing = self.listing_of(asset, download);
            list.push((generation, listing));
        }
        list.into_iter().map(|(_, listing)| listing).collect()
    }

    fn listing_of(&self, asset: Key, first: &Download) -> Listing {
        let mut listing = Listing {
            asset,
            label: first.label().to_owned(),
            total: Some(0),
            stored: 0,
            complete: true,
            pinned: self.pins.contains(asset),
            open: false,
            used: self.lru.used(asset).unwrap_or_default(),
        };
        listing.add(first);
        listing
    }
}

impl Listing {
    fn add(&mut self, download: &Download) {
        let totals = self.total.zip(download.total());
        self.total = totals.and_then(|(sum, total)| sum.checked_add(total));
        self.stored += download.bytes();
        self.complete &= download.final_len().is_some() && download.is_whole();
    }
}
