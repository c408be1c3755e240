//! Real power cuts, as near as one machine comes to them: the real program records real cameras onto a file system whose power goes
//! at a moment of its own choosing, any part of what was not synced being lost; then everything is looked at from outside.

mod layer;

use anyhow::{Context, Result, ensure};
use domain::WallTime;
use layer::Layer;
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tests::{
    Camsim, Village,
    frames::{decoded, frames},
    village::now,
};

const CAMERAS: [&str; 4] = ["cong", "cho", "dinh", "cau"];
/// A ring that records writes twice a second.
const SILENT: Duration = Duration::from_secs(30);

fn wall(at: SystemTime) -> WallTime {
    let micros = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
    WallTime(i64::try_from(micros).unwrap_or(i64::MAX))
}

/// Cuts the power so often.
pub(crate) async fn run(rounds: u32, seed: u64) -> Result<()> {
    let specs = CAMERAS.map(|id| format!("id={id},size=320x180,sub-size=160x90,fps=15,gop=1s"));
    let camsim = Camsim::start(&specs.each_ref().map(String::as_str)).await;
    let village = Village::watching_mains(&camsim, &CAMERAS);
    let ring = village.path().join("ring");
    std::fs::create_dir_all(&ring)?;
    // The promises about power cuts are ext4's and xfs'; this file system keeps the same ones on purpose.
    if !std::fs::read_to_string(&village.config)?.contains("any_filesystem") {
        village.change(&[("size = \"512MB\"", "size = \"512MB\"\nany_filesystem = true")]);
    }
    let layer = Layer::default();
    let mut dice = StdRng::seed_from_u64(seed);
    let mut mounted = layer.mount(&ring).context("cannot mount: /dev/fuse and the right to mount are needed")?;
    let begun = now();
    let mut daemon = village.start().await;
    let api = village.admin().await;
    let (mut cuts, mut torn) = (Vec::new(), 0);
    println!("seed {seed}; each cut: sectors not synced, of them there nevertheless, serving again after");
    for round in 0..rounds {
        let up = now();
        for id in CAMERAS {
            api.until_link(id, "main", "ok", 30).await;
            api.until_recorded(id, up, 2_000_000, 30).await;
        }
        tokio::time::sleep(Duration::from_millis(dice.random_range(0..1500))).await;
        // Between a write and its sync, mostly: that is where a cut takes something.
        let keep = [0, 100, 50, 10, 90][round as usize % 5];
        let off = layer.power_off(dice.random_range(1..12), keep, dice.random());
        let cut = tokio::time::timeout(SILENT, off).await.context("it writes no more")??;
        daemon.kill_9().await;
        layer::unmount(mounted).context("cannot unmount")?;
        mounted = layer.mount(&ring)?;
        let again = Instant::now();
        daemon = village.start().await;
        println!("cut {round}: {} sectors, {} there, serving after {:.0} ms", cut.torn, cut.kept, again.elapsed().as_secs_f64() * 1e3);
        torn += cut.torn;
        cuts.push(wall(cut.at));
    }
    let up = now();
    for id in CAMERAS {
        api.until_link(id, "main", "ok", 30).await;
        api.until_recorded(id, up, 1_500_000, 30).await;
    }
    let (mut worst_lost, mut worst_down) = (0, 0);
    for id in CAMERAS {
        let file = village.path().join(format!("{id}.mp4"));
        api.clip(id, "main", begun, now(), &file).await;
        let got = frames(&file);
        ensure!(decoded(&file) == got.len(), "{id}: not every frame decodes");
        let sent = camsim.sent(id, "main");
        let place: BTreeMap<&str, usize> = sent.iter().enumerate().map(|(i, s)| (s.sha256.as_str(), i)).collect();
        let places =
            got.iter().map(|f| place.get(f.sha256.as_str()).copied().context("a frame nobody sent")).collect::<Result<Vec<_>>>()?;
        ensure!(places.windows(2).all(|w| w[0] < w[1]), "{id}: out of order, or twice");
        let holes: Vec<_> = places.windows(2).filter(|w| w[1] != w[0] + 1).map(|w| (w[0], w[1])).collect();
        ensure!(holes.len() == cuts.len(), "{id}: {} holes for {} cuts", holes.len(), cuts.len());
        let at = |i: usize| i64::try_from(sent[i].t_ns / 1000).unwrap_or(0);
        for ((before, after), cut) in holes.iter().zip(&cuts) {
            worst_lost = worst_lost.max(cut.0 - at(*before));
            worst_down = worst_down.max(at(*after) - cut.0);
        }
    }
    let (status, _) = daemon.terminate().await;
    ensure!(status.success(), "it did not end in order: {status}");
    let verify = village.matthon(&["ring", "verify"], "").await;
    ensure!(verify.status.success(), "ring verify: {}{}", String::from_utf8_lossy(&verify.stdout), String::from_utf8_lossy(&verify.stderr));
    layer::unmount(mounted).context("cannot unmount")?;
    camsim.stop().await;
    let ms = |us: i64| us / 1000;
    println!(
        "{rounds} cuts, {torn} sectors not synced, {} cameras: at most {} ms before a cut lost, recording again {} ms after it at the latest (kill, mount, start and the camera's next key picture in it)",
        CAMERAS.len(),
        ms(worst_lost),
        ms(worst_down)
    );
    println!("every frame kept was sent, in order, none twice, decodes; `ring verify` finds nothing");
    Ok(())
}
