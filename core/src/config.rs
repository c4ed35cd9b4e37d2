//! What can be set, with its unit and the reason for its default.

use core::time::Duration;

/// Whether the origin is asked if a file that is in the cache is still the same, when it is opened.
///
/// A file of which a part is missing is compared with the first answer in any case, before old and new bytes meet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Revalidate {
    /// Never: what is complete is read without any request.
    #[default]
    Never,
    /// Always: opening waits for the origin's answer. Where it gives none, what is stored is read.
    Always,
}

/// What a record in the cache's journal says of the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// The bytes were handed to the system. A killed process loses nothing of it, a power cut may.
    #[default]
    Fast,
    /// The bytes were on the disk first, and the record is soon: once a second.
    Flush,
}

/// The settings of presentations. Start from `HlsConfig::default()` and change what you must.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HlsConfig {
    /// How far ahead of its reader a presentation is fetched. `None` is what the store allows: three minutes on the disk,
    /// one in memory. Reading ahead is what keeps stalls away, more than any choice of variants.
    pub read_ahead: Option<Duration>,
    /// The same in bytes, whichever is reached first.
    pub read_ahead_bytes: u64,
    /// The largest playlist, in bytes.
    pub max_playlist_bytes: u64,
    /// The most segments that a playlist may have.
    pub max_segments: usize,
    /// The most variants and renditions, each.
    pub max_variants: usize,
    /// The longest URL, in bytes.
    pub max_url_bytes: usize,
    /// The largest Media Initialization Section, in bytes.
    pub max_init_bytes: u64,
    /// Each segment has `2^stride_bits` virtual bytes: the largest segment that there may be.
    pub stride_bits: u32,
}

impl Default for HlsConfig {
    fn default() -> Self {
        Self {
            read_ahead: None,
            read_ahead_bytes: 32 << 20,
            max_playlist_bytes: 32 << 20,
            max_segments: 200_000,
            max_variants: 1_000,
            max_url_bytes: 16 << 10,
            max_init_bytes: 1 << 20,
            stride_bits: 32,
        }
    }
}

/// The settings of a [`Machine`](crate::Machine). Start from `Config::default()` and change what you must.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// Connections per file. Two: one that drains, one that seeks or reads the tail.
    pub connections_per_file: usize,
    /// Connections per host: what browsers allow themselves over HTTP/1.1.
    pub connections_per_host: usize,
    /// Connections of the whole machine.
    pub connections: usize,
    /// Cancelled requests of one file that have not reported their end yet. Past it a new request waits, so that
    /// scrubbing can't pile up connects.
    pub max_stopping: usize,
    /// Bytes of one fetch that may be read from the network before the store has written them. At least 4 KiB.
    pub fetch_credit_bytes: u32,
    /// How far ahead of its readers a file is fetched; `None` drains all of it, at the speed of the network.
    pub read_ahead_bytes: Option<u64>,
    /// The largest range that one request asks for; `None` asks to the end of the hole (FAULTS A25).
    pub max_request_bytes: Option<u64>,
    /// What the store can hold, over all tracks. At its bound a drain becomes a window.
    pub store_limit_bytes: Option<u64>,
    /// The unit in which the store gives space back, at least 4 KiB. Ranges are retracted in whole units.
    pub store_block_bytes: u64,
    /// What the cache may take of the disk, over all assets, its journal included; `None` is as much as there is. It may
    /// be exceeded for a moment, by what was given back and is not yet deleted.
    pub cache_limit_bytes: Option<u64>,
    /// Whether the origin is asked again for what is in the cache.
    pub revalidate: Revalidate,
    /// What a record says of the disk.
    pub durability: Durability,
    /// How old written bytes become before a record names them: what a killed process loses, if it is less than a
    /// block.
    pub seal_after: Duration,
    /// How often the disk is asked whether it has kept what was written (FAULTS D6).
    pub sync_every: Duration,
    /// How long the cache is left alone after the disk has refused to write.
    pub disk_retry: Duration,
    /// How long a wait lasts without progress before it ends with its last cause.
    pub give_up_after: Duration,
    /// How long a connect may take, TLS included.
    pub connect_timeout: Duration,
    /// How long an origin may take to its response head, connect included.
    pub head_timeout: Duration,
    /// How long a wanted body may stay silent (FAULTS B8; B9 says why not less).
    pub stall_timeout: Duration,
    /// Over how long [`Config::min_progress_bytes`] is measured (FAULTS B10).
    pub min_progress_window: Duration,
    /// What a body must deliver in each [`Config::min_progress_window`] while it is waited for.
    pub min_progress_bytes: u64,
    /// The wait before the first retry that had no progress; doubled for each further one.
    pub backoff_min: Duration,
    /// The longest wait between two retries, `Retry-After` included.
    pub backoff_max: Duration,
    /// How often one failure may ask the embedder for a fresh URL (FAULTS B23).
    pub max_renewals: u32,
    /// How many bytes before a hole are asked for again, to compare, where the origin has no usable validator
    /// (FAULTS A10, A11).
    pub overlap_bytes: u64,
    /// Bytes per second assumed before anything was measured.
    pub prior_bandwidth: u64,
    /// What a new request is assumed to cost before anything was measured.
    pub prior_reconnect: Duration,
    /// For presentations.
    pub hls: HlsConfig,
    /// The seed of the jitter in backoff: the only randomness there is.
    pub seed: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            connections_per_file: 2,
            connections_per_host: 6,
            connections: 64,
            max_stopping: 2,
            fetch_credit_bytes: 512 * 1024,
            read_ahead_bytes: None,
            max_request_bytes: None,
            store_limit_bytes: None,
            store_block_bytes: 64 * 1024,
            cache_limit_bytes: None,
            revalidate: Revalidate::Never,
            durability: Durability::Fast,
            seal_after: Duration::from_secs(1),
            sync_every: Duration::from_secs(5),
            disk_retry: Duration::from_secs(30),
            give_up_after: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(10),
            head_timeout: Duration::from_secs(20),
            stall_timeout: Duration::from_secs(10),
            min_progress_window: Duration::from_secs(20),
            min_progress_bytes: 1024,
            backoff_min: Duration::from_millis(200),
            backoff_max: Duration::from_secs(60),
            max_renewals: 2,
            overlap_bytes: 4096,
            prior_bandwidth: 1024 * 1024,
            prior_reconnect: Duration::from_millis(150),
            hls: HlsConfig::default(),
            seed: 0,
        }
    }
}
