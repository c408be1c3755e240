//! The wall as the API sees it: one picture of many cameras, composed while somebody watches.
//!
//! Belongs here: what may be asked of it. Does not belong here: what it shows (`matthon`), whose TV it is (`tv`).

use domain::WallMode;
use live::LiveStream;
use serde::{Deserialize, Serialize};

/// The name it has among cameras; no camera of the configuration may have it.
pub const CAMERA: &str = "wall";

/// What the keys of a remote control ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Turn {
    /// The next page, which stays for a while.
    Next,
    /// The page before.
    Previous,
    /// More cameras on a page, smaller.
    More,
    /// Fewer, larger.
    Fewer,
}

/// How a wall stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct View {
    /// From 1 on.
    pub page: usize,
    /// How many there are.
    pub pages: usize,
    /// Cameras on a page at most.
    pub tiles: usize,
    /// It shows no camera now: it is night, and the wall is public.
    pub night: bool,
    /// Why there is no picture; empty: there is, or nobody watches.
    pub trouble: String,
}

/// The walls of a box: one for each mode, whoever watches.
pub trait Wall: Send + Sync + 'static {
    /// Its live pictures, for somebody who begins to watch now. It is composed until some seconds after the last has left.
    fn watch(&self, mode: WallMode) -> LiveStream;
    /// How it stands.
    fn view(&self, mode: WallMode) -> View;
    /// Does what a key asks for, for everybody who watches this mode.
    fn turn(&self, mode: WallMode, turn: Turn) -> View;
}
