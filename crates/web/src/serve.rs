//! Accepting connections, with the bounds a public port needs, and letting go of them in order.

use crate::{
    app::{self, App},
    context::Context,
    crowd::Crowd,
    plain,
    way::Peer,
};
use axum::{Router, body::Body};
use door::{Greeter, Greeting};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{io, net::IpAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

/// Connections open at once; a browser holds up to six and its sockets.
const CONNECTIONS: usize = 256;
/// How long a client may take to send a request's head, and how long a connection may lie idle.
const HEAD_WITHIN: Duration = Duration::from_secs(30);
/// How long requests in flight get at shutdown: the whole core has five seconds.
const GOODBYE: Duration = Duration::from_secs(1);
/// Pause after a failed accept (out of file descriptors), so that it does not spin.
const BREATH: Duration = Duration::from_millis(100);

/// Serves until `stop`: then closes live sockets with code 1001, lets answers under way finish for two seconds, and
/// returns. HTTPS where there is a certificate (`context.doors`), plain HTTP otherwise. HTTP/1.1 only: of HTTP/2 a page that holds
/// one live socket has little, and the bounds here are those of connections.
///
/// # Errors
/// When the listener has no address any more, or TLS cannot begin; single connections never end the server.
pub async fn serve(listener: TcpListener, context: Arc<Context>, stop: CancellationToken) -> io::Result<()> {
    let address = listener.local_addr()?;
    tracing::info!(%address, https = context.doors.certificate.is_some(), "serving");
    let doors = context.doors.clone();
    let greeter = context.doors.certificate.as_ref().map(Greeter::new).transpose()?;
    let app = App::new(context, stop.clone());
    let house =
        Arc::new(House { page: app::build(&app), plain: plain::build(&app), greeter, stop: stop.clone(), cut: CancellationToken::new() });
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let crowd = Crowd::default();
    let tasks = TaskTracker::new();
    loop {
        // A place first: whoever comes beyond the bound waits in the kernel's queue.
        let place = tokio::select! {
            () = stop.cancelled() => break,
            place = Arc::clone(&places).acquire_owned() => place.map_err(io::Error::other)?,
        };
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, from)) => {
                // Too many from there: closed unanswered. An answer would be work for whoever asks for nothing else.
                let Some(one_of_many) = crowd.enter(from.ip(), doors.trusts(from.ip())) else {
                    metrics::counter!("matthon_web_crowded_total").increment(1);
                    continue;
                };
                let connection = Arc::clone(&house).meet(stream, from.ip());
                tasks.spawn(async move {
                    connection.await;
                    drop((place, one_of_many));
                });
            }
            Err(e) => {
                tracing::warn!(error = %e, "cannot accept a connection");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
    drop(listener);
    tasks.close();
    let all_gone = async {
        tasks.wait().await;
        // Upgraded connections are no tasks of ours any more; each holds a place until its goodbye is sent.
        app.live_sockets.acquire_many(app::LIVE_SOCKETS).await.map(drop)
    };
    if tokio::time::timeout(GOODBYE, all_gone).await.is_err() {
        tracing::info!("connections cut off at shutdown");
        house.cut.cancel();
        tasks.wait().await;
    }
    Ok(())
}

/// What every connection is served from.
struct House {
    page: Router,
    /// For plain HTTP where HTTPS is spoken.
    plain: Router,
    /// None: plain HTTP is what is spoken.
    greeter: Option<Greeter>,
    stop: CancellationToken,
    cut: CancellationToken,
}

impl House {
    async fn meet(self: Arc<Self>, stream: TcpStream, address: IpAddr) {
        // A frame must not wait for the acknowledgement of the one before it (Nagle).
        if let Err(e) = stream.set_nodelay(true) {
            tracing::debug!(error = %e, "no TCP_NODELAY");
        }
        let plain = Peer { address, tls: false };
        let Some(greeter) = &self.greeter else { return self.serve(stream, &self.page, plain, true).await };
        // Who has not finished his greeting has asked for nothing yet.
        match self.stop.run_until_cancelled(greeter.greet(stream)).await {
            Some(Ok(Greeting::Secure(stream))) => self.serve(stream, &self.page, Peer { address, tls: true }, true).await,
            // One answer: what comes next comes by https.
            Some(Ok(Greeting::Plain(stream))) => self.serve(stream, &self.plain, plain, false).await,
            Some(Err(e)) => tracing::debug!(error = %e, "no handshake"),
            None => {}
        }
    }

    async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(&self, stream: S, router: &Router, peer: Peer, again: bool) {
        let service = TowerToHyperService::new(router.clone().map_request(move |request: hyper::Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(peer);
            request
        }));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_WITHIN)
            .keep_alive(again)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    ended = connection.as_mut() => ended,
                    () = self.cut.cancelled() => return,
                }
            }
        };
        if let Err(e) = ended {
            // Clients go away in the middle of answers all the time.
            tracing::debug!(error = %e, "connection ended");
        }
    }
}
