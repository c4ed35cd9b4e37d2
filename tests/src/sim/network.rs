//! The network: one connection for each request, one link that all share. It never delivers more than was granted,
//! and tells the machine nothing after a request's last event.

use std::collections::BTreeMap;
use std::time::Duration;

use infill_core::http::FetchRequest;
use infill_core::{Event, FailureKind, FetchFailure, FetchId, Instant};

use super::fault::Fault;
use super::origin::{Answer, End, Origins, Reply};
use super::plan::NetworkPlan;
use super::stage::{Happening, Stage};

/// A step of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NetStep {
    /// The request is at the origin.
    Arrive,
    /// The head of the answer is here.
    Head,
    /// So many bytes of the body are here.
    Chunk(u64),
    /// The body is over.
    End,
    /// The connection fails.
    Fail(FailureKind),
    /// Nobody read for a while; void if somebody did.
    Idle {
        /// What had been sent by then.
        sent: u64,
    },
    /// A stopped request has stopped.
    Stopped,
}

/// All connections.
#[derive(Debug)]
pub(super) struct Network {
    plan: NetworkPlan,
    connections: BTreeMap<FetchId, Connection>,
    /// When the link is free again.
    free_at: Instant,
    away: bool,
}

#[derive(Debug)]
struct Connection {
    request: Box<FetchRequest>,
    reply: Option<Reply>,
    sent: u64,
    credit: u64,
    /// Has bytes to deliver and may not.
    parked: bool,
    /// Nothing more comes of it by itself.
    silent: bool,
    stopping: bool,
    /// Goes on until it has stopped.
    late: bool,
}

impl Network {
    pub(super) fn new(plan: NetworkPlan) -> Self {
        Self { plan, connections: BTreeMap::new(), free_at: Instant::ZERO, away: false }
    }

    /// Makes a request.
    pub(super) fn start(&mut self, stage: &mut Stage, request: Box<FetchRequest>) {
        let fetch = request.fetch;
        let connection = Connection {
            credit: u64::from(request.credit),
            request,
            reply: None,
            sent: 0,
            parked: false,
            silent: false,
            stopping: false,
            late: false,
        };
        self.connections.insert(fetch, connection);
        let latency = self.latency(stage);
        stage.after(latency, Happening::Net(fetch, NetStep::Arrive));
    }

    /// Stops a request, some time from now.
    pub(super) fn cancel(&mut self, stage: &mut Stage, fetch: FetchId) {
        let Some(connection) = self.connections.get_mut(&fetch) else {
            return;
        };
        connection.stopping = true;
        connection.late = stage.chance(self.plan.late_bytes);
        let delay = stage.between(Duration::ZERO, self.plan.stop_latency);
        stage.after(delay, Happening::Net(fetch, NetStep::Stopped));
    }

    /// Lets a request deliver more.
    pub(super) fn grant(&mut self, stage: &mut Stage, fetch: FetchId, bytes: u32) {
        if let Some(connection) = self.connections.get_mut(&fetch) {
            connection.credit += u64::from(bytes);
            if connection.parked {
                self.pump(stage, fetch);
            }
        }
    }

    /// The network goes away: what runs falls silent or breaks.
    pub(super) fn go_away(&mut self, stage: &mut Stage) {
        self.away = true;
        let breaks = stage.rng.bool();
        for (fetch, connection) in &mut self.connections {
            if breaks {
                stage.after(
                    Duration::from_millis(1),
                    Happening::Net(*fetch, NetStep::Fail(FailureKind::Reset)),
                );
            } else {
                connection.silent = true;
            }
        }
    }

    /// The network is back; old connections are not.
    pub(super) fn come_back(&mut self) {
        self.away = false;
    }

    /// Whether it is away.
    pub(super) fn is_away(&self) -> bool {
        self.away
    }

    /// Old connections are dead: another network is in use.
    pub(super) fn forget_connections(&mut self) {
        for connection in self.connections.values_mut() {
            connection.silent = true;
        }
    }

    /// The process is gone, and its connections with it.
    pub(super) fn restart(&mut self) {
        self.connections.clear();
    }

