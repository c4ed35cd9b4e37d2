//! What a track is given to work with: the time, the settings, and the tables that all tracks share.

use fastrand::Rng;

use crate::cache::Cache;
use crate::out::Out;
use crate::slots::Slots;
use crate::space::Spaces;
use crate::{Config, Instant};

/// Lent to a track while it handles an event.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) now: Instant,
    pub(crate) config: &'a Config,
    pub(crate) out: &'a mut Out,
    pub(crate) slots: &'a mut Slots,
    pub(crate) spaces: &'a mut Spaces,
    pub(crate) cache: &'a mut Cache,
    pub(crate) rng: &'a mut Rng,
}
