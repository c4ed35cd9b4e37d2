//! Writes a reply as its script says: the head, then the body in big slices or at its pace, and the end that was
//! ordered. Knows nothing of rules and resources.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    log::{Log, Outcome, Ticket},
    pace::{Bucket, Trickle, WRITE_BYTES},
    reply::{Framing, Reply, StopHow},
    wire::Wire,
};

/// What becomes of the connection after a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// It serves another request.
    Keep,
    /// It is closed.
    Close,
    /// It is closed; over TLS without `close_notify`.
    Drop,
    /// It is reset.
    Reset,
    /// It stays open, and nothing comes.
    Freeze,
}

/// How all replies of an origin are sent.
#[derive(Debug, Default)]
pub(super) struct Manners {
    /// From the end of the request to the head of the answer.
    pub(super) latency: Duration,
    /// Bytes per second of each reply.
    pub(super) rate: Option<u64>,
    /// Bytes per second of all replies together.
    pub(super) total_rate: Option<Arc<Bucket>>,
    /// Reset when the client reads nothing for as long.
    pub(super) send_timeout: Option<Duration>,
}

/// Writes `reply` and says what becomes of the connection.
pub(super) fn send(
    wire: &mut Wire,
    reply: &Reply,
    has_body: bool,
    ticket: Ticket,
    log: &Log,
    manners: &Manners,
) -> After {
    let limits = [reply.script.rate.or(manners.rate).map(|rate| Arc::new(Bucket::new(rate)))]
        .into_iter()
        .chain([manners.total_rate.clone()])
        .flatten()
        .collect();
    let timeout = reply.script.send_timeout.or(manners.send_timeout);
    let mut sender = Sender { wire, reply, ticket, log, limits };
    let end = match sender.wire.set_write_timeout(timeout) {
        Ok(()) => sender.run(has_body, manners.latency),
        Err(error) => Err(error),
    };
    let (outcome, after) = match end {
        Ok(None) => (Outcome::Complete, after_complete(reply, has_body)),
        Ok(Some(how)) => (Outcome::Injected, after_stop(reply, how)),
        Err(error) if error.kind() == io::ErrorKind::TimedOut => (Outcome::Broken, After::Reset),
        Err(_) => (Outcome::Broken, After::Drop),
    };
    log.ended(ticket, outcome);
    after
}

fn after_complete(reply: &Reply, has_body: bool) -> After {
    let announced = reply.headers.lists("Connection", "close") || reply.version != "HTTP/1.1";
    let open = reply.is_delimited(has_body) && !announced && !reply.script.close_unannounced;
    match (open, reply.script.no_close_notify) {
        (true, _) => After::Keep,
        (false, false) => After::Close,
        (false, true) => After::Drop,
    }
}

fn after_stop(reply: &Reply, how: StopHow) -> After {
    match how {
        StopHow::ValidEnd => after_complete(reply, true),
        StopHow::Fin if reply.script.no_close_notify => After::Drop,
        StopHow::Fin => After::Close,
        StopHow::Reset => After::Reset,
        StopHow::Freeze => After::Freeze,
    }
}

struct Sender<'a> {
    wire: &'a mut Wire,
    reply: &'a Reply,
    ticket: Ticket,
    log: &'a Log,
    limits: Vec<Arc<Bucket>>,
}

impl Sender<'_> {
    /// `Some` if an injection ended it.
    fn run(&mut self, has_body: bool, latency: Duration) -> io::Result<Option<StopHow>> {
        let script = &self.reply.script;
        self.wire.wait_until(self.ticket.at + latency + script.latency)?;
        for status in &script.interim {
            let line = format!("HTTP/1.1 {status} Interim\r\nX-Interim: yes\r\n\r\n");
            self.write(line.as_bytes())?;
        }
        if let Some(how) = self.head()? {
            return Ok(Some(how));
        }
        if !has_body {
            return Ok(None);
        }
        self.body()
    }

    fn head(&mut self) -> io::Result<Option<StopHow>> {
        let head = self.reply.head();
        let stop = self.reply.script.head_stop.filter(|stop| stop.at < head.len() as u64);
        let part = &head[..stop.map_or(head.len(), |stop| stop.at as usize)];
        if stop.is_none_or(|stop| stop.at > 0) {
            self.log.answered(self.ticket, self.reply.status);
        }
        match self.reply.script.head_trickle {
            None => self.write(part)?,
            Some(trickle) => {
                for piece in part.chunks(trickle.bytes.max(1) as usize) {
                    self.write(piece)?;
                    self.wire.wait_until(Instant::now() + trickle.every)?;
                }
            }
        }
        Ok(stop.map(|stop| stop.how))
    }

    fn body(&mut self) -> io::Result<Option<StopHow>> {
        let reply = self.reply;
        let length = reply.body.len();
        // A stop at the very end matters too: to chunks it takes the last chunk, to a stall the end of the message.
        let stop = reply.script.stop.filter(|stop| stop.at <= length);
        let end = stop.map_or(length, |stop| stop.at);
        let mut pauses = reply.script.pauses.iter().peekable();
        let mut at = 0;
        loop {
            while let Some((_, rest)) = pauses.next_if(|(place, _)| *place <= at) {
                self.wire.wait_until(Instant::now() + *rest)?;
            }
            if at >= end {
                break;
            }
            let until = pauses.peek().map_or(end, |(place, _)| (*place).min(end));
            at += self.piece(at, until)?;
        }
        let ends_well = stop.is_none_or(|stop| stop.how == StopHow::ValidEnd);
        if ends_well && matches!(reply.framing, Framing::Chunked(_)) {
            self.write(b"0\r\n\r\n")?;
        }
        Ok(stop.map(|stop| stop.how))
    }

    /// Sends the next piece of the body, before `until`, when its pace allows. Returns its length.
    fn piece(&mut self, at: u64, until: u64) -> io::Result<u64> {
        let trickle = self.reply.script.trickle.as_ref();
        let (until, trickle) = match trickle {
            Some((from, _)) if at < *from => (until.min(*from), None),
            Some((_, trickle)) => (until, Some(*trickle)),
            None => (until, None),
        };
        let mut max = WRITE_BYTES.min(until - at);
        for limit in &self.limits {
            max = max.min(limit.piece_bytes());
        }
        if let Framing::Chunked(size) = self.reply.framing {
            max = max.min(size.max(1));
        }
        if let Some(Trickle { bytes, .. }) = trickle {
            max = max.min(bytes.max(1));
        }
        let piece = self.reply.body.piece(at, max);
        let length = piece.len() as u64;
        let now = Instant::now();
        let due = self.limits.iter().map(|limit| limit.reserve(now, length)).max();
        if let Some(due) = due.filter(|due| *due > now) {
            self.wire.wait_until(due)?;
        }
        match self.reply.framing {
            Framing::Chunked(_) => {
                self.write(format!("{length:x}\r\n").as_bytes())?;
                self.write_counted(&piece)?;
                self.write(b"\r\n")?;
            }
            Framing::Length | Framing::Close => self.write_counted(&piece)?,
        }
        if let Some(Trickle { every, .. }) = trickle {
            self.wire.wait_until(Instant::now() + every)?;
        }
        Ok(length)
    }

    fn write_counted(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.log.sending(self.ticket, bytes.len() as u64);
        self.wire.write(bytes).map_err(|(written, error)| {
            self.log.unsent(self.ticket, bytes.len() as u64 - written);
            error
        })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.wire.write(bytes).map_err(|(_, error)| error)
    }
}
