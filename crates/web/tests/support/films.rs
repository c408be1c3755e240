//! Films that nobody makes: tests say what comes of them.

use super::until;
use async_trait::async_trait;
use bytes::Bytes;
use matthon_web::{Film, FilmWish, NoFilm};
use std::{io, sync::Mutex};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_util::sync::CancellationToken;

/// One that was begun.
pub(crate) struct Begun {
    pub(crate) wish: FilmWish,
    pub(crate) stop: CancellationToken,
    pub(crate) give: mpsc::Sender<io::Result<Bytes>>,
    pub(crate) place: OwnedSemaphorePermit,
}

/// All that were begun, or why none can be.
#[derive(Default)]
pub(crate) struct Filmed {
    pub(crate) begun: Mutex<Vec<Begun>>,
    pub(crate) refuses: Mutex<Option<NoFilm>>,
}

impl Filmed {
    /// The one that was begun last, once there is one.
    pub(crate) async fn taken(&self) -> Begun {
        until("a film is begun", || async { self.begun.lock().unwrap().pop() }).await
    }
}

#[async_trait]
impl matthon_web::Films for Filmed {
    async fn begin(&self, wish: FilmWish, stop: CancellationToken, place: OwnedSemaphorePermit) -> Result<Film, NoFilm> {
        if let Some(no) = self.refuses.lock().unwrap().clone() {
            return Err(no);
        }
        let (give, pieces) = mpsc::channel(4);
        let starts_at = wish.from;
        self.begun.lock().unwrap().push(Begun { wish, stop, give, place });
        Ok(Film { starts_at, codecs: "avc1.64001f".into(), pieces })
    }
}
