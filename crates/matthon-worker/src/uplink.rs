//! What goes up a stream's socket.
//!
//! Belongs here: whole messages, in order, within a bounded time. Does not belong here: what is said.

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    net::sockopt::{Timeout, set_socket_timeout},
};
use std::{
    io::{self, Write},
    net::Shutdown,
    os::unix::net::UnixStream,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use vision::protocol::{Up, stream};

/// How long a detector waits for a core that does not read: then the observation is dropped, not the thread.
const WAIT: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
/// How long a message may take once it has begun. After that the socket is closed, for it ends in the middle of a message.
const WHOLE: Duration = Duration::from_secs(2);

/// The way up of one stream.
#[derive(Debug)]
pub struct Uplink {
    socket: Mutex<UnixStream>,
    /// The same socket again: closing does not wait for whoever writes.
    end: UnixStream,
    patient: bool,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It is in the socket.
    Yes,
    /// The core does not read: it was dropped as a whole.
    Dropped,
    /// There is nobody any more.
    Gone,
}

impl Uplink {
    /// For a watched stream: gives up on a core that does not read.
    ///
    /// # Errors
    /// When the descriptor is no socket.
    pub fn prompt(socket: UnixStream) -> io::Result<Self> {
        set_socket_timeout(&socket, Timeout::Send, Some(WHOLE))?;
        Ok(Self { end: socket.try_clone()?, socket: Mutex::new(socket), patient: false })
    }

    /// For a replay: every message arrives, however long it takes.
    ///
    /// # Errors
    /// When there are no more descriptors.
    pub fn patient(socket: UnixStream) -> io::Result<Self> {
        Ok(Self { end: socket.try_clone()?, socket: Mutex::new(socket), patient: true })
    }

    /// Sends one message.
    pub fn tell(&self, message: &Up) -> Told {
        let Ok(bytes) = stream::encode(message) else {
            crate::say("a message is too long for the core and was dropped");
            return Told::Dropped;
        };
        let mut socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.patient {
            // A Unix socket counts as writable while three quarters of its buffer are free, which is more than any message.
            let mut fds = [PollFd::new(&*socket, PollFlags::OUT)];
            match poll(&mut fds, Some(&WAIT)) {
                Ok(0) => return Told::Dropped,
                Ok(_) => {}
                Err(_) => return Told::Gone,
            }
        }
        match socket.write_all(&bytes) {
            Ok(()) => Told::Yes,
            Err(_) => {
                let _ = socket.shutdown(Shutdown::Both);
                Told::Gone
            }
        }
    }

    /// Ends the socket in both directions: whoever reads it wakes.
    pub fn close(&self) {
        let _ = self.end.shutdown(Shutdown::Both);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]
    use super::*;
    use std::io::Read;

    fn message(n: usize) -> Up {
        Up::Undecodable { what: "x".repeat(n) }
    }

    fn whole_messages(bytes: &[u8]) -> usize {
        let (mut at, mut count) = (0, 0);
        while at < bytes.len() {
            let len = stream::length(bytes[at..at + 4].try_into().unwrap()).unwrap();
            let _: Up = stream::decode(&bytes[at + 4..at + 4 + len]).unwrap();
            at += 4 + len;
            count += 1;
        }
        count
    }

    #[test]
    fn a_core_that_does_not_read_gets_whole_messages_and_costs_no_memory() {
        let (ours, mut core) = UnixStream::pair().unwrap();
        let uplink = Uplink::prompt(ours).unwrap();
        let told: Vec<Told> = (0..200).map_while(|_| Some(uplink.tell(&message(3000))).filter(|t| *t == Told::Yes)).collect();
        assert!(told.len() < 200, "the socket never filled");
        assert_eq!(uplink.tell(&message(3000)), Told::Dropped);
        uplink.close();
        let mut bytes = Vec::new();
        core.read_to_end(&mut bytes).unwrap();
        assert_eq!(whole_messages(&bytes), told.len());
    }

    #[test]
    fn a_core_that_is_gone_is_noticed() {
        let (ours, core) = UnixStream::pair().unwrap();
        let uplink = Uplink::prompt(ours).unwrap();
        drop(core);
        assert_eq!(uplink.tell(&message(10)), Told::Gone);
    }
}
