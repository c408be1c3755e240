//! One viewer: what the stream's fragments become for somebody who joined at his own moment.

use crate::{
    message::{FormatInfo, Message},
    mux::Piece,
    stream::Seat,
};
use hub::{Consumer, Delivery};
use media::join::JoinFilter;
use std::sync::Arc;

/// Somebody watching. Dropping it is leaving; the last to leave ends the mux.
pub struct Viewer {
    pieces: Consumer<Piece>,
    /// Leading pictures are decodable for those who saw the group before, and garbage for who joins at an open GOP.
    join: JoinFilter,
    /// The run last told.
    told: Option<Arc<FormatInfo>>,
    /// The first fragment of a run, while its format and initialization segment go ahead.
    held: Option<Held>,
    _seat: Seat,
}

enum Held {
    Init(Piece),
    Fragment(Piece),
}

impl Viewer {
    pub(crate) fn new(pieces: Consumer<Piece>, seat: Seat) -> Self {
        Self { pieces, join: JoinFilter::new(), told: None, held: None, _seat: seat }
    }

    /// The next message, the moment it is there; `None` when the stream is gone for good.
    /// Cancel-safe: a message is lost only when it was returned.
    pub async fn next(&mut self) -> Option<Message> {
        match self.held.take() {
            Some(Held::Init(piece)) => {
                let init = piece.init.clone();
                self.held = Some(Held::Fragment(piece));
                return Some(Message::Init(init));
            }
            Some(Held::Fragment(piece)) => return Some(fragment(piece)),
            None => {}
        }
        loop {
            match self.pieces.next().await? {
                Delivery::Skipped { gops } => {
                    self.join.reset();
                    return Some(Message::Skipped { gops });
                }
                Delivery::Item(piece) if self.join.admit(&piece.sample) => return Some(self.show(piece)),
                Delivery::Item(_) => {}
            }
        }
    }

    /// The fragment, or first the parameters it needs.
    fn show(&mut self, piece: Piece) -> Message {
        if self.told.as_ref().is_some_and(|told| Arc::ptr_eq(told, &piece.info)) {
            return fragment(piece);
        }
        let info = Arc::clone(&piece.info);
        self.told = Some(Arc::clone(&info));
        self.held = Some(Held::Init(piece));
        Message::Format(info)
    }
}

fn fragment(piece: Piece) -> Message {
    let Piece { bytes, time, sample, .. } = piece;
    Message::Fragment { bytes, random_access: sample.random_access, capture: sample.capture, time, loss_before: sample.loss_before }
}
