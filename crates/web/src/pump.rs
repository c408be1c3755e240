//! One live socket: fragments out the moment they are there, states when they change, and an end in time.
//!
//! Sound comes beside the pictures, in a queue of its own: whoever is too slow for one may be in time for the other.

use crate::{
    app::App,
    guard::{self, Caller},
    rendition::NoRendition,
    share::Share,
    want::Want,
    watch::{Source, Watch, camera},
};
use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use bytes::{BufMut, Bytes, BytesMut};
use domain::{CameraId, Channel, Link};
use futures::{
    FutureExt, SinkExt, Stream, StreamExt,
    future::{BoxFuture, ready},
    stream::{BoxStream, SelectAll, SplitSink, SplitStream, once, pending, unfold},
};
use live::{FormatInfo, Heard, LiveStream, SoundInfo};
use serde::Serialize;
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

/// How often the states of the cameras are looked at. Frames wait for no tick.
const LOOK: Duration = Duration::from_secs(1);
/// Every so many looks: whether the viewer may still watch.
const LOOKS_A_CHECK: u32 = 5;
/// Every so many looks: a ping.
const LOOKS_A_PING: u32 = 20;
/// A peer that was not heard for this long, pongs included, is gone.
const DEAD_AFTER: Duration = Duration::from_secs(50);
/// A peer that takes nothing for this long is gone, too.
const SEND_WITHIN: Duration = Duration::from_secs(20);
/// Wishes from one look to the next: a page that is scrolled has few, and each that sits a viewer down costs a group of pictures.
const WISHES_A_LOOK: u32 = 60;

/// The texts of the protocol.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Text<'a> {
    Format {
        #[serde(skip_serializing_if = "Option::is_none")]
        ch: Option<u8>,
        camera: &'a CameraId,
        stream: Channel,
        /// The box decodes and encodes it anew.
        #[serde(skip_serializing_if = "is_false")]
        converted: bool,
        /// What lies in the camera's masks is black.
        #[serde(skip_serializing_if = "is_false")]
        covered: bool,
        #[serde(flatten)]
        info: &'a FormatInfo,
    },
    #[serde(rename = "format")]
    Sound {
        ch: u8,
        /// Always `audio`; pictures say nothing of it.
        kind: &'static str,
        camera: &'a CameraId,
        stream: Channel,
        #[serde(flatten)]
        info: &'a SoundInfo,
    },
    /// Nothing of this camera will come on this socket, unless it is left out and wanted again.
    Refused {
        #[serde(skip_serializing_if = "Option::is_none")]
        ch: Option<u8>,
        camera: &'a CameraId,
        kind: &'static str,
        detail: String,
    },
    Skipped {
        #[serde(skip_serializing_if = "Option::is_none")]
        ch: Option<u8>,
        gops: u64,
    },
    State {
        #[serde(skip_serializing_if = "Option::is_none")]
        ch: Option<u8>,
        state: Link,
    },
}