    /// Whether no request is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.connections.is_empty()
    }

    /// Goes on with a connection; what the machine is told of it.
    pub(super) fn step(
        &mut self,
        stage: &mut Stage,
        origins: &mut Origins,
        fetch: FetchId,
        step: NetStep,
    ) -> Option<Event> {
        let connection = self.connections.get_mut(&fetch)?;
        if step == NetStep::Stopped {
            return Some(self.fail(fetch, FailureKind::Stopped));
        }
        let ignores = connection.silent || (connection.stopping && !connection.late);
        if ignores {
            return None;
        }
        match step {
            NetStep::Arrive => self.arrive(stage, origins, fetch),
            NetStep::Head => {
                let head = Box::new(connection.reply.as_ref()?.head());
                self.pump(stage, fetch);
                Some(Event::ResponseStarted { fetch, head })
            }
            NetStep::Chunk(length) => {
                let reply = connection.reply.as_ref()?;
                let (start, end) = (connection.sent as usize, (connection.sent + length) as usize);
                let bytes = reply.body.slice(start..end);
                connection.sent += length;
                self.pump(stage, fetch);
                Some(Event::BytesReceived { fetch, bytes })
            }
            NetStep::End => match connection.reply.as_ref()?.end {
                End::Silent => {
                    connection.silent = true;
                    None
                }
                End::Failed(kind) => Some(self.fail(fetch, kind)),
                End::Regular => {
                    self.connections.remove(&fetch);
                    Some(Event::StreamEnded { fetch })
                }
            },
            NetStep::Idle { sent } if connection.parked && connection.sent == sent => {
                stage.injected(Fault::IdleClose);
                Some(self.fail(fetch, FailureKind::Reset))
            }
            NetStep::Idle { .. } => None,
            NetStep::Fail(kind) => Some(self.fail(fetch, kind)),
            NetStep::Stopped => unreachable!("handled above"),
        }
    }

    fn arrive(
        &mut self,
        stage: &mut Stage,
        origins: &mut Origins,
        fetch: FetchId,
    ) -> Option<Event> {
        let latency = self.latency(stage);
        let connection = self.connections.get_mut(&fetch)?;
        if self.away {
            if stage.rng.bool() {
                connection.silent = true;
                return None;
            }
            let step = NetStep::Fail(FailureKind::Connect);
            stage.after(latency, Happening::Net(fetch, step));
            return None;
        }
        match origins.answer(stage, &connection.request) {
            Answer::Silent => connection.silent = true,
            Answer::Failed(kind) => {
                stage.after(latency, Happening::Net(fetch, NetStep::Fail(kind)));
            }
            Answer::Reply(reply) => {
                connection.reply = Some(reply);
                stage.after(latency, Happening::Net(fetch, NetStep::Head));
            }
        }
        None
    }

    /// Schedules the next piece of a body, or its end, or nothing while there is no credit.
    fn pump(&mut self, stage: &mut Stage, fetch: FetchId) {
        let connection = self.connections.get_mut(&fetch).expect("called for a live connection");
        let Some(reply) = &connection.reply else {
            return;
        };
        connection.parked = false;
        let left = reply.body.len() as u64 - connection.sent;
        if left == 0 {
            stage.after(Duration::from_micros(50), Happening::Net(fetch, NetStep::End));
            return;
        }
        let slow = reply.slow.filter(|slow| slow.from <= connection.sent);
        let chunk = match slow {
            Some(slow) => slow.bytes,
            None => stage.rng.u64(1..=self.plan.chunk_max),
        };
        let chunk = chunk.min(left).min(connection.credit);
        if chunk == 0 {
            connection.parked = true;
            if let (Some(after), false) = (self.plan.idle_close, stage.healed) {
                let sent = connection.sent;
                stage.after(after, Happening::Net(fetch, NetStep::Idle { sent }));
            }
            return;
        }
        connection.credit -= chunk;
        let wire = Duration::from_nanos(chunk * 1_000_000_000 / self.plan.bandwidth);
        self.free_at = self.free_at.max(stage.now) + wire;
        let at = match slow {
            Some(slow) => stage.now + slow.every,
            None => self.free_at,
        };
        stage.at(at, Happening::Net(fetch, NetStep::Chunk(chunk)));
    }

    fn fail(&mut self, fetch: FetchId, kind: FailureKind) -> Event {
        self.connections.remove(&fetch);
        let detail = match kind {
            FailureKind::Stopped => "stopped",
            _ => "simulated",
        };
        Event::FetchFailed { fetch, failure: FetchFailure::new(kind, detail) }
    }

    fn latency(&self, stage: &mut Stage) -> Duration {
        let (low, high) = self.plan.latency;
        stage.between(low, high)
    }
}
