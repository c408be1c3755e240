//! Tells whoever waits how far the first layout of a ring is: a bar on a terminal, a line every few seconds in a log, and
//! systemd, so that it neither loses patience nor shows a unit that does nothing.

use indicatif::{ProgressBar, ProgressStyle};
use ring::Progress;
use sd_notify::NotifyState;
use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

/// Between two lines of a log.
const EVERY: Duration = Duration::from_secs(5);
/// What systemd is asked to wait from each line on: reserving one file takes nothing near it.
const PATIENCE: Duration = Duration::from_secs(120);

/// One ring's layout.
pub(crate) struct Preparing {
    ring: String,
    begun: Instant,
    told: Option<Instant>,
    bar: Option<ProgressBar>,
}

impl Preparing {
    /// A ring that is about to be opened. Nothing is said unless it has to be laid out.
    pub(crate) fn of(ring: &str) -> Self {
        Self { ring: ring.to_owned(), begun: Instant::now(), told: None, bar: None }
    }

    /// So far is it.
    pub(crate) fn tell(&mut self, progress: Progress) {
        if std::io::stderr().is_terminal() {
            let bar = self.bar.get_or_insert_with(|| bar(&self.ring, progress.total));
            bar.set_position(progress.done);
            if progress.done == progress.total {
                bar.finish();
            }
        }
        let done = progress.done == progress.total;
        if !done && self.told.is_some_and(|at| at.elapsed() < EVERY) {
            return;
        }
        self.told = Some(Instant::now());
        let percent = progress.done * 100 / progress.total.max(1);
        let gigabytes = |blocks: u64| format!("{:.1}", (blocks * progress.block_size) as f64 / 1e9);
        // Nobody to tell outside of systemd.
        let status = format!("laying out ring {}: {percent} % of {} GB", self.ring, gigabytes(progress.total));
        let more = u32::try_from(PATIENCE.as_micros()).unwrap_or(u32::MAX);
        let _ = sd_notify::notify(&[NotifyState::Status(&status), NotifyState::ExtendTimeoutUsec(more)]);
        if self.bar.is_none() {
            tracing::info!(
                ring = %self.ring, percent, done_gb = gigabytes(progress.done), total_gb = gigabytes(progress.total),
                seconds = self.begun.elapsed().as_secs(), "laying out the ring; a stop now is no harm, the next start goes on here"
            );
        }
    }
}

fn bar(ring: &str, total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total);
    let style = ProgressStyle::with_template("{msg} [{wide_bar}] {percent} % ({pos}/{len}, {eta} left)");
    // The template is a constant; should the library ever refuse it, its own bar does.
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message(format!("ring {ring}: reserving space"));
    bar
}
