//! Where a function charges its steps, and how many.
//!
//! Only at checkpoints (function entry and exit, loop heads, calls and whatever else asks the host)
//! must the count be right. Between two of them a function may charge ahead: `credit` is what has
//! been charged but not executed yet, and it must be 0 at every checkpoint. So a segment can pay at
//! its start for all that will be executed on the cheapest way to the next checkpoint, and only
//! dearer ways pay more, on the way. Ways that leave a loop count as rare, so that an iteration
//! mostly pays once.
//!
//! One pass backwards finds the cheapest ways ([`Ahead`]), one forwards the charges. Both are linear
//! in the number of events.

use super::scan::{Kind, LabelKind, Scan};
use crate::meter::Detail;

/// The cheapest way from a point to the next checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Ahead {
    /// 0 usual, 1 leaves a loop, 2 ends in a trap. A usual way goes before a cheaper rare one.
    cold: u8,
    cost: i64,
}

const CHECKPOINT: Ahead = Ahead { cold: 0, cost: 0 };

impl Ahead {
    fn plus(self, cost: i64) -> Self {
        Self {
            cost: self.cost + cost,
            ..self
        }
    }

    fn at_least(self, cold: u8) -> Self {
        Self {
            cold: self.cold.max(cold),
            ..self
        }
    }
}

/// What is charged where.
#[derive(Debug, Default)]
pub(in crate::meter) struct Plan {
    /// By event, one more in front: steps charged behind that event; the first is the function's
    /// start. Negative where too much was charged ahead.
    pub charges: Vec<i64>,
    /// By event: what a taken `br_if` charges, on the way.
    pub edges: Vec<i64>,
    /// By event: the credit behind an `if` or `br_if`, and at a call of a leaf that is left as it is.
    pub credit: Vec<i64>,
    ahead: Vec<Ahead>,
    after: Vec<i64>,
}

impl Plan {
    /// What the whole function costs, if that is the same on all ways through it.
    pub fn whole(&self) -> Option<u32> {
        let (first, rest) = self.charges.split_first()?;
        let same = rest.iter().chain(&self.edges).all(|&steps| steps == 0);
        u32::try_from(*first).ok().filter(|_| same)
    }
}

/// Plans the charges of a function.
pub(in crate::meter) fn plan(scan: &Scan, detail: Detail, out: &mut Plan) {
    let events = &scan.events;
    out.charges.clear();
    out.charges.resize(events.len() + 1, 0);
    out.edges.clear();
    out.edges.resize(events.len(), 0);
    // By label: what a branch to it must have charged ahead, and how rare it is.
    out.ahead.clear();
    out.ahead.resize(scan.labels.len(), CHECKPOINT);
    out.credit.clear();
    out.credit.resize(events.len(), 0);
    // By label: the cheapest way from its `else`, then the credit that its arms start with.
    out.after.clear();
    out.after.resize(scan.labels.len(), 0);
    if detail == Detail::Fast {
        look_ahead(scan, out);
    }
    charge(scan, detail, out);
}

/// The cost of the operator itself.
fn own(kind: &Kind) -> i64 {
    match kind {
        Kind::Dead | Kind::Block(_) | Kind::Loop(_) | Kind::Else(_) | Kind::End(_) => 0,
        Kind::Open { .. } | Kind::Leave(_) | Kind::Close(_) | Kind::Ask => 0,
        Kind::CallPlain { cost, .. } => 1 + i64::from(*cost),
        _ => 1,
    }
}

fn look_ahead(scan: &Scan, out: &mut Plan) {
    let mut current = CHECKPOINT;
    let mut otherwise = vec![CHECKPOINT; scan.labels.len()];
    for (index, event) in scan.events.iter().enumerate().rev() {
        let to_label = |out: &Plan, label: u32| {
            let leaves = scan.labels[label as usize].loops < event.loops;
            out.ahead[label as usize].at_least(u8::from(leaves))
        };
        let before = match event.kind {
            Kind::Dead | Kind::Block(_) | Kind::Open { .. } => current,
            Kind::Local { .. }
            | Kind::RefFunc(_)
            | Kind::Relaxed(_)
            | Kind::Float
            | Kind::Store
            | Kind::CallPlain { .. } => current,
            Kind::End(label) | Kind::Close(label) => {
                let (info, ahead) = (&scan.labels[label as usize], &mut out.ahead[label as usize]);
                match info.kind {
                    LabelKind::Function => CHECKPOINT,
                    LabelKind::Loop => {
                        // Its own label is its head.
                        *ahead = CHECKPOINT;
                        current
                    }
                    LabelKind::Block | LabelKind::If => {
                        *ahead = match info.pinned {
                            true => Ahead { cost: 0, ..current },
                            false => current,
                        };
                        *ahead
                    }
                }
            }
            Kind::Loop(_) => CHECKPOINT,
            Kind::Else(label) => {
                otherwise[label as usize] = current;
                out.ahead[label as usize]
            }
            Kind::If(label) => {
                let way = match scan.labels[label as usize].has_else {
                    true => current.min(otherwise[label as usize]),
                    // Nothing can be charged where the condition is false.
                    false => Ahead {
                        cold: current.cold.min(out.ahead[label as usize].cold),
                        cost: out.ahead[label as usize].cost,
                    },
                };
                out.credit[index] = way.cost;
                way
            }
            Kind::Br(label) | Kind::Leave(label) => to_label(out, label),
            Kind::BrIf(label) => {
                let taken = to_label(out, label);
                let on_the_way = scan.labels[label as usize].arity == 0 && label != 0;
                let way = match taken.cold > current.cold && on_the_way {
                    true => current,
                    false => taken,
                };
                out.credit[index] = way.cost;
                Ahead {
                    cold: taken.cold.min(current.cold),
                    ..way
                }
            }
            Kind::BrTable => CHECKPOINT,
            Kind::Return | Kind::ReturnCall(_) | Kind::ReturnCallIndirect { .. } => {
                CHECKPOINT.at_least(u8::from(event.loops > 0))
            }
            Kind::Unreachable => Ahead { cold: 2, cost: 0 },
            Kind::Call(_)
            | Kind::CallLeaf(_)
            | Kind::CallIndirect { .. }
            | Kind::MemoryGrow(_)
            | Kind::TableGrow(_)
            | Kind::Bulk(_)
            | Kind::Ask => CHECKPOINT,
        };
        current = before.plus(own(&event.kind) + i64::from(event.cost));
    }
}

