//! What there is to see.

use crate::vector::Vector;

/// How often a ray is reflected at most.
const BOUNCES: u32 = 4;

/// Keeps a ray from meeting the surface that it starts on.
const CLEARANCE: f64 = 1e-6;

const LIGHT: Vector = Vector::new(-3.0, 5.0, -4.0);

struct Sphere {
    centre: Vector,
    radius: f64,
    colour: Vector,
    /// From 0 (dull) to 1 (a mirror).
    shine: f64,
}

const SPHERES: [Sphere; 3] = [
    Sphere {
        centre: Vector::new(-1.35, 0.55, 0.9),
        radius: 1.05,
        colour: Vector::new(0.85, 0.12, 0.08),
        shine: 0.2,
    },
    Sphere {
        centre: Vector::new(0.75, 0.3, 0.4),
        radius: 0.8,
        colour: Vector::new(0.9, 0.9, 0.92),
        shine: 0.75,
    },
    Sphere {
        centre: Vector::new(-0.15, -0.2, -1.1),
        radius: 0.3,
        colour: Vector::new(0.1, 0.35, 0.85),
        shine: 0.3,
    },
];

/// The height of the floor.
const FLOOR: f64 = -0.5;

/// Where a ray meets something.
struct Hit {
    distance: f64,
    point: Vector,
    normal: Vector,
    colour: Vector,
    shine: f64,
}

/// The colour that arrives at a point from a direction (of length 1).
pub fn colour_along(origin: Vector, direction: Vector, bounces: u32) -> Vector {
    let Some(hit) = nearest(origin, direction) else {
        let height = 0.5 * (direction.y + 1.0);
        return Vector::new(0.95, 0.75, 0.55).mix(Vector::new(0.12, 0.3, 0.65), height);
    };
    let to_light = LIGHT - hit.point;
    let distance = to_light.dot(to_light).sqrt();
    let to_light = to_light.normal();
    let shadowed = nearest(hit.point, to_light).is_some_and(|other| other.distance < distance);
    let direct = if shadowed {
        0.0
    } else {
        hit.normal.dot(to_light).max(0.0)
    };
    let own = hit.colour * (0.12 + 0.88 * direct);
    if hit.shine == 0.0 || bounces == BOUNCES {
        return own;
    }
    let mirrored = colour_along(hit.point, direction.reflected(hit.normal), bounces + 1);
    own.mix(mirrored, hit.shine)
}

fn nearest(origin: Vector, direction: Vector) -> Option<Hit> {
    let spheres = SPHERES
        .iter()
        .filter_map(|sphere| meet(sphere, origin, direction));
    spheres
        .chain(meet_floor(origin, direction))
        .min_by(|one, other| one.distance.total_cmp(&other.distance))
}

fn meet(sphere: &Sphere, origin: Vector, direction: Vector) -> Option<Hit> {
    let offset = origin - sphere.centre;
    let half = offset.dot(direction);
    let rest = half * half - (offset.dot(offset) - sphere.radius * sphere.radius);
    if rest < 0.0 {
        return None;
    }
    let root = rest.sqrt();
    let distance = [-half - root, -half + root]
        .into_iter()
        .find(|distance| *distance > CLEARANCE)?;
    let point = origin + direction * distance;
    Some(Hit {
        distance,
        point,
        normal: (point - sphere.centre).normal(),
        colour: sphere.colour,
        shine: sphere.shine,
    })
}

fn meet_floor(origin: Vector, direction: Vector) -> Option<Hit> {
    let distance = (FLOOR - origin.y) / direction.y;
    // Far away the squares are smaller than pixels; there the sky begins.
    if !(CLEARANCE..40.0).contains(&distance) {
        return None;
    }
    let point = origin + direction * distance;
    let dark = (point.x.floor() + point.z.floor()).rem_euclid(2.0) == 0.0;
    Some(Hit {
        distance,
        point,
        normal: Vector::new(0.0, 1.0, 0.0),
        colour: if dark {
            Vector::new(0.16, 0.17, 0.2)
        } else {
            Vector::new(0.8, 0.78, 0.72)
        },
        shine: 0.12,
    })
}
