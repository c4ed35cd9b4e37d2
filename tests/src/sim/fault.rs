//! The names of what can be injected, each a row of FAULTS.md, and the count of what was.

use core::fmt;

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident $row:literal,)*) => {
        /// What can be wrong with an origin, a network, a store or an embedder.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Fault {
            $($(#[$doc])* $name,)*
        }

        impl Fault {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The row of the fault catalogue, where there is one.
            pub const fn row(self) -> &'static str {
                match self { $(Self::$name => $row,)* }
            }
        }
    };
}

faults! {
    /// A range is answered by 200 and everything.
    RangeIgnored "A1",
    /// The answer begins before the byte that was asked for.
    ShiftedBack "A2",
    /// The answer begins after the byte that was asked for.
    ShiftedAhead "A2",
    /// The answer begins at 0.
    ShiftedToStart "A2",
    /// Fewer bytes than asked for, honestly said.
    ShortRange "A3",
    /// 206 without `Content-Range`.
    NoContentRange "A4",
    /// The body goes on behind its `Content-Range`.
    LongBody "A5",
    /// The range is honoured, but the status is 200.
    RangeAs200 "A6",
    /// 206 with a part, though everything was asked for.
    UnaskedRange "A7",
    /// `Content-Range` gives a total that is too large.
    WrongTotal "A8",
    /// The resource is replaced.
    Replaced "A8/A9",
    /// One answer carries another ETag for the same bytes.
    OtherEtag "A10",
    /// Every node has its own ETags.
    NodeEtags "A10",
    /// ETags are weak.
    WeakEtag "A11",
    /// `Last-Modified` is as young as the answer.
    YoungModified "A12",
    /// No validator at all.
    NoValidator "A10",
    /// `If-Range` makes no difference.
    IfRangeIgnored "A13",
    /// 416 with the total, for a range inside the resource.
    Refused416 "A14",
    /// 416 without the total.
    Refused416Bare "A15",
    /// `Content-Range: bytes a-b/*`.
    UnknownTotal "A20",
    /// `multipart/byteranges`.
    Multipart "A21",
    /// A `Content-Range` against its grammar.
    InvalidContentRange "A22",
    /// `Content-Length` is not the length of the range.
    LengthMismatch "A23",
    /// Slow after the first bytes.
    Throttled "A25",
    /// The first answers are 200, later ones 206.
    LateRanges "A28",
    /// Ranges are never honoured.
    NoRanges "A1",
    /// The body ends early.
    Cut "B1",
    /// A chunked body ends early.
    ChunkedCut "B2",
    /// A body that is ended by closing ends early.
    CloseCut "B4",
    /// No length is told: chunks.
    Chunked "B2",
    /// No length is told: the connection closes.
    CloseDelimited "B4",
    /// The connection is reset.
    Reset "B7",
    /// Nothing more comes.
    Stall "B8",
    /// No head comes.
    HeadStall "B8",
    /// Nearly nothing comes.
    Trickle "B10",
    /// The origin closes a connection that isn't read.
    IdleClose "B11",
    /// Two lengths.
    InvalidLength "B12",
    /// A coded body.
    Encoded "B13",
    /// The origin did nothing with the request.
    NotProcessed "B17",
    /// 204.
    NoContent "B18",
    /// 200 with no byte.
    EmptyBody "B18",
    /// A web page, named as one.
    Page "B19",
    /// A web page without a name.
    SniffedPage "B19",
    /// No type, or a meaningless one.
    OddType "B20",
    /// Answers come from another URL.
    Redirected "B21",
    /// 401, 403, 404 or 410.
    Denied "B22/B23",
    /// The URL expires.
    Expired "B22",
    /// The embedder can't renew an expired URL.
    NotRenewed "B23",
    /// 429 or 503 with some `Retry-After`.
    Busy "B24",
    /// 5xx, 408 or 425.
    ServerError "B25",
    /// Not HTTP.
    NotHttp "B26",
    /// ICY metadata.
    IcyMetadata "B27",
    /// No connection.
    ConnectFailed "B7",
    /// The network is away.
    Outage "B8",
    /// The network is another one.
    NetworkChanged "B8",
    /// The store is full for a while.
    StoreFull "D5",
    /// The store fails for a while.
    StoreBroken "D5",
    /// Published bytes can't be read.
    ReadFailure "D11",
    /// Events with ids that are past, and a clock that steps back.
    Stale "contract",
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?} ({})", self.row())
    }
}

/// How often each fault was injected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage(Vec<u64>);

impl Coverage {
    pub(super) fn count(&mut self, fault: Fault) {
        self.0[fault as usize] += 1;
    }

    /// Adds the counts of another session.
    pub fn add(&mut self, other: &Self) {
        for (sum, count) in self.0.iter_mut().zip(&other.0) {
            *sum += count;
        }
    }

    /// How often this one was injected.
    pub fn of(&self, fault: Fault) -> u64 {
        self.0[fault as usize]
    }

    /// What was never injected.
    pub fn missing(&self) -> Vec<Fault> {
        Fault::ALL.iter().copied().filter(|fault| self.of(*fault) == 0).collect()
    }
}

impl Default for Coverage {
    fn default() -> Self {
        Self(vec![0; Fault::ALL.len()])
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in Fault::ALL {
            writeln!(f, "{:>9}  {fault}", self.of(*fault))?;
        }
        Ok(())
    }
}
