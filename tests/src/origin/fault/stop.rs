//! Where the answer ends too early, and how: rows B1, B3, B6-B8. Positions count the bytes of this body or head.

use crate::origin::{
    reply::{Reply, Stop, StopHow},
    rule::Injection,
};

/// An early end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopFault {
    /// In the head, after so many of its bytes; 0 is before it.
    Head(u64, Ending),
    /// In the body, after so many of its bytes.
    Body(u64, Ending),
    /// Chunks end properly after so many bytes of the body.
    EndChunks(u64),
}

/// How it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By a FIN.
    Cut,
    /// By a RST.
    Reset,
    /// Not at all: nothing comes.
    Stall,
}

impl StopFault {
    pub(super) fn apply(self, reply: &mut Reply) {
        match self {
            Self::Head(at, ending) => {
                reply.script.head_stop = Some(Stop { at, how: ending.how() });
            }
            Self::Body(at, ending) => {
                reply.script.stop = Some(Stop { at, how: ending.how() });
            }
            Self::EndChunks(at) => {
                reply.script.stop = Some(Stop { at, how: StopHow::ValidEnd });
            }
        }
    }
}

impl Ending {
    fn how(self) -> StopHow {
        match self {
            Self::Cut => StopHow::Fin,
            Self::Reset => StopHow::Reset,
            Self::Stall => StopHow::Freeze,
        }
    }
}

/// Early ends. One that lies beyond the body does nothing.
impl Injection<'_> {
    /// B1: a FIN after `k` bytes of the body.
    pub fn cut_at(self, k: u64) -> Self {
        self.fault(StopFault::Body(k, Ending::Cut))
    }

    /// B1: a FIN after `k` bytes of the head.
    pub fn cut_in_head(self, k: u64) -> Self {
        self.fault(StopFault::Head(k, Ending::Cut))
    }

    /// B1: a FIN and no answer.
    pub fn cut_before_head(self) -> Self {
        self.cut_in_head(0)
    }

    /// B7: a RST after `k` bytes of the body. What the client has not read 20 ms later may be lost.
    pub fn reset_at(self, k: u64) -> Self {
        self.fault(StopFault::Body(k, Ending::Reset))
    }

    /// B7: a RST and no answer.
    pub fn reset_before_head(self) -> Self {
        self.fault(StopFault::Head(0, Ending::Reset))
    }

    /// B8: nothing more after `k` bytes of the body, until the client leaves.
    pub fn stall_at(self, k: u64) -> Self {
        self.fault(StopFault::Body(k, Ending::Stall))
    }

    /// B8: nothing more after `k` bytes of the head.
    pub fn stall_in_head(self, k: u64) -> Self {
        self.fault(StopFault::Head(k, Ending::Stall))
    }

    /// B8: no answer.
    pub fn stall_before_head(self) -> Self {
        self.stall_in_head(0)
    }

    /// B3: chunks end properly after `k` bytes of the body: a truncation that the framing hides. Goes with
    /// [`chunked`](Self::chunked).
    pub fn end_chunks_at(self, k: u64) -> Self {
        self.fault(StopFault::EndChunks(k))
    }
}
