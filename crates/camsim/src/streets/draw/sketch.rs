//! The truth of a picture: which things are in it, in which box, and how much of each can be seen.
//!
//! Boxes come from the shapes themselves, in fractions of the picture, so that they hold at any resolution; what hides
//! what is counted on a small canvas without light.

use serde::{Serialize, Serializer};

use super::backdrop;
use super::raster::{Canvas, Corner, nearest};
use super::screen::Screen;
use super::thing::{self, Thing};
use crate::streets::bodies::{Body, Class};
use crate::streets::mesh::Signal;
use crate::streets::places::Place;

/// Canvas width; the height follows the picture's.
const WIDTH: usize = 480;

/// One thing in a picture.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sight {
    /// Its track.
    pub track: u32,
    /// Its word.
    pub class: &'static str,
    /// The track of what it belongs to: a rider's motorbike, a plate's car.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<u32>,
    /// Left, top, right, bottom as fractions of the picture, cut off at its edges.
    #[serde(rename = "box", serialize_with = "plain")]
    pub bounds: [f32; 4],
    /// The share of the whole thing that lies within the picture.
    #[serde(serialize_with = "one")]
    pub inside: f32,
    /// The share of what lies within the picture that nothing hides.
    #[serde(serialize_with = "one")]
    pub visible: f32,
    /// How many ride on it; left out where nobody can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub riders: Option<u32>,
    /// How many of them wear a helmet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub helmets: Option<u32>,
    /// What a traffic light shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<Signal>,
}

/// A number as it was rounded: 0.12, not 0.11999999731779099.
fn one<S: Serializer>(v: &f32, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64((f64::from(*v) * 1e4).round() / 1e4)
}

fn plain<S: Serializer>(bounds: &[f32; 4], to: S) -> Result<S::Ok, S::Error> {
    bounds.map(|v| (f64::from(v) * 1e4).round() / 1e4).serialize(to)
}

/// Reckons truth for one place at one shape of picture.
#[derive(Clone, Debug)]
pub struct Sketch {
    screen: Screen,
    still: Vec<f32>,
    canvas: Canvas,
    mark: Vec<u16>,
}

/// What was drawn under one owner.
struct Tally {
    sight: Sight,
    /// Canvas pixels: left, top, right, bottom, not cut off.
    reach: [f32; 4],
    area: u32,
}

impl Sketch {
    /// A sketch for pictures of this shape.
    #[must_use]
    pub fn new(place: &Place, width: usize, height: usize) -> Self {
        let screen = Screen { view: place.view, width: WIDTH, height: (WIDTH * height).div_ceil(width) };
        let pixels = screen.width * screen.height;
        let mut still = vec![0.0; pixels];
        let mut which = vec![0; pixels];
        for triangle in &place.solid.triangles {
            screen.clipped(triangle.p, |corners| nearest(screen.width, screen.height, corners, 0, &mut still, &mut which));
        }
        backdrop::lay_ground(&screen, &mut still);
        Self { screen, still, canvas: Canvas::new(screen.width, screen.height), mark: vec![0; pixels] }
    }

    /// Width and height of its canvas: the picture's shape.
    pub(in crate::streets) fn shape(&self) -> (usize, usize) {
        (self.screen.width, self.screen.height)
    }

