//! Ordinary road users: who comes when, so that nobody drives through anybody of their own lane.

use glam::Vec2;

use super::path::Path;
use super::script::usual_speed;
use super::{Mistake, Scenario, Timeline, Traffic, way};
use crate::streets::bodies::{Body, Class, Wish};
use crate::streets::dice::Dice;
use crate::streets::places::{Place, Use};

/// Somebody who stands in the road for a while: those who come by go round.
#[derive(Clone, Copy, Debug)]
pub(in crate::streets) struct Stopped {
    pub(in crate::streets) from: f64,
    pub(in crate::streets) to: f64,
    pub(in crate::streets) at: Vec2,
    /// Half its width.
    pub(in crate::streets) half: f32,
}

/// One road user: its body, when it appears, and its movement.
pub(in crate::streets) struct User {
    pub(in crate::streets) body: Body,
    pub(in crate::streets) at: f64,
    pub(in crate::streets) timeline: Timeline,
}

/// Who shares a track on the lane and must keep a distance.
#[derive(Clone, Copy, PartialEq)]
enum Row {
    Wide,
    Narrow,
    Feet,
}

/// Rolls everybody of a scenario.
///
/// # Errors
/// When a way is unknown.
pub(in crate::streets) fn roll(scenario: &Scenario, place: &Place, stopped: &[Stopped], seed: u64) -> Result<Vec<User>, Mistake> {
    let mut users = Vec::new();
    for (i, traffic) in scenario.traffic.iter().enumerate() {
        let mut dice = Dice::new(seed, &format!("traffic {i}"));
        on_way(traffic, scenario.seconds, place, stopped, &mut dice, &mut users)?;
    }
    Ok(users)
}

fn on_way(
    traffic: &Traffic,
    round: f64,
    place: &Place,
    stopped: &[Stopped],
    dice: &mut Dice,
    users: &mut Vec<User>,
) -> Result<(), Mistake> {
    let way = way(place, &traffic.way, &format!("traffic on {:?}", traffic.way))?;
    let path = Path::new(way.line.iter().copied());
    let classes: Vec<_> = traffic.classes.keys().copied().collect();
    let weights: Vec<_> = traffic.classes.values().copied().collect();
    let count = (f64::from(traffic.per_minute) * round / 60.0).round() as usize;
    // Row, seconds it enters and leaves, and whether it goes the other way round.
    let mut taken: Vec<(Row, f64, f64)> = Vec::new();
    for i in 0..count {
        let class = classes[dice.weighted(&weights)];
        let body = Body::new(class, &Wish::default(), dice);
        let [low, high] = traffic.speed.unwrap_or_else(|| usual_speed(class));
        let speed = dice.between(low, high);
        // Feet walk to and fro, and beside each other.
        let back = way.kind == Use::Walk && dice.chance(0.5);
        let side = match row(class) {
            _ if way.kind == Use::Walk => dice.between(-0.45, 0.45),
            Row::Wide => dice.between(-0.15, 0.2),
            Row::Narrow => dice.between(-1.25, -0.85),
            Row::Feet => dice.between(-1.6, -1.3),
        };
        let lasts = f64::from(path.length() / speed);
        let wished = (i as f64 + f64::from(dice.unit())) / count as f64 * round;
        let gap = f64::from(body.size.x / speed) + 0.9;
        let lane = row(class);
        // A little later, until there is room; whoever finds none stays at home.
        let free = (0..60).map(|k| (wished + f64::from(k) * 0.5) % round).find(|at| {
            way.kind == Use::Walk
                || taken.iter().all(|(row, enters, leaves)| {
                    *row != lane || [-round, 0.0, round].iter().all(|shift| apart(*at, at + lasts, enters + shift, leaves + shift, gap))
                })
        });
        let Some(at) = free else { continue };
        taken.push((lane, at, at + lasts));
        let line = if back { path.reversed() } else { path.clone() };
        let points = around(&line, side, &body, at, speed, stopped, round);
        let long = if class.drives() { body.size.x * 0.6 } else { 0.6 };
        users.push(User { timeline: Timeline::cruise(points, speed, long), body, at });
    }
    Ok(())
}

fn row(class: Class) -> Row {
    match class {
        Class::Motorcycle | Class::Bicycle => Row::Narrow,
        Class::Car | Class::Truck | Class::Bus | Class::Tractor => Row::Wide,
        _ => Row::Feet,
    }
}

/// Whether two keep their distance all the way: one is before the other at both ends.
fn apart(enters: f64, leaves: f64, other_enters: f64, other_leaves: f64, gap: f64) -> bool {
    (enters > other_enters + gap && leaves > other_leaves + gap) || (enters < other_enters - gap && leaves < other_leaves - gap)
}

/// The line of one road user, with a bend to the left round whoever stands in its way at that time.
fn around(path: &Path, side: f32, body: &Body, at: f64, speed: f32, stopped: &[Stopped], round: f64) -> Vec<Vec2> {
    let steps = (path.length() / 2.0).ceil() as usize;
    (0..=steps)
        .map(|i| {
            let along = path.length() * i as f32 / steps as f32;
            let here = path.at(along);
            let heading = path.heading(along, 1.0).unwrap_or(0.0);
            let left = Vec2::new(-libm::sinf(heading), libm::cosf(heading));
            let ahead = Vec2::new(left.y, -left.x);
            let when = (at + f64::from(along / speed)) % round;
            let mut bend: f32 = 0.0;
            for s in stopped.iter().filter(|s| (s.from - 2.0..s.to + 2.0).contains(&when)) {
                let off = s.at - here;
                let lies = off.dot(left);
                let need = lies + s.half + body.size.y / 2.0 + 0.35 - side;
                // Beside the lane, or far off it: no need.
                if need <= 0.0 || lies < side - 3.0 || lies > side + 1.5 {
                    continue;
                }
                let near = 1.0 - ((off.dot(ahead).abs() - 4.0) / 9.0).clamp(0.0, 1.0);
                bend = bend.max(need * near * near * (3.0 - 2.0 * near));
            }
            here + left * (side + bend)
        })
        .collect()
}
