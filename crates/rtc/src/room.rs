//! The one UDP port of all viewers, and the shell that drives each of them.
//!
//! Belongs here: the socket, who a datagram is for, how many viewers there may be. Does not belong here: anything that can be decided
//! without a socket (`session`).

use crate::{
    crypto::Keys,
    session::{End, Output, Packet, Refused, Session},
};
use bytes::Bytes;
use domain::Sample;
use hub::{Consumer, Delivery};
use std::{
    collections::HashMap,
    io,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use str0m::ice::StunMessage;
use tokio::{
    net::UdpSocket,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

/// Viewers at once.
pub const VIEWERS: usize = 32;
/// Datagrams that wait for one viewer's turn.
const INBOX: usize = 128;
/// Addresses of one viewer: a phone that changes its network has a few.
const ADDRESSES: usize = 8;
/// No datagram of a browser is longer.
const LONGEST: usize = 2000;
/// After an error of the socket, so that it does not spin.
const BREATH: Duration = Duration::from_millis(100);

/// The port. Cheap to clone.
#[derive(Clone)]
pub struct Room(Arc<Inner>);

struct Inner {
    socket: UdpSocket,
    address: SocketAddr,
    keys: Keys,
    seats: Mutex<Seats>,
    places: Arc<Semaphore>,
}

/// Who is there, by the name their first datagrams carry, and by the addresses they have proved to have.
#[derive(Default)]
struct Seats {
    names: HashMap<String, mpsc::Sender<(SocketAddr, Bytes)>>,
    addresses: HashMap<SocketAddr, String>,
}

impl Room {
    /// Opens the port. Port 0 lets the system choose.
    ///
    /// # Errors
    /// When the address cannot be had, or no key can be made.
    pub async fn open(address: SocketAddr) -> io::Result<Self> {
        let socket = UdpSocket::bind(address).await?;
        let address = socket.local_addr()?;
        let keys = Keys::new().map_err(io::Error::other)?;
        let places = Arc::new(Semaphore::new(VIEWERS));
        Ok(Self(Arc::new(Inner { socket, address, keys, seats: Mutex::default(), places })))
    }

    /// Where it hears.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// How many viewers there are now.
    #[must_use]
    pub fn viewers(&self) -> usize {
        VIEWERS - self.0.places.available_permits()
    }

    /// The address at which a client reaches the port: the one the system sends to him from, asked of its routes. `None`: there is no way.
    #[must_use]
    pub fn host_for(&self, client: IpAddr) -> Option<SocketAddr> {
        let (client, own) = (client.to_canonical(), self.0.address);
        let any: SocketAddr = match client {
            IpAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
            IpAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        // Connecting a datagram socket sends nothing.
        let asked = std::net::UdpSocket::bind(any).and_then(|socket| socket.connect((client, 9)).and_then(|()| socket.local_addr()));
        let here = asked.ok()?.ip().to_canonical();
        let hears = match own.ip() {
            // One socket for both families, as systems make them.
            IpAddr::V6(ip) if ip.is_unspecified() => true,
            IpAddr::V4(ip) if ip.is_unspecified() => here.is_ipv4(),
            ip => ip.to_canonical() == here,
        };
        hears.then(|| SocketAddr::new(here, own.port()))
    }

    /// Hands datagrams to whom they are for, until `stop`.
    pub async fn serve(self, stop: CancellationToken) {
        let mut buffer = vec![0; LONGEST];
        loop {
            let received = tokio::select! {
                () = stop.cancelled() => return,
                received = self.0.socket.recv_from(&mut buffer) => received,
            };
            match received {
                Ok((length, from)) => self.hand_over(canonical(from), buffer.get(..length).unwrap_or_default()),
                Err(error) => {
                    tracing::debug!(%error, "nothing was received by WebRTC's port");
                    tokio::time::sleep(BREATH).await;
                }
            }
        }
    }

    /// Sits a viewer down for this offer of a client; `host` is of [`Self::host_for`] him. With the answer to give him. What comes from
    /// elsewhere in his name is passed over: nothing is sent to anybody who did not ask for it.
    ///
    /// # Errors
    /// When the offer cannot be answered, or the room is full.
    pub fn enter(&self, offer: &str, client: IpAddr, host: SocketAddr) -> Result<(Visit, String), Refused> {
        let place = Arc::clone(&self.0.places).try_acquire_owned().map_err(|_| Refused::Full)?;
        let (session, answer) = Session::open(offer, host, &self.0.keys, Instant::now().into_std())?;
        let (sender, inbox) = mpsc::channel(INBOX);
        self.0.lock().names.insert(session.name().to_owned(), sender);
        metrics::gauge!("matthon_webrtc_sessions").increment(1.0);
        let seat = Seat { room: Arc::clone(&self.0), name: session.name().to_owned(), _place: place };
        Ok((Visit { session, client: client.to_canonical(), inbox, seat, known: Vec::new() }, answer))
    }

    /// A datagram of a known address is that viewer's. Of another one it must carry a name, and is looked at by whose name it is:
    /// only he can tell whether it was signed with his password.
    fn hand_over(&self, from: SocketAddr, bytes: &[u8]) {
        let seats = self.0.lock();
        let knocks = matches!(bytes.first(), Some(0..=3)).then(|| StunMessage::parse(bytes).ok()).flatten();
        let named = knocks.as_ref().and_then(|stun| Some(stun.split_username()?.0));
        let name = named.or_else(|| seats.addresses.get(&from).map(String::as_str));
        let Some(inbox) = name.and_then(|name| seats.names.get(name)) else { return };
        // A viewer whose turn does not come loses datagrams, as on any line.
        let _ = inbox.try_send((from, Bytes::copy_from_slice(bytes)));
    }
}

/// On a socket for both families old addresses look like new ones.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

impl Inner {
    // Nothing under the lock can panic half way.
    fn lock(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send(&self, packet: &Packet) {
        let to = match (self.address.ip(), packet.to.ip()) {
            (IpAddr::V6(_), IpAddr::V4(ip)) => SocketAddr::new(ip.to_ipv6_mapped().into(), packet.to.port()),
            _ => packet.to,
        };
        // What a full card or a line that is gone does not take is lost, and asked for again if it was wanted.
        if let Err(error) = self.socket.send_to(&packet.bytes, to).await {
            tracing::trace!(%error, "a datagram was not sent");
        }
    }
}

/// A viewer's place; giving it up frees his name and addresses.
struct Seat {
    room: Arc<Inner>,
    name: String,
    _place: OwnedSemaphorePermit,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = self.room.lock();
        seats.names.remove(&self.name);
        seats.addresses.retain(|_, name| *name != self.name);
        drop(seats);
        metrics::gauge!("matthon_webrtc_sessions").decrement(1.0);
    }
}

/// A viewer in the room. Dropping it frees his place.
pub struct Visit {
    session: Session,
    /// From where he asked.
    client: IpAddr,
    inbox: mpsc::Receiver<(SocketAddr, Bytes)>,
    seat: Seat,
    /// Addresses he has proved to have, newest last.
    known: Vec<SocketAddr>,
}

impl Visit {
    /// What his session is called; nobody else knows it before the answer is out.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.seat.name
    }

    /// Shows him the stream until he leaves or `stop`. `samples` takes a new place in it, at the start of the current group of pictures.
    pub async fn run(mut self, samples: impl Fn() -> Consumer<Sample> + Send, stop: CancellationToken) -> End {
        let mut source: Option<Consumer<Sample>> = None;
        loop {
            let until = loop {
                match self.session.next(Instant::now().into_std()) {
                    Output::Send(packet) => {
                        self.learn(packet.to);
                        self.seat.room.send(&packet).await;
                    }
                    Output::Join => {
                        let mut consumer = samples();
                        let group = group(&mut consumer);
                        source = Some(consumer);
                        self.session.begin(group, Instant::now().into_std());
                    }
                    Output::Wait(until) => break until,
                    Output::End(end) => return end,
                }
            };
            let hungry = self.session.hungry();
            tokio::select! {
                biased;
                () = stop.cancelled() => self.session.leave(End::Ended),
                datagram = self.inbox.recv() => {
                    if let Some((from, bytes)) = datagram && from.ip() == self.client {
                        self.session.receive(from, &bytes, Instant::now().into_std());
                    }
                }
                delivery = next(&mut source), if hungry => match delivery {
                    Some(Delivery::Item(sample)) => self.session.sample(sample, Instant::now().into_std()),
                    Some(Delivery::Skipped { .. }) => self.session.skipped(),
                    None => self.session.leave(End::Gone),
                },
                () = sleep_until(until.into()) => self.session.tick(Instant::now().into_std()),
            }
        }
    }

    /// The session answers only who has proved himself: from there his other datagrams come, too, which carry no name.
    fn learn(&mut self, address: SocketAddr) {
        if self.known.last() == Some(&address) {
            return;
        }
        let mut seats = self.seat.room.lock();
        if let Some(at) = self.known.iter().position(|known| *known == address) {
            self.known.remove(at);
        } else if self.known.len() >= ADDRESSES {
            let oldest = self.known.remove(0);
            if seats.addresses.get(&oldest) == Some(&self.seat.name) {
                seats.addresses.remove(&oldest);
            }
        }
        // Whose it is already it stays: a datagram's sender is what it says, and another viewer's must not be taken away by saying so.
        seats.addresses.entry(address).or_insert_with(|| self.seat.name.clone());
        self.known.push(address);
    }
}

/// What the current group of pictures holds so far.
fn group(consumer: &mut Consumer<Sample>) -> Vec<Sample> {
    let items = std::iter::from_fn(|| consumer.try_next());
    items.filter_map(|delivery| if let Delivery::Item(sample) = delivery { Some(sample) } else { None }).collect()
}

/// The next delivery; waits for ever where nothing was joined yet.
async fn next(source: &mut Option<Consumer<Sample>>) -> Option<Delivery<Sample>> {
    match source {
        Some(consumer) => consumer.next().await,
        None => std::future::pending().await,
    }
}
