//! Where the tiles of a wall lie. Pure.
//!
//! Belongs here: rectangles. Does not belong here: which camera is in which, what is written on it.

use crate::protocol::wall::{Rect, SIZE, TILES_MAX};

/// Height of the line with the village's name and the clock, pixels.
pub const HEAD: u32 = 60;
/// Shape of a tile, as cameras have it.
const SHAPE: (u32, u32) = (16, 9);

/// The line at the top.
#[must_use]
pub fn head() -> Rect {
    Rect { x: 0, y: 0, w: SIZE.0, h: HEAD }
}

/// What is left for tiles.
fn area() -> Rect {
    Rect { x: 0, y: HEAD, w: SIZE.0, h: SIZE.1 - HEAD }
}

/// So many tiles of one size, row by row, as large as they can be; at most [`TILES_MAX`].
#[must_use]
pub fn even(tiles: usize) -> Vec<Rect> {
    grid(tiles.min(TILES_MAX), area())
}

/// The same, the first tile large and the others around it: to its right and below.
#[must_use]
pub fn grown(tiles: usize) -> Vec<Rect> {
    let tiles = tiles.min(TILES_MAX);
    let all = area();
    if tiles < 2 {
        return grid(tiles, all);
    }
    let side = Rect { x: all.x + down(all.w * 2 / 3), y: all.y, w: all.w - down(all.w * 2 / 3), h: down(all.h * 2 / 3) };
    let below = Rect { x: all.x, y: all.y + side.h, w: all.w, h: all.h - side.h };
    let large = Rect { x: all.x, y: all.y, w: side.x - all.x, h: side.h };
    // As many beside it as the room there is of the whole room around: two fifths.
    let beside = ((tiles - 1) * 2).div_ceil(5);
    let mut places = grid(1, large);
    places.extend(grid(beside, side));
    places.extend(grid(tiles - 1 - beside, below));
    places
}

/// How many pages so many cameras have, at least one.
#[must_use]
pub fn pages(cameras: usize, tiles: usize) -> usize {
    cameras.div_ceil(tiles.max(1)).max(1)
}

/// Tiles of one size in the middle of a room.
fn grid(tiles: usize, room: Rect) -> Vec<Rect> {
    let Ok(count @ 1..) = u32::try_from(tiles) else { return Vec::new() };
    let size = |columns: u32| shaped(room.w / columns, room.h / count.div_ceil(columns));
    // Of two as large, the one with fewer columns has fewer places empty or is as good.
    let Some(columns) = (1..=count).max_by_key(|c| (size(*c).0 * size(*c).1, count - c)) else { return Vec::new() };
    let (w, h) = size(columns);
    let rows = count.div_ceil(columns);
    let (left, top) = (room.x + down((room.w - w * columns) / 2), room.y + down((room.h - h * rows) / 2));
    (0..count).map(|n| Rect { x: left + n % columns * w, y: top + n / columns * h, w, h }).collect()
}

/// The largest size of a tile's shape inside of another, even.
fn shaped(w: u32, h: u32) -> (u32, u32) {
    let (w, h) = if w * SHAPE.1 >= h * SHAPE.0 { (h * SHAPE.0 / SHAPE.1, h) } else { (w, w * SHAPE.1 / SHAPE.0) };
    (down(w), down(h))
}

fn down(v: u32) -> u32 {
    v / 2 * 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apart(a: &Rect, b: &Rect) -> bool {
        a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y
    }

    /// All there are is little enough to look at every one.
    #[test]
    fn tiles_are_inside_apart_even_and_in_shape() {
        for places in (0..=TILES_MAX).flat_map(|n| [(n, even(n)), (n, grown(n))]).map(|(n, p)| {
            assert_eq!(p.len(), n);
            p
        }) {
            for (n, place) in places.iter().enumerate() {
                assert!(place.is_sound() && place.y >= HEAD, "{place:?}");
                let shape = f64::from(place.w) / f64::from(place.h);
                // Even sizes are off by less than two pixels either way.
                let least = f64::from(place.w - 2) / f64::from(place.h + 2);
                let most = f64::from(place.w + 2) / f64::from(place.h - 2);
                assert!(least <= 16.0 / 9.0 && 16.0 / 9.0 <= most, "{shape} of {place:?}");
                assert!(places[..n].iter().all(|other| apart(place, other)), "{places:?}");
            }
        }
    }

    #[test]
    fn sizes_are_what_an_eye_expects() {
        let wide = |places: &[Rect]| places.iter().map(|p| p.w).collect::<Vec<_>>();
        assert_eq!(even(1)[0].h, SIZE.1 - HEAD);
        assert_eq!((even(4)[0].w, even(4)[3].x > even(4)[0].x), (906, true));
        // Nine are three by three, thirty-six six by six.
        assert_eq!((even(9)[3].x, even(9)[3].y), (even(9)[0].x, even(9)[0].y + even(9)[0].h));
        assert_eq!(even(36)[6].x, even(36)[0].x);
        assert!(even(36)[0].h >= 168, "{:?}", even(36)[0]);
        for n in 2..=TILES_MAX {
            let wide = wide(&grown(n));
            assert!(wide[1..].iter().all(|w| *w < wide[0]), "{n}: {wide:?}");
            // Larger than it was.
            assert!(n < 3 || wide[0] > even(n)[0].w, "{n}");
        }
    }

    #[test]
    fn more_than_a_screen_takes_comes_in_pages() {
        assert_eq!((even(40).len(), grown(99).len()), (TILES_MAX, TILES_MAX));
        for (cameras, tiles, count) in [(0, 9, 1), (9, 9, 1), (10, 9, 2), (30, 16, 2), (30, 1, 30), (5, 0, 5)] {
            assert_eq!(pages(cameras, tiles), count, "{cameras} {tiles}");
        }
    }
}
