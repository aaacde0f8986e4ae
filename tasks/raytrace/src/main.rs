//! A small ray tracer: three spheres on a chequered floor, written to `image.png`.
//!
//! Arguments: width and height in pixels. Progress goes to standard error.

mod scene;
mod vector;

use scene::colour_along;
use std::env;
use std::fs::File;
use std::io::{self, BufWriter};
use std::process::ExitCode;
use vector::Vector;

/// Rays through each pixel, along both axes.
const SAMPLES: u32 = 2;

/// The largest width and height.
const LARGEST: u32 = 4096;

fn main() -> ExitCode {
    let size = match size() {
        Ok(size) => size,
        Err(message) => {
            eprintln!("raytrace: {message}");
            return ExitCode::from(2);
        }
    };
    match render(size).and_then(|pixels| write(size, &pixels)) {
        Ok(()) => {
            println!("image.png: {} × {} pixels", size.0, size.1);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("raytrace: {error}");
            ExitCode::FAILURE
        }
    }
}

fn size() -> Result<(u32, u32), String> {
    let mut arguments = env::args().skip(1);
    let mut next = |default: u32| match arguments.next() {
        None => Ok(default),
        Some(text) => match text.parse() {
            Ok(pixels @ 1..=LARGEST) => Ok(pixels),
            _ => Err(format!(
                "{text:?} is not a number of pixels from 1 to {LARGEST}"
            )),
        },
    };
    Ok((next(320)?, next(200)?))
}

fn render((width, height): (u32, u32)) -> io::Result<Vec<u8>> {
    let mut pixels = Vec::with_capacity(width as usize * height as usize * 3);
    let mut reported = 0;
    for y in 0..height {
        for x in 0..width {
            let mut sum = Vector::default();
            for sample in 0..SAMPLES * SAMPLES {
                // Samples on a fixed grid: no chance in it, so no noise and no seed.
                let offset = |index: u32| (f64::from(index) + 0.5) / f64::from(SAMPLES);
                let across = f64::from(x) + offset(sample % SAMPLES) - f64::from(width) / 2.0;
                let down = f64::from(y) + offset(sample / SAMPLES) - f64::from(height) / 2.0;
                let scale = 1.0 / f64::from(height);
                let direction = Vector::new(across * scale, -down * scale, 1.0).normal();
                sum = sum + colour_along(Vector::new(0.0, 0.6, -4.2), direction, 0);
            }
            let colour = sum * (1.0 / f64::from(SAMPLES * SAMPLES));
            for channel in [colour.x, colour.y, colour.z] {
                // A square root is close to the curve that screens expect, and exact everywhere.
                pixels.push((channel.clamp(0.0, 1.0).sqrt() * 255.0 + 0.5) as u8);
            }
        }
        let percent = (y + 1) * 100 / height;
        if percent / 5 > reported {
            reported = percent / 5;
            eprint!("\r{percent:3} %");
        }
    }
    eprintln!();
    Ok(pixels)
}

fn write((width, height): (u32, u32), pixels: &[u8]) -> io::Result<()> {
    let file = BufWriter::new(File::create("image.png")?);
    let mut encoder = png::Encoder::new(file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(())
}
