//! Metering: what it counts, and that it changes nothing else.

#[path = "meter/counts.rs"]
mod counts;
#[path = "meter/drive.rs"]
mod drive;
#[path = "meter/engine.rs"]
mod engine;
#[path = "meter/fuzz.rs"]
mod fuzz;
#[path = "meter/graphs.rs"]
mod graphs;
#[path = "meter/leaves.rs"]
mod leaves;
#[path = "meter/oracle.rs"]
mod oracle;
#[path = "meter/shape.rs"]
mod shape;
#[path = "meter/stores.rs"]
mod stores;
#[path = "meter/support.rs"]
mod support;
#[path = "meter/turns.rs"]
mod turns;
