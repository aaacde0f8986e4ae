//! One function: what is in it ([`scan`]), how its small loops
//! turn ([`turns`]), where to charge ([`plan`]), the new code ([`emit`]).

mod emit;
mod group;
mod nan;
mod plan;
mod scan;
mod turns;

pub(super) use emit::{Emitter, emit_host_check};
pub(super) use group::Grouping;
pub(super) use nan::Flow;
pub(super) use plan::{Plan, plan};
pub(super) use scan::{Kind, Scan, cells, scan};
pub(super) use turns::turned;
