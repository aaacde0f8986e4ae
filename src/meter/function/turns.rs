//! Loops without calls, written so that a compiler's code asks for steps only after several turns.
//!
//! A turn of a small loop is worth few operators, so that counting it and looking whether steps are left
//! are a good part of it. Such a loop is written like this, a short one with four copies of its body, a
//! longer one with two, a long one with one:
//!
//! ```text
//! block $out
//!   loop $again
//!     block $next  body, whose branches to the loop go to $next  br $out  end
//!     block $next  body, likewise                                br $out  end
//!     if no steps are left: ask the host
//!     br $again
//!   end
//! end
//! ```
//!
//! What a turn takes is charged ahead for all copies at once, as far as their ways are usual
//! ([`super::plan`]), and a loop that is left in one of its first turns never looks. That it looks later
//! than at its head shows nowhere: all that others can see asks by itself, and a loop goes on for a few
//! turns only.

use super::group::Grouping;
use super::scan::{Event, Kind, Label, LabelId, LabelKind, Scan};

/// The most bytes of a body that is written four times, and of one that is written twice.
const SHORT: usize = 100;
const LONG: usize = 800;

/// The most bytes of a function whose loops are written like this, and the most that it may grow by, in
/// bytes of its original code. Many times that is held while it is written, which must not follow from
/// how many loops somebody puts into one function.
const MOST_BYTES: usize = 1 << 20;
const MOST_MORE: usize = 256 << 10;

/// What a loop and each of its copies add, in such bytes.
const AROUND: usize = 16;

/// What a float that is made canonical takes, or a relaxed operator, in bytes.
const LONGER: usize = 32;

/// The type of a block without parameters and results.
const EMPTY: u8 = 0x40;

/// The function with its loops turned like this, or `None` if it has none that are.
pub(in crate::meter) fn turned(scan: &Scan, wasm: &[u8]) -> Option<Scan> {
    let is_loop = |label: &Label| label.tight && label.targeted;
    if scan.bytes() > MOST_BYTES || !scan.labels.iter().any(is_loop) {
        return None;
    }
    let mut ends = vec![0; scan.labels.len()];
    for (index, event) in scan.events.iter().enumerate() {
        if let Kind::End(label) = event.kind {
            ends[label as usize] = index;
        }
    }
    let mut turner = Turner {
        from: scan,
        copied: Vec::new(),
        room: MOST_MORE,
        to: Scan {
            labels: scan.labels.clone(),
            events: Vec::with_capacity(scan.events.len() * 2),
            height: scan.height,
            targets: scan.targets,
            calls: scan.calls,
            start: scan.start,
            grouping: scan.grouping.as_ref().map(|_| Grouping::default()),
            ..Scan::default()
        },
    };
    let mut index = 0;
    while let Some(event) = scan.events.get(index) {
        match (event.kind, simple_type(event, wasm)) {
            (Kind::Loop(label), Some(ty)) if is_loop(&scan.labels[label as usize]) => {
                let end = ends[label as usize];
                match turner.make_room(index, end) {
                    Some(copies) => turner.turn(index, end, ty, copies),
                    None => (index..=end).for_each(|at| turner.push(at, scan.events[at])),
                }
                index = end + 1;
            }
            _ => {
                turner.push(index, *event);
                index += 1;
            }
        }
    }
    turner.to.turned = true;
    Some(turner.to)
}

/// The type of a block if it is one byte: no parameters, and a result at most.
fn simple_type(event: &Event, wasm: &[u8]) -> Option<u8> {
    match wasm.get(event.start..event.end)? {
        // A negative number; others are indices of types.
        &[_, ty] if (EMPTY..0x80).contains(&ty) => Some(ty),
        _ => None,
    }
}

struct Turner<'a> {
    from: &'a Scan,
    to: Scan,
    /// Labels of the loop's body, and what they are in the copy that is written.
    copied: Vec<(LabelId, LabelId)>,
    /// What the function may still grow by.
    room: usize,
}

