//! Accepting connections, with the bounds a public port needs, and letting go of them in order.

use crate::{
    app::{self, App},
    context::Context,
};
use axum::{Router, body::Body};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{io, sync::Arc, time::Duration};
use tokio::{
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
/// returns. HTTP/1.1 only: browsers speak HTTP/2 only through TLS, which is the proxy's.
///
/// # Errors
/// When the listener has no address any more; single connections never end the server.
pub async fn serve(listener: TcpListener, context: Arc<Context>, stop: CancellationToken) -> io::Result<()> {
    let address = listener.local_addr()?;
    tracing::info!(%address, "serving");
    let app = App::new(context, stop.clone());
    let router = app::build(&app);
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let tasks = TaskTracker::new();
    let cut = CancellationToken::new();
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
            Ok((stream, _)) => {
                let connection = connection(stream, router.clone(), stop.clone(), cut.clone());
                tasks.spawn(async move {
                    connection.await;
                    drop(place);
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
        cut.cancel();
        tasks.wait().await;
    }
    Ok(())
}

async fn connection(stream: TcpStream, router: Router, stop: CancellationToken, cut: CancellationToken) {
    // A frame must not wait for the acknowledgement of the one before it (Nagle).
    if let Err(e) = stream.set_nodelay(true) {
        tracing::debug!(error = %e, "no TCP_NODELAY");
    }
    let service = TowerToHyperService::new(router.map_request(|request: hyper::Request<Incoming>| request.map(Body::new)));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection.as_mut() => ended,
                () = cut.cancelled() => return,
            }
        }
    };
    if let Err(e) = ended {
        // Clients go away in the middle of answers all the time.
        tracing::debug!(error = %e, "connection ended");
    }
}
