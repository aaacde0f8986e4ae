//! Planets on their orbits: f64 arithmetic and square roots.

const PLANETS: usize = 5;

#[derive(Clone, Copy)]
struct Body {
    at: [f64; 3],
    speed: [f64; 3],
    mass: f64,
}

fn step(bodies: &mut [Body; PLANETS], time: f64) {
    for first in 0..PLANETS {
        for second in first + 1..PLANETS {
            let (left, right) = bodies.split_at_mut(second);
            let (one, other) = (&mut left[first], &mut right[0]);
            let mut apart = [0.0; 3];
            for ((apart, a), b) in apart.iter_mut().zip(one.at).zip(other.at) {
                *apart = a - b;
            }
            let square: f64 = apart.iter().map(|it| it * it).sum();
            let pull = time / (square * square.sqrt());
            for (axis, apart) in apart.iter().enumerate() {
                one.speed[axis] -= apart * other.mass * pull;
                other.speed[axis] += apart * one.mass * pull;
            }
        }
    }
    for body in bodies {
        for axis in 0..3 {
            body.at[axis] += time * body.speed[axis];
        }
    }
}

fn main() {
    let mut bodies: [Body; PLANETS] = std::array::from_fn(|index| {
        let far = index as f64 * 3.0;
        Body {
            at: [far, far * 0.25, 0.125 * index as f64],
            speed: [0.0, 6.0 / (1.0 + far).sqrt(), 0.0625],
            mass: if index == 0 {
                40.0
            } else {
                0.01 * index as f64
            },
        }
    });
    for _ in 0..bench_programs::rounds() * 1000 {
        step(&mut bodies, 0.001);
    }
    let sum = bodies
        .iter()
        .flat_map(|body| body.at)
        .fold(bench_programs::START, |sum, it| {
            bench_programs::mix(sum, it.to_bits())
        });
    println!("{sum:016x}");
}
