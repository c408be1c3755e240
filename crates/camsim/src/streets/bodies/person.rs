//! People: how they dress, walk and sit.

use glam::{Vec2, Vec3};

use super::{Body, Class, Joint, Part, Wish};
use crate::streets::dice::Dice;
use crate::streets::mesh::{Mesh, Skin};

const SKINS: [[u8; 3]; 4] = [[198, 152, 118], [182, 134, 100], [208, 166, 134], [160, 116, 86]];
const SHIRTS: [[u8; 3]; 14] = [
    [232, 232, 228],
    [40, 70, 140],
    [170, 40, 44],
    [60, 64, 70],
    [90, 130, 90],
    [220, 180, 70],
    [120, 60, 100],
    [150, 190, 220],
    [230, 150, 160],
    [28, 30, 34],
    [110, 86, 60],
    [200, 110, 50],
    [70, 120, 130],
    [176, 176, 170],
];
const TROUSERS: [[u8; 3]; 7] = [[30, 32, 40], [50, 60, 90], [80, 76, 70], [110, 100, 84], [26, 26, 28], [120, 130, 140], [90, 40, 50]];
const PONCHOS: [[u8; 3]; 5] = [[60, 110, 200], [80, 170, 90], [230, 200, 60], [200, 90, 150], [210, 214, 220]];