/// A stretch of code that is entered at its start only.
struct Segment {
    /// Its charge's place.
    slot: usize,
    /// Credit at its start, before its charge.
    credit: i64,
    /// Steps so far.
    steps: i64,
    /// No path leads here; what is charged does not matter.
    dead: bool,
}

impl Segment {
    /// Ends the segment with `credit` left.
    fn settle(&mut self, charges: &mut [i64], credit: i64) {
        if !self.dead {
            charges[self.slot] = credit + self.steps - self.credit;
        }
    }
}

fn charge(scan: &Scan, detail: Detail, out: &mut Plan) {
    let mut segment = Segment {
        slot: 0,
        credit: 0,
        steps: 0,
        dead: false,
    };
    // Calls of leaves in the segment, and the steps up to them.
    let mut calls: Vec<(usize, i64)> = Vec::new();
    for (index, event) in scan.events.iter().enumerate() {
        segment.steps += i64::from(event.cost) + own(&event.kind);
        let charges = &mut out.charges[..];
        let ahead = |label: u32| out.ahead[label as usize].cost;
        // The credit that the next segment starts with; `None` after code that does not go on.
        let next = match event.kind {
            Kind::Dead | Kind::Block(_) | Kind::Open { .. } => continue,
            Kind::Local { .. }
            | Kind::RefFunc(_)
            | Kind::Relaxed(_)
            | Kind::Float
            | Kind::Store => continue,
            Kind::CallPlain { cost, .. } => {
                calls.push((index, segment.steps - i64::from(cost)));
                continue;
            }
            Kind::Loop(_) => {
                segment.settle(charges, 0);
                Some(0)
            }
            Kind::If(label) => {
                let credit = out.credit[index];
                segment.settle(charges, credit);
                out.after[label as usize] = credit;
                Some(credit)
            }
            Kind::Else(label) => {
                segment.settle(charges, ahead(label));
                Some(out.after[label as usize])
            }
            Kind::End(label) | Kind::Close(label) => {
                let info = &scan.labels[label as usize];
                match info.kind {
                    LabelKind::Function => {
                        segment.settle(charges, 0);
                        None
                    }
                    LabelKind::Loop | LabelKind::Block if segment.dead && !info.targeted => None,
                    LabelKind::Loop if segment.dead => None,
                    LabelKind::Loop => continue,
                    LabelKind::Block if !info.targeted => continue,
                    LabelKind::Block | LabelKind::If => {
                        segment.settle(charges, ahead(label));
                        Some(ahead(label))
                    }
                }
            }
            Kind::Br(label) | Kind::Leave(label) => {
                segment.settle(charges, ahead(label));
                None
            }
            Kind::BrIf(label) => {
                let credit = out.credit[index];
                segment.settle(charges, credit);
                out.edges[index] = ahead(label) - credit;
                Some(credit)
            }
            Kind::BrTable | Kind::Return | Kind::ReturnCall(_) => {
                segment.settle(charges, 0);
                None
            }
            Kind::ReturnCallIndirect { .. } => {
                segment.settle(charges, 0);
                None
            }
            Kind::Unreachable => {
                // It traps: only an exact count is of use.
                if detail == Detail::Exact {
                    segment.settle(charges, 0);
                }
                None
            }
            Kind::Call(_)
            | Kind::CallLeaf(_)
            | Kind::CallIndirect { .. }
            | Kind::MemoryGrow(_)
            | Kind::TableGrow(_)
            | Kind::Bulk(_)
            | Kind::Ask => {
                segment.settle(charges, 0);
                Some(0)
            }
        };
        for (call, steps) in calls.drain(..) {
            out.credit[call] = segment.credit + out.charges[segment.slot] - steps;
        }
        segment = Segment {
            slot: index + 1,
            credit: next.unwrap_or(0),
            steps: 0,
            dead: next.is_none(),
        };
    }
}
