//! Ends everything at once: wakes every sleeper and shuts every socket down, so that no thread of the origin outlives
//! it. All waiting of the origin that is not a read or a write happens here.

use std::{
    io,
    net::{Shutdown as Half, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak},
    time::Instant,
};

/// The origin's end, shared by all its threads.
#[derive(Debug, Default)]
pub(super) struct Shutdown {
    state: Mutex<State>,
    stopped: Condvar,
}

#[derive(Debug, Default)]
struct State {
    stopped: bool,
    /// Weak, so that a connection that ends closes its socket by itself: a second handle would keep it open.
    sockets: Vec<Weak<TcpStream>>,
}

impl Shutdown {
    /// Takes note of a socket. False if the end came before: the socket must not be used.
    pub(super) fn register(&self, socket: &Arc<TcpStream>) -> bool {
        let mut state = self.lock();
        if state.sockets.len() == state.sockets.capacity() {
            state.sockets.retain(|socket| socket.strong_count() > 0);
        }
        state.sockets.push(Arc::downgrade(socket));
        !state.stopped
    }

    /// Ends everything.
    pub(super) fn stop(&self) {
        let sockets = {
            let mut state = self.lock();
            state.stopped = true;
            std::mem::take(&mut state.sockets)
        };
        self.stopped.notify_all();
        self.shut(&sockets);
    }

    /// Closes all connections, and lets new ones come.
    pub(super) fn close_connections(&self) {
        let sockets = self.lock().sockets.clone();
        self.shut(&sockets);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.lock().stopped
    }

    /// Sleeps until `deadline`; an error if the end comes before.
    pub(super) fn sleep_until(&self, deadline: Instant) -> io::Result<()> {
        let mut state = self.lock();
        loop {
            if state.stopped {
                return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the origin ends"));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            state = match self.stopped.wait_timeout(state, left) {
                Ok((state, _)) => state,
                Err(poison) => poison.into_inner().0,
            };
        }
    }

    fn shut(&self, sockets: &[Weak<TcpStream>]) {
        for socket in sockets.iter().filter_map(Weak::upgrade) {
            // Fails only for a socket that is closed already.
            let _ = socket.shutdown(Half::Both);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
