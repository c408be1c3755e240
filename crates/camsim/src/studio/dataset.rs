//! Pictures to train a detector on, as a stream.
//!
//! A record is one line of JSON, `{"n":…,"width":…,"height":…,"objects":[{"class":…,"box":[left,top,right,bottom],
//! "visible":…},…]}` with boxes in pixels, and then width × height × 3 bytes of blue, green, red, rows from the top.

use std::io::{self, BufWriter, ErrorKind, Write};

use anyhow::Result;
use camsim::streets::crowd::Moments;
use serde_json::json;

use crate::cli::Dataset;

/// Moments of one street before the next: drawing what stands costs as much as a dozen frames.
const MOMENTS: u64 = 14;

/// `camsim dataset`: to standard output, until it has written what was asked for or nobody reads any more.
pub(crate) fn dataset(args: &Dataset) -> Result<()> {
    match write(args, &mut BufWriter::with_capacity(1 << 20, io::stdout().lock())) {
        Err(error) if error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == ErrorKind::BrokenPipe) => Ok(()),
        other => other,
    }
}

fn write(args: &Dataset, out: &mut impl Write) -> Result<()> {
    let (width, height) = (args.size.width as usize, args.size.height as usize);
    let mut picture = vec![0; width * height * 3 / 2];
    let mut bgr = vec![0; width * height * 3];
    let mut street = None;
    let mut n = 0u64;
    while args.count == 0 || n < args.count {
        if n.is_multiple_of(MOMENTS) {
            street = None;
        }
        let street =
            street.get_or_insert_with(|| Moments::new(args.seed.wrapping_add((n / MOMENTS).wrapping_mul(0x9e37_79b9)), width, height));
        let sights = street.next(&mut picture);
        let objects: Vec<_> = sights
            .iter()
            .map(|s| {
                let [left, top, right, bottom] = s.bounds;
                let pixels = [left * width as f32, top * height as f32, right * width as f32, bottom * height as f32];
                json!({ "class": s.class, "box": pixels, "visible": s.visible, "inside": s.inside })
            })
            .collect();
        writeln!(out, "{}", json!({ "n": n, "width": width, "height": height, "objects": objects }))?;
        to_bgr(&picture, width, height, &mut bgr);
        out.write_all(&bgr)?;
        n += 1;
    }
    out.flush()?;
    Ok(())
}

/// BT.601, studio range, as the decoders of the server's worker make it.
fn to_bgr(picture: &[u8], width: usize, height: usize, bgr: &mut [u8]) {
    let (luma, chroma) = picture.split_at(width * height);
    let (us, vs) = chroma.split_at(width * height / 4);
    for (y, row) in bgr.chunks_exact_mut(width * 3).enumerate() {
        for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
            let c = y / 2 * (width / 2) + x / 2;
            let l = 298 * (i32::from(luma[y * width + x]) - 16);
            let (u, v) = (i32::from(us[c]) - 128, i32::from(vs[c]) - 128);
            let clamp = |v: i32| ((v + 128) >> 8).clamp(0, 255) as u8;
            pixel.copy_from_slice(&[clamp(l + 516 * u), clamp(l - 100 * u - 208 * v), clamp(l + 409 * v)]);
        }
    }
}