impl Turner<'_> {
    /// Adds event `index`, as `event` is now, and the group of stores that begins there.
    fn push(&mut self, index: usize, event: Event) {
        let at = self.to.events.len();
        if let (Some(from), Some(to)) = (&self.from.grouping, &mut self.to.grouping) {
            to.copy(from, index, at);
        }
        self.to.events.push(event);
    }

    /// Adds an event that stands for nothing at `place` of the module, in `loops` loops.
    fn add(&mut self, kind: Kind, place: usize, loops: u32) {
        self.to.events.push(Event {
            kind,
            start: place,
            end: place,
            cost: 0,
            loops,
            canonical: None,
            later: false,
        });
    }

    fn label(&mut self, label: Label) -> LabelId {
        self.to.labels.push(label);
        self.to.labels.len() as LabelId - 1
    }

    /// In how many copies the loop from event `first` to event `last` is written, if there is room for any.
    fn make_room(&mut self, first: usize, last: usize) -> Option<usize> {
        let size = self.size(first, last);
        let copies = self.copies(first, last, size);
        let more = (copies - 1) * size + (copies + 1) * AROUND;
        self.room = self.room.checked_sub(more)?;
        Some(copies)
    }

    /// Writes the loop from event `first` to event `last`, in so many copies.
    fn turn(&mut self, first: usize, last: usize, ty: u8, copies: usize) {
        let (head, end) = (self.from.events[first], self.from.events[last]);
        let Kind::Loop(again) = head.kind else {
            return;
        };
        let block = Label {
            kind: LabelKind::Block,
            targeted: true,
            tight: false,
            ..self.from.labels[again as usize].clone()
        };
        let (inside, outside) = (head.loops, end.loops);
        let out = self.label(Label {
            pinned: false,
            loops: outside,
            ..block.clone()
        });
        self.to.labels[again as usize].asks_later = true;
        // The steps before the loop are those of the event that comes first.
        self.add(Kind::Open { label: out, ty }, head.start, outside);
        self.to
            .events
            .last_mut()
            .into_iter()
            .for_each(|open| open.cost = head.cost);
        self.push(first, Event { cost: 0, ..head });
        for copy in (0..copies).rev() {
            let next = self.label(Label {
                stands_for: Some(again),
                ..block.clone()
            });
            self.add(
                Kind::Open {
                    label: next,
                    ty: EMPTY,
                },
                head.end,
                inside,
            );
            self.body(first + 1..last, again, next);
            // The code goes on with the next copy, or behind the last one.
            let resume = if copy > 0 { head.end } else { end.start };
            self.to.events.push(Event {
                kind: Kind::Leave(out),
                end: resume,
                loops: inside,
                ..end
            });
            self.add(Kind::Close(next), resume, inside);
        }
        self.add(Kind::Ask, end.start, inside);
        self.add(Kind::Leave(again), end.start, inside);
        self.push(last, Event { cost: 0, ..end });
        self.add(Kind::Close(out), end.end, outside);
    }

    /// Copies a body, in which `next` is the loop.
    fn body(&mut self, range: std::ops::Range<usize>, again: LabelId, next: LabelId) {
        self.copied.clear();
        for index in range {
            let mut event = self.from.events[index];
            match &mut event.kind {
                Kind::Block(label) | Kind::If(label) => {
                    let copy = self.label(self.from.labels[*label as usize].clone());
                    // Labels are numbered in the order of the code.
                    self.copied.push((*label, copy));
                    *label = copy;
                }
                Kind::Else(label) | Kind::End(label) | Kind::Br(label) | Kind::BrIf(label) => {
                    *label = match self.copied.binary_search_by_key(label, |&(it, _)| it) {
                        Ok(at) => self.copied[at].1,
                        Err(_) if *label == again => next,
                        Err(_) => *label,
                    };
                }
                _ => {}
            }
            self.push(index, event);
        }
    }

    /// Bytes of a loop's body, with what is known to make it longer.
    fn size(&self, first: usize, last: usize) -> usize {
        let events = &self.from.events[first..=last];
        let grows = |it: &&Event| it.canonical.is_some() || matches!(it.kind, Kind::Relaxed(_));
        let longer = events.iter().filter(grows).count();
        self.from.events[last].start - self.from.events[first].end + longer * LONGER
    }

    /// How many copies a loop has whose body has this size.
    fn copies(&self, first: usize, last: usize, size: usize) -> usize {
        // Stores in groups may be there twice already, and are worth more than a turn.
        match self.from.events[first..=last].iter().any(|it| it.later) {
            false if size <= SHORT => 4,
            false if size <= LONG => 2,
            _ => 1,
        }
    }
}
