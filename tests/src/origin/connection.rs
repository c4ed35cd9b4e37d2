//! Accepts connections and serves each on a thread of its own, request by request, until it ends.

use std::{
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
    time::{Duration, SystemTime},
};

use rustls::ServerConfig;

use super::{
    log::{Log, Ticket},
    reply::Reply,
    request::{Method, Request},
    respond::View,
    rule::Rules,
    send::{After, Manners, send},
    shelf::Shelf,
    shutdown::Shutdown,
    wire::{Incoming, Wire},
};

/// What the threads of one origin share.
pub(super) struct Shared {
    pub(super) shelf: Shelf,
    pub(super) rules: Rules,
    pub(super) log: Log,
    pub(super) shutdown: Arc<Shutdown>,
    pub(super) manners: Mutex<Arc<Manners>>,
    pub(super) tls: Option<Arc<ServerConfig>>,
    pub(super) idle_close: Option<Duration>,
    pub(super) max_connections: usize,
}

/// Accepts until the origin ends, then waits for the threads of all connections.
pub(super) fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    while !shared.shutdown.is_stopped() {
        let Ok((socket, _)) = listener.accept() else {
            // Out of descriptors, or a connection that ended in the queue: neither is a reason to end or to spin.
            std::thread::sleep(Duration::from_millis(5));
            continue;
        };
        threads.retain(|thread| !thread.is_finished());
        if threads.len() >= shared.max_connections {
            shared.log.refuse(format!("more than {} connections", shared.max_connections));
            continue;
        }
        let socket = Arc::new(socket);
        if !shared.shutdown.register(&socket) {
            break;
        }
        let number = shared.log.opened();
        let thread = Arc::clone(shared);
        let serving = std::thread::Builder::new()
            .name(format!("origin-{number}"))
            .stack_size(256 * 1024)
            .spawn(move || {
                let _open = Open(&thread.log);
                serve(socket, number, &thread);
            });
        match serving {
            Ok(serving) => threads.push(serving),
            Err(error) => {
                shared.log.refuse(format!("no thread for a connection: {error}"));
                shared.log.closed();
            }
        }
    }
    for thread in threads {
        // A panic was printed by its thread; here it only must not stop the others from being joined.
        let _ = thread.join();
    }
}

/// A connection in the log, until its thread ends in whichever way.
struct Open<'a>(&'a Log);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.closed();
    }
}

fn serve(socket: Arc<TcpStream>, number: usize, shared: &Shared) {
    let ready = socket.set_nodelay(true).is_ok();
    let wire = Wire::new(socket, shared.tls.clone(), Arc::clone(&shared.shutdown));
    let mut wire = match wire {
        Ok(wire) if ready => wire,
        Ok(_) => return,
        Err(error) => return shared.log.refuse(format!("TLS: {error}")),
    };
    let mut reused = false;
    let after = loop {
        let head = match wire.read_head(shared.idle_close) {
            Ok(Incoming::Head(head)) => head,
            Ok(Incoming::Nothing) => break After::Close,
            Ok(Incoming::Unusable(reason)) => break refuse(&mut wire, reason.to_owned(), shared),
            Err(error) => {
                // A reset by the client between requests is its right; a failed handshake is worth a line.
                if error.kind() == std::io::ErrorKind::InvalidData {
                    shared.log.refuse(format!("TLS: {error}"));
                }
                break After::Drop;
            }
        };
        let request = match Request::parse(&head, reused) {
            Ok(request) => request,
            Err(reason) => break refuse(&mut wire, reason, shared),
        };
        let ticket = shared.log.begin(number, &request);
        let reply = answer(&request, ticket, number, shared);
        let has_body = request.method != Method::Head && ![204, 304].contains(&reply.status);
        let manners = Arc::clone(&shared.manners.lock().unwrap_or_else(PoisonError::into_inner));
        match send(&mut wire, &reply, has_body, ticket, &shared.log, &manners) {
            After::Keep => reused = true,
            after => break after,
        }
    };
    match after {
        After::Keep | After::Close => wire.close(true),
        After::Drop => wire.close(false),
        After::Reset => wire.reset(),
        After::Freeze => wire.freeze(),
    }
}

fn answer(request: &Request, ticket: Ticket, connection: usize, shared: &Shared) -> Reply {
    let mut view = View {
        request,
        resource: shared.shelf.look_up(&request.path),
        range: request.range(),
        honours_if_range: true,
        honours_weak: false,
        date: SystemTime::now(),
        nth: ticket.nth,
        connection,
    };
    let faults = shared.rules.faults_for(request, ticket.nth);
    for fault in &faults {
        fault.prepare(&mut view);
    }
    let mut reply = view.answer();
    for fault in &faults {
        fault.apply(&view, &mut reply);
    }
    reply
}

fn refuse(wire: &mut Wire, reason: String, shared: &Shared) -> After {
    let mut reply = Reply::new(400, reason.clone().into_bytes());
    reply.headers.push("Connection", "close");
    // The client may be gone; the log has the reason.
    let _ = wire.write(&reply.head());
    let _ = wire.write(reason.as_bytes());
    shared.log.refuse(reason);
    After::Close
}
