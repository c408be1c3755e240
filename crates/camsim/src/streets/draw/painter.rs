//! One camera's pictures, in I420.
//!
//! What stands is drawn once, at twice the size; each frame draws what moves over it and touches only the tiles that
//! changed. The same things at the same time give the same bytes, whatever was painted before.

use glam::Vec3;

use super::air::Air;
use super::backdrop::{self, Backdrop};
use super::lamps;
use super::raster::{Canvas, Corner};
use super::screen::Screen;
use super::thing::{self, Thing};
use crate::streets::light::Light;
use crate::streets::places::Place;
use crate::streets::scenario::EventKind;

/// Owner of a darkened pixel. Things have owners from 1 on.
const SHADOW: u16 = u16::MAX;
/// A tile's side, canvas pixels; a multiple of four, so that chroma never spans two.
const TILE: usize = 32;
/// Canvas pixels for one of the picture, each way, while the canvas is not wider than this.
const WIDEST: usize = 2560;

/// Draws frames of one place in one light at one size.
#[derive(Clone, Debug)]
pub struct Painter {
    light: Light,
    screen: Screen,
    fine: usize,
    backdrop: Backdrop,
    canvas: Canvas,
    still: Vec<u8>,
    tiles: Tiles,
    air: Air,
    leaves: Vec<u32>,
}

impl Painter {
    /// A painter; draws everything that stands, which takes a while (about a second for 1280×720). `width` is a
    /// multiple of 8 and `height` of 2.
    #[must_use]
    pub fn new(place: &Place, light: Light, air: Air, width: usize, height: usize) -> Self {
        let fine = if width * 2 <= WIDEST { 2 } else { 1 };
        let screen = Screen { view: place.view, width: width * fine, height: height * fine };
        let backdrop = backdrop::draw(place, &light, &screen);
        let canvas = backdrop.canvas.clone();
        let tiles = Tiles::new(screen.width, screen.height);
        let leaves = leaves(&backdrop.leaf, screen.width, width, height, fine);
        let mut painter = Self { light, screen, fine, backdrop, canvas, still: vec![0; width * height * 3 / 2], tiles, air, leaves };
        let mut still = std::mem::take(&mut painter.still);
        for tile in 0..painter.tiles.across * painter.tiles.down {
            painter.develop(tile, &mut still);
        }
        painter.still = still;
        painter
    }

