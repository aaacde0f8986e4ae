//! The least there is to run: what a task costs before it does anything.

fn main() {
    println!("hello");
}
