//! A Kalman filter for a box that moves at a nearly constant velocity.
//!
//! Belongs here: the filter, in seconds and in units of the plane. Does not belong here: whose box it is.
//! The four coordinates of a box (centre, width, height) have independent noise, so the eight-dimensional filter other
//! trackers carry falls apart into four filters of two numbers each: exact, without a matrix. The noise is given per
//! second, not per frame: two frames of 100 ms spread the state exactly as one of 200 ms does.

use crate::plane::{Rect, Vec2};

/// Deviations as parts of the box's scale; rates are per √second.
mod noise {
    /// Of a detection's edge against the truth.
    pub(super) const MEASURED: f64 = 0.07;
    /// Of the place, beyond what velocity explains (a detector's slow mood).
    pub(super) const PLACE: f64 = 0.15;
    /// Of the velocity.
    pub(super) const SPEED: f64 = 1.0;
    /// Of the rate at which the size changes.
    pub(super) const GROWTH: f64 = 0.3;
    /// Of a velocity nothing is known about yet.
    pub(super) const SPEED_AT_BIRTH: f64 = 2.0;
}

/// One coordinate: value, rate, and their covariance.
#[derive(Clone, Copy, Debug)]
struct Axis {
    value: f64,
    rate: f64,
    vv: f64,
    vr: f64,
    rr: f64,
}

impl Axis {
    fn new(value: f64, value_dev: f64, rate_dev: f64) -> Self {
        Self { value, rate: 0.0, vv: value_dev * value_dev, vr: 0.0, rr: rate_dev * rate_dev }
    }

    fn predict(&mut self, dt: f64, value_dev: f64, rate_dev: f64) {
        let (qv, qr) = (value_dev * value_dev, rate_dev * rate_dev);
        self.value += self.rate * dt;
        self.vv += 2.0 * dt * self.vr + dt * dt * self.rr + qv * dt + qr * dt * dt * dt / 3.0;
        self.vr += dt * self.rr + qr * dt * dt / 2.0;
        self.rr += qr * dt;
    }

    fn correct(&mut self, measured: f64, dev: f64) {
        let total = self.vv + dev * dev;
        let (kv, kr) = (self.vv / total, self.vr / total);
        let off = measured - self.value;
        self.value += kv * off;
        self.rate += kr * off;
        self.rr -= kr * self.vr;
        self.vr *= 1.0 - kv;
        self.vv *= 1.0 - kv;
    }
}

/// A moving box.
#[derive(Clone, Debug)]
pub(crate) struct BoxFilter {
    x: Axis,
    y: Axis,
    w: Axis,
    h: Axis,
}

impl BoxFilter {
    pub(crate) fn new(r: &Rect) -> Self {
        let (s, c) = (r.scale(), r.centre());
        let at = |value, speed: f64| Axis::new(value, noise::MEASURED * s, speed * s);
        Self {
            x: at(c.x, noise::SPEED_AT_BIRTH),
            y: at(c.y, noise::SPEED_AT_BIRTH),
            w: at(r.width(), noise::GROWTH),
            h: at(r.height(), noise::GROWTH),
        }
    }

    /// Lets `dt` seconds pass. `unseen`: the thing is out of sight, so its size is kept.
    pub(crate) fn predict(&mut self, dt: f64, unseen: bool) {
        let s = self.rect().scale();
        if unseen {
            (self.w.rate, self.h.rate) = (0.0, 0.0);
        }
        for axis in [&mut self.x, &mut self.y] {
            axis.predict(dt, noise::PLACE * s, noise::SPEED * s);
        }
        for axis in [&mut self.w, &mut self.h] {
            axis.predict(dt, noise::PLACE * s, noise::GROWTH * s);
        }
    }

    pub(crate) fn correct(&mut self, r: &Rect) {
        let (s, c) = (self.rect().scale(), r.centre());
        let dev = noise::MEASURED * s;
        self.x.correct(c.x, dev);
        self.y.correct(c.y, dev);
        self.w.correct(r.width(), dev);
        self.h.correct(r.height(), dev);
    }

    pub(crate) fn rect(&self) -> Rect {
        // a shrinking thing never turns inside out
        let (w, h) = (self.w.value.max(1e-4) / 2.0, self.h.value.max(1e-4) / 2.0);
        Rect { x1: self.x.value - w, y1: self.y.value - h, x2: self.x.value + w, y2: self.y.value + h }
    }

    pub(crate) fn velocity(&self) -> Vec2 {
        Vec2 { x: self.x.rate, y: self.y.rate }
    }

    /// One standard deviation of the place.
    pub(crate) fn doubt(&self) -> f64 {
        self.x.vv.max(self.y.vv).max(0.0).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Rect = Rect { x1: 0.1, y1: 0.1, x2: 0.2, y2: 0.3 };

    #[test]
    fn the_filter_learns_a_velocity_at_any_frame_rate() {
        for fps in [2.0_f64, 5.0, 15.0, 25.0] {
            let mut f = BoxFilter::new(&START);
            for i in 1..=(fps * 4.0) as u32 {
                let t = f64::from(i) / fps;
                f.predict(1.0 / fps, false);
                f.correct(&Rect { x1: START.x1 + 0.2 * t, x2: START.x2 + 0.2 * t, ..START });
            }
            assert!((f.velocity().x - 0.2).abs() < 0.01, "{fps} fps: {:?}", f.velocity());
            assert!(f.velocity().y.abs() < 1e-9);
        }
    }

    #[test]
    fn doubt_grows_alike_in_one_step_or_ten() {
        let (mut one, mut ten) = (BoxFilter::new(&START), BoxFilter::new(&START));
        one.predict(1.0, false);
        (0..10).for_each(|_| ten.predict(0.1, false));
        assert!((one.doubt() / ten.doubt() - 1.0).abs() < 1e-9);
    }
}