/// What someone wears, and how large they are.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::streets) struct Dress {
    tall: f32,
    skin: [u8; 3],
    hair: [u8; 3],
    shirt: [u8; 3],
    trousers: [u8; 3],
    /// Bare legs, or a skirt down to them.
    short: bool,
    long_hair: bool,
    hat: Hat,
    poncho: Option<[u8; 3]>,
    carries: Carries,
    bulk: f32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hat {
    None,
    Cone,
    Cap([u8; 3]),
    Helmet([u8; 3]),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carries {
    Nothing,
    Pole,
    Satchel,
    Bag,
}

impl Dress {
    pub(in crate::streets) fn new(wish: &Wish, dice: &mut Dice) -> Self {
        let kind = wish.kind.as_deref();
        let child = kind == Some("child") || (kind.is_none() && dice.chance(0.15));
        let hat = match kind {
            Some("cone-hat") => Hat::Cone,
            None if dice.chance(0.22) => Hat::Cone,
            None if dice.chance(0.18) => Hat::Cap(dice.pick(&SHIRTS)),
            _ => Hat::None,
        };
        let uniform = kind == Some("uniform") || (child && dice.chance(0.6));
        let shirt = if uniform { [236, 236, 234] } else { wish.colour.unwrap_or_else(|| dice.pick(&SHIRTS)) };
        let grey = dice.chance(0.12);
        let carries = match dice.below(10) {
            0 if hat == Hat::Cone => Carries::Pole,
            1 if child => Carries::Satchel,
            2 | 3 if child => Carries::Satchel,
            4 | 5 => Carries::Bag,
            _ => Carries::Nothing,
        };
        Self {
            tall: if child { dice.between(1.05, 1.4) } else { dice.between(1.5, 1.76) },
            skin: dice.pick(&SKINS),
            hair: if grey && !child { [150, 148, 144] } else { [24, 20, 18] },
            shirt,
            trousers: if uniform { [30, 40, 80] } else { dice.pick(&TROUSERS) },
            short: dice.chance(0.25),
            long_hair: dice.chance(0.4),
            hat,
            poncho: dice.chance(0.05).then(|| dice.pick(&PONCHOS)),
            carries,
            bulk: dice.between(0.88, 1.15),
        }
    }

    /// The same one on a motorbike: with a helmet or without.
    pub(super) fn riding(mut self, helmet: bool, dice: &mut Dice) -> Self {
        let shells = [[30, 30, 32], [200, 40, 44], [230, 230, 226], [40, 80, 150], [240, 150, 40], [90, 140, 110], [210, 120, 150]];
        self.hat = if helmet { Hat::Helmet(dice.pick(&shells)) } else { Hat::None };
        self.carries = Carries::Nothing;
        self
    }

    pub(super) fn tall(&self) -> f32 {
        self.tall
    }

    fn leg(&self) -> Skin {
        Skin::matt(if self.short { self.skin } else { self.trousers })
    }

    /// Shoulders to hips between two heights, leaning forward by `lean`.
    fn torso(&self, mesh: &mut Mesh, hips: Vec3, shoulders: Vec3) {
        let cloth = Skin::matt(self.poncho.unwrap_or(self.shirt));
        let size = self.tall / 1.65 * self.bulk;
        let oval = |centre: Vec3, deep: f32, wide: f32| -> Vec<Vec2> {
            (0..8)
                .map(|i| {
                    let turn = i as f32 * core::f32::consts::FRAC_PI_4;
                    Vec2::new(centre.x + libm::cosf(turn) * deep * size, centre.y + libm::sinf(turn) * wide * size)
                })
                .collect()
        };
        let waist = hips.lerp(shoulders, 0.35);
        let chest = hips.lerp(shoulders, 0.85);
        mesh.frustum(
            &oval(hips, 0.125, 0.175),
            &oval(waist, 0.115, 0.16),
            hips.z - 0.06,
            waist.z,
            if self.poncho.is_some() { cloth } else { self.leg_top() },
        );
        mesh.frustum(&oval(waist, 0.115, 0.16), &oval(chest, 0.125, 0.205), waist.z - 0.03, chest.z, cloth);
        mesh.frustum(&oval(chest, 0.125, 0.205), &oval(shoulders, 0.07, 0.12), chest.z, shoulders.z + 0.05 * size, cloth);
        if self.poncho.is_some() {
            let hem = hips.lerp(shoulders, -0.55);
            mesh.frustum(&oval(hem, 0.24, 0.3), &oval(chest, 0.13, 0.22), hem.z, chest.z, cloth);
        }
    }

    fn leg_top(&self) -> Skin {
        Skin::matt(self.trousers)
    }

    /// Head, hair and hat on a neck at `at`.
    fn head(&self, at: Vec3) -> Part {
        let mut mesh = Mesh::default();
        let size = (self.tall / 1.65).max(0.82);
        let skin = Skin::matt(self.skin);
        let centre = at + Vec3::new(0.015, 0.0, 0.13 * size);
        mesh.bar(at - Vec3::Z * 0.03, centre, [0.052 * size; 2], 6, skin);
        mesh.ellipsoid(centre, Vec3::new(0.095, 0.08, 0.118) * size, 10, skin);
        let hair = Skin::matt(self.hair);
        match self.hat {
            Hat::Helmet(shell) => {
                let round = Vec3::new(0.148, 0.13, 0.14) * size;
                mesh.dome(centre + Vec3::new(-0.01, 0.0, 0.02) * size, round, 12, -0.25, 1.0, Skin::shiny(shell, 0.35));
                mesh.dome(centre + Vec3::new(0.05, 0.0, 0.035) * size, round * 0.88, 8, 0.0, 0.5, Skin::matt([26, 26, 28]));
            }
            _ => {
                let back = centre + Vec3::new(-0.018, 0.0, 0.012) * size;
                mesh.dome(back, Vec3::new(0.1, 0.09, 0.122) * size, 10, 0.05, 1.0, hair);
                mesh.ellipsoid(back + Vec3::new(-0.045, 0.0, -0.02) * size, Vec3::new(0.06, 0.08, 0.1) * size, 8, hair);
                if self.long_hair {
                    mesh.ellipsoid(back + Vec3::new(-0.06, 0.0, -0.14) * size, Vec3::new(0.05, 0.075, 0.16) * size, 8, hair);
                }
            }
        }
        match self.hat {
            Hat::Cone => {
                let straw = Skin::matt([222, 204, 154]);
                let rim = centre + Vec3::Z * 0.055;
                mesh.bar(rim, rim + Vec3::Z * 0.2, [0.235, 0.012], 14, straw);
                mesh.bar(rim + Vec3::Z * 0.001, rim - Vec3::Z * 0.012, [0.235, 0.2], 14, Skin::matt([150, 134, 96]));
            }
            Hat::Cap(colour) => {
                let cloth = Skin::matt(colour);
                mesh.dome(centre + Vec3::Z * 0.03, Vec3::new(0.112, 0.1, 0.115) * size, 10, 0.1, 1.0, cloth);
                let peak = centre + Vec3::new(0.12, 0.0, 0.055) * size;
                mesh.ellipsoid(peak, Vec3::new(0.075, 0.075, 0.015), 8, cloth);
            }
            Hat::None | Hat::Helmet(_) => {}
        }
        Part { mesh, ..Part::default() }
    }
}

/// Someone on foot.
pub(super) fn walker(dress: &Dress, dice: &mut Dice) -> Body {
    let tall = dress.tall;
    let size = tall / 1.65;
    let (hip, shoulder) = (0.5 * tall, 0.81 * tall);
    let mut trunk = Mesh::default();
    dress.torso(&mut trunk, Vec3::Z * hip, Vec3::new(0.01, 0.0, shoulder));
    let mut parts = vec![Part { mesh: trunk, ..Part::default() }, dress.head(Vec3::new(0.01, 0.0, shoulder + 0.05 * size))];
    let swing = dice.between(0.38, 0.52);
    for (side, phase) in [(-1.0f32, 0.0), (1.0, core::f32::consts::PI)] {
        let mut leg = Mesh::default();
        let top = Vec3::new(0.0, side * 0.085 * size, hip);
        let foot = Vec3::new(0.0, side * 0.09 * size, 0.06);
        leg.bar(top, top.lerp(foot, 0.5), [0.085 * size * dress.bulk, 0.062 * size], 6, Skin::matt(dress.trousers));
        leg.bar(top.lerp(foot, 0.5), foot, [0.06 * size, 0.045 * size], 6, dress.leg());
        leg.cuboid(foot + Vec3::new(-0.08, -0.045, -0.06), foot + Vec3::new(0.16, 0.045, 0.02), Skin::matt([44, 38, 34]));
        let joint = Joint { pivot: top, swing, phase };
        parts.push(Part { mesh: leg, joint: Some(joint), mark: None });
        let mut arm = Mesh::default();
        let top = Vec3::new(0.0, side * 0.215 * size * dress.bulk, shoulder - 0.03);
        let hand = top + Vec3::new(0.06, side * 0.03, -0.36 * tall);
        arm.bar(top, top.lerp(hand, 0.5), [0.055 * size, 0.045 * size], 6, Skin::matt(dress.shirt));
        arm.bar(top.lerp(hand, 0.5), hand, [0.042 * size, 0.032 * size], 6, Skin::matt(dress.skin));
        if dress.carries == Carries::Bag && side > 0.0 {
            let tones = [[220, 60, 60], [240, 240, 240], [60, 90, 170], [40, 40, 44]];
            arm.ellipsoid(hand - Vec3::Z * 0.2, Vec3::new(0.16, 0.09, 0.19), 8, Skin::matt(dice.pick(&tones)));
        }
        let joint = Joint { pivot: top, swing: swing * 0.7, phase: phase + core::f32::consts::PI };
        parts.push(Part { mesh: arm, joint: Some(joint), mark: None });
    }
    let mut load = Mesh::default();
    match dress.carries {
        Carries::Pole => {
            let at = Vec3::new(0.0, 0.1, shoulder + 0.06);
            load.bar(at - Vec3::X * 0.75, at + Vec3::X * 0.75, [0.025; 2], 6, Skin::matt([150, 118, 70]));
            for end in [-0.7f32, 0.7] {
                let basket = Vec3::new(end, 0.1, 0.42);
                load.bar(basket, basket + Vec3::Z * 0.22, [0.16, 0.24], 10, Skin::matt([176, 140, 84]));
                load.ellipsoid(
                    basket + Vec3::Z * 0.24,
                    Vec3::new(0.2, 0.2, 0.1),
                    8,
                    Skin::matt(dice.pick(&[[90, 140, 60], [200, 90, 50], [220, 200, 90]])),
                );
                load.bar(basket + Vec3::Z * 0.2, at + Vec3::X * end, [0.008; 2], 3, Skin::matt([120, 110, 90]));
            }
        }
        Carries::Satchel => {
            let back = Vec3::new(-0.19 * size, 0.0, shoulder - 0.2 * size);
            load.ellipsoid(back, Vec3::new(0.09, 0.14, 0.2) * size, 8, Skin::matt(dice.pick(&SHIRTS)));
        }
        Carries::Nothing | Carries::Bag => {}
    }
    if !load.triangles.is_empty() {
        parts.push(Part { mesh: load, ..Part::default() });
    }
    Body { parts, stride: 1.35 * size, ..Body::default() }.measured()
}

/// Someone who sits: on a seat, hands and feet given for the left side, mirrored for the right.
pub(super) fn sitter(dress: &Dress, seat: Vec3, hands: Vec3, feet: Vec3, marked: bool) -> Body {
    let size = dress.tall / 1.65;
    let hips = seat + Vec3::Z * 0.1 * size;
    let shoulders = hips + Vec3::new(0.1, 0.0, 0.5) * size;
    let mut mesh = Mesh::default();
    dress.torso(&mut mesh, hips, shoulders);
    for side in [-1.0f32, 1.0] {
        let mirror = |p: Vec3| Vec3::new(p.x, p.y * side, p.z);
        let hip = hips + Vec3::new(0.02, side * 0.1 * size, -0.02);
        let foot = mirror(feet);
        // The knee: half way, forward and out.
        let knee = hip.lerp(foot, 0.5) + Vec3::new(0.2, side * 0.05, 0.13) * size;
        mesh.bar(hip, knee, [0.085 * size, 0.065 * size], 6, Skin::matt(dress.trousers));
        mesh.bar(knee, foot, [0.062 * size, 0.045 * size], 6, dress.leg());
        mesh.cuboid(foot + Vec3::new(-0.07, -0.045, -0.05), foot + Vec3::new(0.15, 0.045, 0.02), Skin::matt([40, 36, 32]));
        let shoulder = shoulders + Vec3::new(0.0, side * 0.2 * size * dress.bulk, -0.03);
        let hand = mirror(hands);
        let elbow = shoulder.lerp(hand, 0.5) + Vec3::new(-0.03, side * 0.06, -0.08) * size;
        mesh.bar(shoulder, elbow, [0.055 * size, 0.046 * size], 6, Skin::matt(dress.poncho.unwrap_or(dress.shirt)));
        mesh.bar(elbow, hand, [0.044 * size, 0.034 * size], 6, Skin::matt(dress.skin));
    }
    let mut head = dress.head(shoulders + Vec3::new(0.02, 0.0, 0.05 * size));
    if marked {
        head.mark = Some(if matches!(dress.hat, Hat::Helmet(_)) { Class::Helmet } else { Class::BareHead });
    }
    Body { class: Some(Class::Person), parts: vec![Part { mesh, ..Part::default() }, head], ..Body::default() }.measured()
}