    /// Everything of `things` that falls into the picture at `seconds`, riders and marked parts on their own.
    pub fn sights(&mut self, things: &[Thing<'_>], seconds: f64) -> Vec<Sight> {
        self.canvas.near.copy_from_slice(&self.still);
        self.canvas.owner.fill(0);
        self.mark.fill(0);
        let mut tallies: Vec<Tally> = Vec::new();
        for thing in things {
            let mut track = thing.track;
            self.body(thing, thing.body, None, &mut track, &mut tallies, seconds);
        }
        let mut seen = vec![0u32; tallies.len() + 1];
        for owner in &self.canvas.owner {
            seen[usize::from(*owner)] += 1;
        }
        self.settle(&mut tallies, &mut seen)
    }

    fn body(&mut self, thing: &Thing<'_>, body: &Body, of: Option<u32>, track: &mut u32, tallies: &mut Vec<Tally>, seconds: f64) {
        let own = *track;
        *track += 1;
        let stance = thing.stance();
        let class = body.class.unwrap_or(Class::Person);
        let at = tallies.len();
        tallies.push(Tally::new(own, class, of));
        tallies[at].sight.signal = thing.signal;
        if matches!(class, Class::Motorcycle | Class::Bicycle) {
            let wears = |b: &&Body| b.parts.iter().any(|p| p.mark == Some(Class::Helmet));
            tallies[at].sight.riders = Some(body.riders.len() as u32);
            tallies[at].sight.helmets = Some(body.riders.iter().filter(wears).count() as u32);
        }
        for part in &body.parts {
            let posed = thing::pose(part, &stance, thing.gone, body.stride);
            let owner = match part.mark {
                None => at,
                Some(mark) => {
                    tallies.push(Tally::new(*track, mark, Some(own)));
                    *track += 1;
                    tallies.len() - 1
                }
            };
            let Self { screen, canvas, mark, .. } = self;
            thing::outline(&part.mesh, &posed, screen, |corners| {
                let tally = &mut tallies[owner];
                tally.grow(corners);
                tally.area += canvas.cover(corners, owner as u16 + 1, mark);
                canvas.triangle(corners, owner as u16 + 1);
            });
            // A marked part is a part of the whole all the same.
            if owner != at {
                let reach = tallies[owner].reach;
                tallies[at].take(reach);
            }
        }
        if let Some(source) = &body.puffs {
            let tally = &mut tallies[at];
            for puff in source.puffs(seconds as f32).iter().filter(|p| p.cover > 0.2) {
                let Some(corner) = self.screen.corner(stance.turn * puff.at + stance.at) else { continue };
                // The rim of a puff is thin air.
                let r = self.screen.metre(1.0 / corner.near) * puff.radius * 0.8;
                let square = [(-r, -r), (r, -r), (r, r), (-r, r)].map(|(dx, dy)| Corner { x: corner.x + dx, y: corner.y + dy, ..corner });
                for [a, b, c] in [[0, 1, 2], [0, 2, 3]] {
                    let corners = [square[a], square[b], square[c]];
                    tally.grow(&corners);
                    tally.area += self.canvas.cover(&corners, at as u16 + 1, &mut self.mark);
                    self.canvas.triangle(&corners, at as u16 + 1);
                }
            }
        }
        for rider in &body.riders {
            self.body(thing, rider, Some(own), track, tallies, seconds);
        }
    }

    /// Turns counts into shares and drops what is not in the picture.
    fn settle(&self, tallies: &mut Vec<Tally>, seen: &mut [u32]) -> Vec<Sight> {
        let (width, height) = (self.screen.width as f32, self.screen.height as f32);
        // What a marked part shows or hides counts for its owner as well.
        for i in 0..tallies.len() {
            let is_part = matches!(tallies[i].sight.class, "helmet" | "bare-head" | "plate");
            if let Some(owner) = tallies[i].sight.of.filter(|_| is_part)
                && let Some(j) = tallies.iter().position(|t| t.sight.track == owner)
            {
                tallies[j].area += tallies[i].area;
                seen[j + 1] += seen[i + 1];
            }
        }
        let mut sights = Vec::new();
        for (i, mut tally) in tallies.drain(..).enumerate() {
            let [left, top, right, bottom] = tally.reach;
            let cut = [left.max(0.0), top.max(0.0), right.min(width), bottom.min(height)];
            if tally.area == 0 || cut[2] <= cut[0] || cut[3] <= cut[1] {
                continue;
            }
            let surface = |b: [f32; 4]| (b[2] - b[0]) * (b[3] - b[1]);
            tally.sight.bounds = [cut[0] / width, cut[1] / height, cut[2] / width, cut[3] / height].map(|v| thousandths(v, 10.0));
            tally.sight.inside = thousandths(surface(cut) / surface(tally.reach).max(1e-6), 1.0);
            tally.sight.visible = thousandths(seen[i + 1] as f32 / tally.area as f32, 1.0).min(1.0);
            sights.push(tally.sight);
        }
        sights
    }
}

impl Sight {
    /// Moves the box with a shaken picture, by parts of the picture's width.
    pub(in crate::streets) fn shift(&mut self, dx: f32, dy: f32, (width, height): (usize, usize)) {
        let dy = dy * width as f32 / height as f32;
        for (v, d) in self.bounds.iter_mut().zip([dx, dy, dx, dy]) {
            *v = thousandths((*v + d).clamp(0.0, 1.0), 10.0);
        }
    }
}

/// Rounded to a thousandth, or finer: a line of truth is read by people too.
fn thousandths(v: f32, finer: f32) -> f32 {
    (v * 1000.0 * finer).round() / (1000.0 * finer)
}

impl Tally {
    fn new(track: u32, class: Class, of: Option<u32>) -> Self {
        let sight = Sight {
            track,
            class: class.word(),
            of,
            bounds: [0.0; 4],
            inside: 0.0,
            visible: 0.0,
            riders: None,
            helmets: None,
            signal: None,
        };
        Self { sight, reach: [f32::MAX, f32::MAX, f32::MIN, f32::MIN], area: 0 }
    }

    fn grow(&mut self, corners: &[Corner; 3]) {
        for c in corners {
            self.take([c.x, c.y, c.x, c.y]);
        }
    }

    fn take(&mut self, [left, top, right, bottom]: [f32; 4]) {
        let reach = &mut self.reach;
        *reach = [reach[0].min(left), reach[1].min(top), reach[2].max(right), reach[3].max(bottom)];
    }
}
