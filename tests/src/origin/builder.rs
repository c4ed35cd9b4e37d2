//! How an origin is set up.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{Arc, Mutex},
    time::Duration,
};

use socket2::{Domain, Socket, Type};

use super::{
    Origin,
    connection::{Shared, accept},
    log::Log,
    pace::Bucket,
    rule::Rules,
    send::Manners,
    shelf::Shelf,
    shutdown::Shutdown,
    tls,
};

/// Settings of an origin: all of them manners of the whole server. What concerns single requests is a rule
/// ([`Origin::on`]).
#[derive(Clone, Debug)]
#[must_use = "an origin begins with `start`"]
pub struct OriginBuilder {
    address: SocketAddr,
    latency: Duration,
    rate: Option<u64>,
    total_rate: Option<u64>,
    tls: bool,
    idle_close: Option<Duration>,
    send_timeout: Option<Duration>,
    send_buffer: Option<usize>,
    max_connections: usize,
}

impl Default for OriginBuilder {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            latency: Duration::ZERO,
            rate: None,
            total_rate: None,
            tls: false,
            idle_close: None,
            send_timeout: None,
            send_buffer: None,
            max_connections: 2048,
        }
    }
}

impl OriginBuilder {
    /// Where it listens, instead of a free port: where an origin was before, which was dropped to make an outage.
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// From the end of each request to the head of its answer: a round trip.
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// Bytes per second of each reply.
    pub fn rate(mut self, bytes_per_second: u64) -> Self {
        self.rate = Some(bytes_per_second);
        self
    }

    /// Bytes per second of all replies together.
    pub fn total_rate(mut self, bytes_per_second: u64) -> Self {
        self.total_rate = Some(bytes_per_second);
        self
    }

    /// https, by an authority of its own: [`Origin::authority`].
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Closes a kept connection on which no request comes for as long.
    pub fn idle_close(mut self, idle: Duration) -> Self {
        self.idle_close = Some(idle);
        self
    }

    /// Resets a connection whose client reads nothing for as long.
    pub fn send_timeout(mut self, timeout: Duration) -> Self {
        self.send_timeout = Some(timeout);
        self
    }

    /// The size of the kernel's send buffer, so that bytes handed to the socket are few more than bytes received.
    pub fn send_buffer(mut self, bytes: usize) -> Self {
        self.send_buffer = Some(bytes);
        self
    }

    /// More connections than this at once are closed unserved.
    pub fn max_connections(mut self, most: usize) -> Self {
        self.max_connections = most;
        self
    }

    /// Starts it on a free port of 127.0.0.1, or the address that was set.
    ///
    /// # Panics
    /// If there is no socket, thread or certificate to be had, which leaves a test nothing to do.
    pub fn start(self) -> Origin {
        let address = self.address;
        match self.try_start() {
            Ok(origin) => origin,
            Err(error) => panic!("the origin does not start on {address}: {error}"),
        }
    }

    /// Starts it on a free port of 127.0.0.1, or the address that was set.
    pub fn try_start(self) -> io::Result<Origin> {
        let (authority, tls) = match self.tls {
            true => tls::make().map(|(authority, config)| (Some(authority), Some(config))),
            false => Ok((None, None)),
        }
        .map_err(io::Error::other)?;
        let listener = self.listen()?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            shelf: Shelf::default(),
            rules: Rules::default(),
            log: Log::default(),
            shutdown: Arc::new(Shutdown::default()),
            manners: Mutex::new(Arc::new(self.manners())),
            tls,
            idle_close: self.idle_close,
            max_connections: self.max_connections,
        });
        let serving = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("origin".to_owned())
            .spawn(move || accept(&listener, &serving))?;
        Ok(Origin { shared, address, authority, thread: Some(thread) })
    }

    pub(super) fn manners(&self) -> Manners {
        Manners {
            latency: self.latency,
            rate: self.rate,
            total_rate: self.total_rate.map(|rate| Arc::new(Bucket::new(rate))),
            send_timeout: self.send_timeout,
        }
    }

    /// With a backlog that takes a burst of connects: one that overflows costs its client a second.
    fn listen(&self) -> io::Result<TcpListener> {
        let socket = Socket::new(Domain::for_address(self.address), Type::STREAM, None)?;
        if let Some(bytes) = self.send_buffer {
            socket.set_send_buffer_size(bytes)?;
        }
        // The connections of a former origin may linger at its address, and both must allow the reuse. A free port is
        // bound first, or two origins that start at once could be given the same. (Windows means something else by it.)
        if cfg!(windows) {
            socket.bind(&self.address.into())?;
        } else if self.address.port() == 0 {
            socket.bind(&self.address.into())?;
            socket.set_reuse_address(true)?;
        } else {
            socket.set_reuse_address(true)?;
            socket.bind(&self.address.into())?;
        }
        socket.listen(1024)?;
        Ok(socket.into())
    }
}
