//! The HTTP interface: API, live WebSockets, sessions and roles, the embedded page.
//!
//! Belongs here: everything that knows HTTP. The table of endpoints ([`endpoints::table`]) is the one place that says
//! which exist and who may use them; the router and `openapi.json` are made from it. Does not belong here: passwords
//! and tokens at rest (see `store`), ring files (see `ring`), the making of fragments (see `live`), certificates (see `door`), what may be done
//! with a case (see `cases`).

mod app;
mod audit;
mod authority;
mod body;
mod cameras;
mod case_files;
mod case_link;
mod cases;
mod clip;
mod context;
mod crowd;
mod device;
mod disks;
mod doors;
pub mod endpoints;
mod events;
mod exports;
mod film;
pub mod gaps;
mod glance;
mod guard;
mod headers;
mod health;
mod hls;
mod invitation;
mod kept;
mod live_socket;
mod moving;
mod openapi;
mod origin;
mod page;
mod people;
mod plain;
mod plans;
mod problem;
mod pump;
mod push;
mod query;
mod range;
mod reach;
pub mod readers;
mod rendition;
mod search;
mod serve;
mod session;
mod share;
mod sight;
mod snapshot;
mod status;
mod story;
mod tv;
mod violations;
mod vision;
mod wall;
pub mod want;
mod watch;
mod way;
mod webrtc;

pub use app::router;
pub use context::{Camera, Context, DisksOf, Site};
pub use disks::{Disk, Reason};
pub use doors::{Doors, Public};
pub use exports::{Exports, NoExport};
pub use film::{Film, FilmWish, Films, NoFilm};
pub use glance::Glances;
pub use invitation::PATH as INVITATION_PATH;
pub use kept::{KEPT, Keeping};
pub use moving::Moving;
pub use openapi::document;
pub use push::{CheckPhone, Push};
pub use rendition::{NoRendition, Renditions};
pub use serve::serve;
pub use snapshot::{NoPicture, Snapshot};
pub use story::Story;
pub use wall::{CAMERA as WALL, Turn, View, Wall};