/// What one of the streams of a socket has to say.
enum Said {
    Seen(live::Message),
    /// A rendition cannot be had now.
    Refused(NoRendition),
    Heard(u8, Heard),
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde asks for it")]
fn is_false(value: &bool) -> bool {
    !value
}

/// Why a socket ends; `None` of a code: the peer is gone, there is nobody to tell.
struct End(Option<(u16, &'static str)>);

const GONE: End = End(None);

/// Serves a socket until its viewer leaves, may not watch any more, or the server stops.
pub(crate) async fn run(socket: WebSocket, app: &Arc<App>, caller: &Caller, watches: Vec<Watch>, want: Want) {
    let sockets = metrics::gauge!("matthon_live_sockets");
    sockets.increment(1.0);
    let (mut out, inward) = socket.split();
    let End(farewell) = pump(&mut out, inward, app, caller, watches, want).await;
    sockets.decrement(1.0);
    if let Some((code, reason)) = farewell {
        let close = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
        // A viewer who does not take the goodbye gets none.
        let _ = timeout(Duration::from_secs(1), out.send(close)).await;
    }
}

async fn pump(
    out: &mut SplitSink<WebSocket, Message>,
    mut inward: SplitStream<WebSocket>,
    app: &Arc<App>,
    caller: &Caller,
    mut watches: Vec<Watch>,
    mut want: Want,
) -> End {
    let mut frames = follow(SelectAll::new(), &mut watches, Want::all(0), want, (app, caller));
    let mut wishes = 0_u32;
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut looks = 0_u32;
    let mut heard = Instant::now();
    // Beside the frames, never in their way: the database may be waiting for a disk.
    let mut check: Option<BoxFuture<'static, bool>> = None;
    loop {
        let step = tokio::select! {
            biased;
            () = app.stop.cancelled() => return End(Some((close_code::AWAY, "the server stops"))),
            // Before what the viewer says: whoever keeps talking is looked at all the same.
            still = outcome(&mut check) => {
                check = None;
                if still { continue }
                return End(Some((close_code::POLICY, "signed out")));
            }
            _ = look.tick() => None,
            message = inward.next() => match message {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return GONE,
                Some(Ok(message)) => {
                    heard = Instant::now();
                    let Message::Text(said) = message else { continue };
                    let wish = match Want::said(&said, watches.len()) {
                        Ok(Some(wish)) => wish,
                        Ok(None) => continue,
                        Err(_) => return End(Some((close_code::INVALID, "want: a list of places in `cameras`"))),
                    };
                    wishes += 1;
                    if wishes > WISHES_A_LOOK {
                        return End(Some((close_code::POLICY, "want: too often")));
                    }
                    frames = follow(std::mem::take(&mut frames), &mut watches, want, wish, (app, caller));
                    want = wish;
                    continue;
                }
            },
            frame = frames.next(), if !want.none() => match frame {
                Some(frame) => Some(frame),
                None => return End(Some((close_code::ERROR, "the stream is gone"))),
            },
        };
        let sent = match step {
            Some((index, said)) => match watches.get_mut(index) {
                Some(watch) if matches!(&said, Said::Seen(seen) if watch.foreign(seen)) => {
                    // What comes instead has a time of its own, and the sound would lie on the old one.
                    if watch.sound.is_some() {
                        return End(Some((close_code::AGAIN, "the camera's format changed: open it again")));
                    }
                    watch.others.push(watch.channel);
                    watch.decide(app, caller);
                    let stay = std::mem::take(&mut frames).into_iter().filter(|one| one.index != index);
                    frames = stay.chain(std::iter::once(pictures(index, watch, (app, caller)))).collect();
                    continue;
                }
                Some(watch) => send(out, app, wire(watch, said)).await,
                None => Ok(()),
            },
            None => {
                looks = looks.wrapping_add(1);
                wishes = 0;
                if heard.elapsed() > DEAD_AFTER {
                    return GONE;
                }
                if looks.is_multiple_of(LOOKS_A_CHECK) && check.is_none() {
                    let cameras = watches.iter().map(|watch| (watch.camera.clone(), watch.uncovered())).collect();
                    check = Some(may_still(Arc::clone(app), caller.clone(), cameras).boxed());
                }
                tick(out, app, &mut watches, looks.is_multiple_of(LOOKS_A_PING)).await
            }
        };
        if let Err(end) = sent {
            return end;
        }
    }
}

/// One stream of a socket, marked with whose it is.
struct Frames {
    index: usize,
    messages: BoxStream<'static, Said>,
}

impl Stream for Frames {
    type Item = (usize, Said);

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let index = self.index;
        self.messages.poll_next_unpin(context).map(|said| said.map(|said| (index, said)))
    }
}

/// Sits down at what is newly wanted and gets up from what no longer is, its sound with it; those that stay miss nothing.
fn follow(frames: SelectAll<Frames>, watches: &mut [Watch], had: Want, want: Want, who: (&Arc<App>, &Caller)) -> SelectAll<Frames> {
    let stay = frames.into_iter().filter(|one| want.has(one.index));
    let new = watches.iter_mut().enumerate().filter(|(index, _)| want.has(*index) && !had.has(*index));
    let new = new.flat_map(|(index, watch)| {
        watch.others.clear();
        watch.decide(who.0, who.1);
        std::iter::once(pictures(index, watch, who)).chain(sound(index, watch))
    });
    stay.chain(new).collect()
}

/// One viewer's messages; of what is refused that alone.
fn pictures(index: usize, watch: &Watch, (app, caller): (&Arc<App>, &Caller)) -> Frames {
    let (stream, share): (LiveStream, Option<Share>) = match &watch.source {
        Source::Sent(stream) => (stream.clone(), None),
        Source::Made(of) => match of.begin(app, caller) {
            Ok(shown) => (shown.stream, Some(shown.share)),
            Err(refused) => return Frames { index, messages: once(ready(Said::Refused(refused))).chain(pending()).boxed() },
        },
    };
    let messages = unfold((stream.watch(), share), |(mut viewer, share)| async move {
        let message = viewer.next().await?;
        Some((Said::Seen(message), (viewer, share)))
    });
    Frames { index, messages: messages.boxed() }
}

/// One listener's, of whom there is one only where sound was asked for.
fn sound(index: usize, watch: &Watch) -> Option<Frames> {
    let (Some(ch), Source::Sent(stream)) = (watch.sound, &watch.source) else { return None };
    let listener = stream.listen()?;
    let messages =
        unfold(listener, move |mut listener| async move { listener.next().await.map(|heard| (Said::Heard(ch, heard), listener)) });
    Some(Frames { index, messages: messages.boxed() })
}

/// Tells changed states, and pings when it is time.
async fn tick(out: &mut SplitSink<WebSocket, Message>, app: &Arc<App>, watches: &mut [Watch], ping: bool) -> Result<(), End> {
    for watch in watches.iter_mut().filter(|watch| watch.states) {
        let link = app.context.board.get(&watch.camera, watch.channel).map_or(Link::Starting, |health| health.link);
        // A stream that is well from the start shows it by its frames.
        let news = watch.told.map_or(link != Link::Ok, |told| told != link);
        watch.told = Some(link);
        if news {
            send(out, app, text(&Text::State { ch: watch.ch, state: link })).await?;
        }
    }
    if ping {
        send(out, app, Message::Ping(Bytes::new())).await?;
    }
    Ok(())
}

/// The answer of the check that runs, if one does; waits for ever if not.
async fn outcome(check: &mut Option<BoxFuture<'static, bool>>) -> bool {
    match check {
        Some(running) => running.await,
        None => std::future::pending().await,
    }
}

/// Whether the credential is still good, for this role and these cameras, each with whether it is shown uncovered.
pub(crate) async fn may_still(app: Arc<App>, caller: Caller, cameras: Vec<(CameraId, bool)>) -> bool {
    match guard::recognise(&app.context, &caller.credential).await {
        Ok(Some(user)) => {
            let now = Caller { user, ..caller };
            let still = |id: &CameraId| camera(&app, id).is_none_or(|camera| now.sees_all_of(camera));
            now.in_role() && cameras.iter().all(|(id, uncovered)| now.may_see(id) && (!uncovered || still(id)))
        }
        Ok(None) => false,
        Err(problem) => {
            // A database that is busy for a moment is no reason to turn off the wall; the next look decides.
            tracing::warn!(?problem, "cannot check a live viewer's sign-in");
            true
        }
    }
}

/// Sends one message and flushes it.
async fn send(out: &mut SplitSink<WebSocket, Message>, app: &Arc<App>, message: Message) -> Result<(), End> {
    tokio::select! {
        biased;
        sent = timeout(SEND_WITHIN, out.send(message)) => match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(GONE),
        },
        () = app.stop.cancelled() => Err(End(Some((close_code::AWAY, "the server stops")))),
    }
}

fn wire(watch: &Watch, said: Said) -> Message {
    let (Watch { camera, channel: stream, ch, .. }, made) = (watch, watch.made());
    match said {
        Said::Seen(live::Message::Format(info)) => {
            let (converted, covered) = (made.is_some(), made == Some(true));
            text(&Text::Format { ch: *ch, camera, stream: *stream, converted, covered, info: &info })
        }
        Said::Refused(why) => text(&Text::Refused { ch: *ch, camera, kind: why.kind(), detail: why.to_string() }),
        Said::Seen(live::Message::Skipped { gops }) => text(&Text::Skipped { ch: *ch, gops }),
        Said::Seen(live::Message::Init(bytes) | live::Message::Fragment { bytes, .. }) => Message::Binary(marked(*ch, bytes)),
        Said::Heard(ch, Heard::Format(info)) => text(&Text::Sound { ch, kind: "audio", camera, stream: *stream, info: &info }),
        Said::Heard(ch, Heard::Skipped { fragments }) => text(&Text::Skipped { ch: Some(ch), gops: fragments }),
        Said::Heard(ch, Heard::Init(bytes) | Heard::Fragment { bytes, .. }) => Message::Binary(marked(Some(ch), bytes)),
    }
}

/// The bytes behind their one-byte mark, or as they are.
fn marked(ch: Option<u8>, bytes: Bytes) -> Bytes {
    let Some(ch) = ch else { return bytes };
    let mut marked = BytesMut::with_capacity(1 + bytes.len());
    marked.put_u8(ch);
    marked.put(bytes);
    marked.freeze()
}

fn text(text: &Text<'_>) -> Message {
    // Plain structs of strings and numbers always serialize.
    Message::Text(serde_json::to_string(text).unwrap_or_default().into())
}
