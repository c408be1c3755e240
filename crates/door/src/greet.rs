//! A connection's first word: TLS, which is answered within a bound of time and of handshakes under way, or something else,
//! which is for the caller to answer.

use crate::shown::Certificate;
use rustls::ServerConfig;
use std::{io, sync::Arc, time::Duration};
use tokio::{net::TcpStream, sync::Semaphore};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// How long a client may take from its connection to the end of the handshake.
pub const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// Handshakes under way at once: each is a signature, and memory for its client's words.
pub const HANDSHAKES: usize = 64;
/// First byte of a TLS record that opens a handshake (RFC 8446, 5.1).
const HANDSHAKE: u8 = 22;

/// Greets clients with TLS.
pub struct Greeter {
    acceptor: TlsAcceptor,
    under_way: Semaphore,
}

/// How a client began.
pub enum Greeting {
    /// The handshake is done.
    Secure(Box<TlsStream<TcpStream>>),
    /// It speaks no TLS; nothing was read from it.
    Plain(TcpStream),
}

impl Greeter {
    /// Shows this certificate.
    ///
    /// # Errors
    /// When the library refuses its own settings, or the system gives no random bytes.
    pub fn new(certificate: &Certificate) -> io::Result<Self> {
        let config: ServerConfig = certificate.tls().map_err(io::Error::other)?;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), under_way: Semaphore::new(HANDSHAKES) })
    }

    /// Waits for the client's first word and answers it.
    ///
    /// # Errors
    /// When it goes away, is too slow, or its handshake fails.
    pub async fn greet(&self, stream: TcpStream) -> io::Result<Greeting> {
        let greeting = async {
            let mut first = [0];
            if stream.peek(&mut first).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if first[0] != HANDSHAKE {
                return Ok(Greeting::Plain(stream));
            }
            // Only who has said something waits for a turn.
            let _turn = self.under_way.acquire().await.map_err(io::Error::other)?;
            self.acceptor.accept(stream).await.map(|secure| Greeting::Secure(Box::new(secure)))
        };
        tokio::time::timeout(HANDSHAKE_WITHIN, greeting).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}