    /// The picture's width and height.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        (self.screen.width / self.fine, self.screen.height / self.fine)
    }

    /// Draws `things` as they are at `seconds` into `picture`: planes Y, U, V of [`size`](Self::size).
    pub fn paint(&mut self, things: &[Thing<'_>], seconds: f64, picture: &mut [u8]) {
        self.paint_with(things, seconds, None, picture);
    }

    /// The same while something happens to the camera.
    pub fn paint_with(&mut self, things: &[Thing<'_>], seconds: f64, mishap: Option<EventKind>, picture: &mut [u8]) {
        self.clean();
        let (width, height) = self.size();
        picture.copy_from_slice(&self.still);
        self.air.sway(&self.leaves, &self.still, width, seconds, picture);
        self.shadows(things);
        for (i, thing) in things.iter().enumerate() {
            self.thing(thing, i as u16 + 1, seconds);
        }
        if self.light.dark {
            self.lamps(things);
        }
        for tile in 0..self.tiles.across * self.tiles.down {
            if self.tiles.touched[tile] {
                self.develop(tile, picture);
            }
        }
        self.air.pass(width, height, seconds, self.light.grey(), mishap, picture);
    }

    /// Whose each pixel of the last frame is, at `fine` canvas pixels for one: the index into its things + 1. For tests
    /// that compare truth with pixels.
    #[must_use]
    pub fn owners(&self) -> (usize, &[u16]) {
        (self.fine, &self.canvas.owner)
    }

    /// Puts back what the last frame drew over.
    fn clean(&mut self) {
        for tile in 0..self.tiles.across * self.tiles.down {
            if !std::mem::take(&mut self.tiles.touched[tile]) {
                continue;
            }
            let (xs, ys) = self.tiles.bounds(tile);
            for y in ys {
                let row = y * self.screen.width + xs.start..y * self.screen.width + xs.end;
                self.canvas.colour[row.clone()].copy_from_slice(&self.backdrop.canvas.colour[row.clone()]);
                self.canvas.near[row.clone()].copy_from_slice(&self.backdrop.canvas.near[row.clone()]);
                self.canvas.owner[row].fill(0);
            }
        }
    }

    fn in_sight(&self, thing: &Thing<'_>) -> bool {
        let (middle, radius) = thing.ball();
        let (place, depth) = self.screen.view.project(middle);
        let reach = self.screen.metre(depth) * radius;
        let (x, y) = self.screen.pixel(place);
        depth > radius.min(1.0)
            && x + reach > 0.0
            && y + reach > 0.0
            && x - reach < self.screen.width as f32
            && y - reach < self.screen.height as f32
    }

    fn shadows(&mut self, things: &[Thing<'_>]) {
        let Self { light, screen, canvas, tiles, .. } = self;
        // Without a sun the sky throws a small shadow straight down, as a lamp right above would.
        let (towards, keep) = if light.sun.max_element() > 0.05 && light.shadow < 0.9 {
            (light.sun_at, light.shadow)
        } else {
            (Vec3::new(0.05, 0.08, 1.0).normalize(), 0.72)
        };
        for thing in things {
            let stance = thing.stance();
            for body in core::iter::once(thing.body).chain(&thing.body.riders) {
                for part in &body.parts {
                    let posed = thing::pose(part, &stance, thing.gone, body.stride);
                    thing::shadow(&part.mesh, &posed, screen, towards, |corners| {
                        tiles.touch(corners);
                        canvas.shadow(corners, SHADOW, keep);
                    });
                }
            }
        }
    }

    fn thing(&mut self, thing: &Thing<'_>, owner: u16, seconds: f64) {
        if !self.in_sight(thing) {
            return;
        }
        let stance = thing.stance();
        let Self { light, screen, canvas, tiles, .. } = self;
        for body in core::iter::once(thing.body).chain(&thing.body.riders) {
            for part in &body.parts {
                let posed = thing::pose(part, &stance, thing.gone, body.stride);
                thing::lit(&part.mesh, &posed, thing, screen, light, |corners| {
                    tiles.touch(corners);
                    canvas.triangle(corners, owner);
                });
            }
            if let Some(source) = &body.puffs {
                lamps::puffs(source, &stance, seconds as f32, light, screen, canvas, owner, |x, y, r| tiles.round(x, y, r));
            }
        }
    }

    fn lamps(&mut self, things: &[Thing<'_>]) {
        let Self { light, screen, canvas, tiles, backdrop, .. } = self;
        for thing in things.iter().filter(|t| t.lamps) {
            let stance = thing.stance();
            for lamp in &thing.body.headlamps {
                lamps::pool(lamp, &stance, screen, |corners| {
                    tiles.touch(corners);
                    lamps::add(canvas, &backdrop.bare, corners);
                });
            }
        }
        // Glare lies in the lens: over everything.
        for thing in things.iter().filter(|t| t.lamps) {
            let stance = thing.stance();
            for lamp in &thing.body.headlamps {
                lamps::glare(lamp, &stance, screen, light, canvas, |x, y, r| tiles.round(x, y, r));
            }
        }
    }

    /// Turns one tile of the canvas into Y, U and V.
    fn develop(&self, tile: usize, picture: &mut [u8]) {
        let (width, height) = self.size();
        let (xs, ys) = self.tiles.bounds(tile);
        let (luma, chroma) = picture.split_at_mut(width * height);
        let (us, vs) = chroma.split_at_mut(width * height / 4);
        let fine = self.fine;
        let share = (fine * fine) as u32;
        for y in (ys.start / fine..ys.end / fine).step_by(2) {
            for x in (xs.start / fine..xs.end / fine).step_by(2) {
                let mut sum = [0u32; 3];
                for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                    let mut one = [0u32; 3];
                    for sy in 0..fine {
                        let row = ((y + dy) * fine + sy) * self.screen.width + (x + dx) * fine;
                        for pixel in &self.canvas.colour[row..row + fine] {
                            for (sum, v) in one.iter_mut().zip(pixel) {
                                *sum += u32::from(*v);
                            }
                        }
                    }
                    let [r, g, b] = one.map(|v| v / share);
                    luma[(y + dy) * width + x + dx] = ((66 * r + 129 * g + 25 * b + 128 + 16 * 256) >> 8) as u8;
                    sum.iter_mut().zip([r, g, b]).for_each(|(s, v)| *s += v);
                }
                let [r, g, b] = sum.map(|v| (v / 4) as i32);
                let at = y / 2 * (width / 2) + x / 2;
                us[at] = ((-38 * r - 74 * g + 112 * b + 128 + 128 * 256) >> 8) as u8;
                vs[at] = ((112 * r - 94 * g - 18 * b + 128 + 128 * 256) >> 8) as u8;
            }
        }
    }
}

/// The picture's pixels that are leaves, as indices.
fn leaves(leaf: &[bool], canvas_width: usize, width: usize, height: usize, fine: usize) -> Vec<u32> {
    let is = |x: usize, y: usize| leaf[y * fine * canvas_width + x * fine];
    (0..height).flat_map(|y| (0..width).filter(move |x| is(*x, y)).map(move |x| (y * width + x) as u32)).collect()
}

/// Which parts of the canvas a frame drew on.
#[derive(Clone, Debug)]
struct Tiles {
    width: usize,
    height: usize,
    across: usize,
    down: usize,
    touched: Vec<bool>,
}

impl Tiles {
    fn new(width: usize, height: usize) -> Self {
        let (across, down) = (width.div_ceil(TILE), height.div_ceil(TILE));
        Self { width, height, across, down, touched: vec![false; across * down] }
    }

    fn bounds(&self, tile: usize) -> (core::ops::Range<usize>, core::ops::Range<usize>) {
        let (x, y) = (tile % self.across * TILE, tile / self.across * TILE);
        (x..(x + TILE).min(self.width), y..(y + TILE).min(self.height))
    }

    fn touch(&mut self, corners: &[Corner; 3]) {
        let [a, b, c] = corners;
        self.mark(a.x.min(b.x).min(c.x), a.y.min(b.y).min(c.y), a.x.max(b.x).max(c.x), a.y.max(b.y).max(c.y));
    }

    fn round(&mut self, x: f32, y: f32, radius: f32) {
        self.mark(x - radius, y - radius, x + radius, y + radius);
    }

    fn mark(&mut self, left: f32, top: f32, right: f32, bottom: f32) {
        if right < 0.0 || bottom < 0.0 || left >= self.width as f32 || top >= self.height as f32 {
            return;
        }
        let index = |v: f32, most: usize| (v.max(0.0) as usize / TILE).min(most - 1);
        for y in index(top, self.down)..=index(bottom, self.down) {
            for x in index(left, self.across)..=index(right, self.across) {
                self.touched[y * self.across + x] = true;
            }
        }
    }
}
