//! A small evaluator of tracking: CLEAR-MOT (Bernardin and Stiefelhagen 2008) and IDF1 (Ristani et al. 2016).
//!
//! Belongs here: reading MOT text files and the two measures, at an overlap of 0.5. Does not belong here: tracking.

#![allow(clippy::disallowed_methods, reason = "the crate is pure; this test of it reads its truth from a file")]
#![allow(unreachable_pub, dead_code, reason = "a module of a test; some numbers are there to be printed")]

use matthon_analytics::assign;
use std::{collections::BTreeMap, path::Path};

/// left, top, width, height in pixels.
pub type Box4 = [f64; 4];
/// Frame number → (id, box, score).
pub type Frames = BTreeMap<u32, Vec<(i64, Box4, f64)>>;

/// Reads `frame,id,left,top,width,height,score,…`.
pub fn read(path: &Path) -> Frames {
    let text = std::fs::read_to_string(path).expect("a readable file");
    let mut frames = Frames::new();
    for line in text.lines().filter(|l| !l.trim().is_empty()) {
        let n: Vec<f64> = line.split(',').map(|v| v.trim().parse().expect("a number")).collect();
        frames.entry(n[0] as u32).or_default().push((n[1] as i64, [n[2], n[3], n[4], n[5]], n[6]));
    }
    frames
}

fn iou(a: &Box4, b: &Box4) -> f64 {
    let w = (a[0] + a[2]).min(b[0] + b[2]) - a[0].max(b[0]);
    let h = (a[1] + a[3]).min(b[1] + b[3]) - a[1].max(b[1]);
    if w <= 0.0 || h <= 0.0 {
        return 0.0;
    }
    w * h / (a[2] * a[3] + b[2] * b[3] - w * h)
}

#[derive(Debug)]
pub struct Score {
    pub mota: f64,
    pub idf1: f64,
    pub switches: usize,
    pub false_positives: usize,
    pub misses: usize,
}

/// Compares tracks with the truth over the frames of the truth.
pub fn score(truth: &Frames, tracks: &Frames) -> Score {
    let (mut switches, mut false_positives, mut misses, mut boxes, mut found) = (0, 0, 0, 0, 0);
    let mut last: BTreeMap<i64, i64> = BTreeMap::new();
    let mut together: BTreeMap<(i64, i64), usize> = BTreeMap::new();
    let nothing = Vec::new();
    for (frame, gts) in truth {
        let hyps = tracks.get(frame).unwrap_or(&nothing);
        (boxes, found) = (boxes + gts.len(), found + hyps.len());
        for g in gts {
            for h in hyps {
                if iou(&g.1, &h.1) >= 0.5 {
                    *together.entry((g.0, h.0)).or_default() += 1;
                }
            }
        }
        // CLEAR-MOT keeps a pair that still overlaps before it looks for better ones.
        let cost = |g: usize, h: usize| {
            let overlap = iou(&gts[g].1, &hyps[h].1);
            if overlap < 0.5 {
                100.0
            } else if last.get(&gts[g].0) == Some(&hyps[h].0) {
                0.0
            } else {
                1.0 + (1.0 - overlap)
            }
        };
        let pairs = assign(gts.len(), hyps.len(), 50.0, cost);
        misses += gts.len() - pairs.len();
        false_positives += hyps.len() - pairs.len();
        for (g, h) in pairs {
            let before = last.insert(gts[g].0, hyps[h].0);
            switches += usize::from(before.is_some_and(|b| b != hyps[h].0));
        }
    }
    let ids = |f: &dyn Fn(&(i64, i64)) -> i64| {
        let mut all: Vec<i64> = together.keys().map(f).collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    let (gs, hs) = (ids(&|k| k.0), ids(&|k| k.1));
    let most = 1e6;
    let weight = |g: usize, h: usize| together.get(&(gs[g], hs[h])).copied().unwrap_or(0);
    let identified: usize =
        assign(gs.len(), hs.len(), most, |g, h| most - weight(g, h) as f64).into_iter().map(|(g, h)| weight(g, h)).sum();
    Score {
        mota: 1.0 - (misses + false_positives + switches) as f64 / boxes as f64,
        idf1: 2.0 * identified as f64 / (boxes + found) as f64,
        switches,
        false_positives,
        misses,
    }
}
