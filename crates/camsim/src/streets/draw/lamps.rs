//! What shines at night, and what is no surface: headlights on the road, their glare in the lens, fire and smoke.

use glam::{Vec2, Vec3};

use super::raster::{Canvas, Corner};
use super::screen::Screen;
use super::thing::Stance;
use crate::streets::bodies::{Headlamp, Source};
use crate::streets::light::Light;

/// The light a headlamp throws on the road: triangles whose colour is the light, 0–255 for white ground.
pub(super) fn pool(lamp: &Headlamp, stance: &Stance, screen: &Screen, mut emit: impl FnMut(&[Corner; 3])) {
    let foot = Vec2::new(lamp.at.x, lamp.at.y);
    let corner = |along: f32, across: f32, light: f32| {
        let p = stance.turn * Vec3::new(foot.x + along, foot.y + across, 0.0) + Vec3::new(stance.at.x, stance.at.y, 0.0);
        screen.corner(p).map(|c| Corner { colour: Vec3::new(1.0, 0.94, 0.78) * (light * lamp.power * 255.0), ..c })
    };
    // Rings: metres ahead, half width, brightness of the middle; the rim is dark.
    let rings = [(0.8, 0.4, 0.05), (2.5, 0.9, 0.55), (5.0, 1.3, 0.42), (9.0, 1.9, 0.2), (16.0, 2.6, 0.0)];
    for pair in rings.windows(2) {
        for side in [-1.0f32, 1.0] {
            let [(x0, w0, l0), (x1, w1, l1)] = [pair[0], pair[1]];
            let corners = [corner(x0, 0.0, l0), corner(x0, side * w0, 0.0), corner(x1, side * w1, 0.0), corner(x1, 0.0, l1)];
            let [Some(a), Some(b), Some(c), Some(d)] = corners else { continue };
            emit(&[a, b, c]);
            emit(&[a, c, d]);
        }
    }
}

/// Adds light to the ground where it lies open.
pub(super) fn add(canvas: &mut Canvas, bare: &[[u8; 4]], corners: &[Corner; 3]) {
    canvas.shine(corners, |pixel, colour, i| {
        for ((v, light), own) in pixel.iter_mut().zip(colour.to_array()).zip(bare[i]) {
            // Sums of light, not of bytes: gamma is 2.
            let before = f32::from(*v) * f32::from(*v);
            *v = (before + light * f32::from(own) * 3.0).sqrt().min(255.0) as u8;
        }
    });
}

/// The glare of a lamp that looks into the lens.
pub(super) fn glare(
    lamp: &Headlamp,
    stance: &Stance,
    screen: &Screen,
    light: &Light,
    canvas: &mut Canvas,
    mut touched: impl FnMut(f32, f32, f32),
) {
    let at = stance.turn * lamp.at + stance.at;
    let to = (screen.view.at - at).normalize();
    let facing = (stance.turn * Vec3::X).dot(to).max(0.0);
    let Some(corner) = screen.corner(at).filter(|_| facing > 0.2) else { return };
    let inside = corner.x >= 0.0 && corner.y >= 0.0 && corner.x < canvas.width as f32 && corner.y < canvas.height as f32;
    // Behind a house there is no glare; a lamp itself lies a little behind its glass.
    if !inside || canvas.near[corner.y as usize * canvas.width + corner.x as usize] > corner.near * 1.06 + 0.004 {
        return;
    }
    let strength = facing * facing * lamp.power * if light.grey() { 0.9 } else { 0.7 };
    let radius = (screen.metre(1.0 / corner.near) * 0.55 + canvas.width as f32 * 0.006) * (0.5 + strength);
    touched(corner.x, corner.y, radius);
    disc(canvas, corner.x, corner.y, radius, |pixel, _, share| {
        let add = strength * (share * share * 150.0 + share.powi(8) * 400.0);
        for (v, tint) in pixel.iter_mut().zip([1.0, 0.96, 0.86]) {
            *v = (f32::from(*v) + add * tint).min(255.0) as u8;
        }
    });
}

/// Fire or smoke.
#[allow(clippy::too_many_arguments, reason = "a canvas, a source and all that lights it")]
pub(super) fn puffs(
    source: &Source,
    stance: &Stance,
    seconds: f32,
    light: &Light,
    screen: &Screen,
    canvas: &mut Canvas,
    owner: u16,
    mut touched: impl FnMut(f32, f32, f32),
) {
    for puff in source.puffs(seconds) {
        let at = stance.turn * puff.at + stance.at;
        let Some(corner) = screen.corner(at) else { continue };
        let radius = screen.metre(1.0 / corner.near) * puff.radius;
        let lit = if puff.glows { puff.colour } else { puff.colour * light.falls(at, Vec3::Z, 1.0) };
        let colour = light.developed(lit).to_array();
        touched(corner.x, corner.y, radius);
        let near = corner.near;
        let width = canvas.width;
        let Canvas { near: depths, owner: owners, .. } = canvas;
        let (depths, owners) = (&*depths, owners);
        let mut seen = |i: usize, cover: f32| {
            let open = near > depths[i];
            if open && cover > 0.2 {
                owners[i] = owner;
            }
            open
        };
        disc_over(&mut canvas.colour, width, canvas.height, corner.x, corner.y, radius, |pixel, i, share| {
            let cover = puff.cover * (share * 2.2).min(1.0);
            if seen(i, cover) {
                for (v, c) in pixel.iter_mut().zip(colour) {
                    *v = (f32::from(*v) + (c - f32::from(*v)) * cover) as u8;
                }
            }
        });
    }
}

/// Each pixel of a disc with its index and its share: 1 in the middle, 0 at the rim.
fn disc(canvas: &mut Canvas, x: f32, y: f32, radius: f32, each: impl FnMut(&mut [u8], usize, f32)) {
    disc_over(&mut canvas.colour, canvas.width, canvas.height, x, y, radius, each);
}

fn disc_over(
    colour: &mut [[u8; 4]],
    width: usize,
    height: usize,
    x: f32,
    y: f32,
    radius: f32,
    mut each: impl FnMut(&mut [u8], usize, f32),
) {
    let rows = (y - radius).max(0.0) as usize..((y + radius).max(0.0).ceil() as usize).min(height);
    let columns = (x - radius).max(0.0) as usize..((x + radius).max(0.0).ceil() as usize).min(width);
    for row in rows {
        let dy = row as f32 + 0.5 - y;
        for column in columns.clone() {
            let dx = column as f32 + 0.5 - x;
            let square = (dx * dx + dy * dy) / (radius * radius);
            if square < 1.0 {
                let i = row * width + column;
                each(&mut colour[i][..3], i, 1.0 - square.sqrt());
            }
        }
    }
}
