//! Where something was found.

use serde::Serialize;
use std::collections::BTreeMap;

/// The most places that are kept of one thing; all are counted.
const KEPT: usize = 5;

/// A place in the module.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// In bytes from the start of the binary.
    pub offset: u64,
    /// The index of the function around it.
    pub function: Option<u32>,
}

/// How often something was found, and where first.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    pub count: u64,
    pub first: Vec<Place>,
}

impl Found {
    #[inline]
    pub fn note(&mut self, place: Place) {
        self.count += 1;
        if self.first.len() < KEPT {
            self.first.push(place);
        }
    }
}

/// A place as it is reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Location {
    /// In bytes from the start of the binary.
    pub offset: u64,
    /// The function around it, if it lies in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<FunctionName>,
}

/// A function of the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FunctionName {
    /// Its index, imported functions counted.
    pub index: u32,
    /// Its name in the name section, if there is one.
    pub name: Option<String>,
}

/// Names from the name section, of the functions that are reported.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeMap<u32, Option<String>>);

impl Names {
    /// Notes that the names of these functions are wanted.
    pub fn want(&mut self, places: &[Place]) {
        for place in places {
            if let Some(index) = place.function {
                self.0.entry(index).or_default();
            }
        }
    }

    /// Looks for the wanted names in the content of a name section. A damaged section, which the
    /// specification says to ignore, gives no names.
    pub fn read(&mut self, section: wasmparser::NameSectionReader<'_>) {
        for part in section {
            let Ok(wasmparser::Name::Function(names)) = part else {
                continue;
            };
            for naming in names {
                let Ok(naming) = naming else { return };
                if let Some(name) = self.0.get_mut(&naming.index) {
                    *name = Some(shortened(naming.name));
                }
            }
        }
    }

    pub fn locate(&self, places: &[Place]) -> Vec<Location> {
        let locate = |place: &Place| Location {
            offset: place.offset,
            function: place.function.map(|index| FunctionName {
                index,
                name: self.0.get(&index).cloned().flatten(),
            }),
        };
        places.iter().map(locate).collect()
    }
}

/// Names of C++ can be very long.
fn shortened(name: &str) -> String {
    const SHOWN: usize = 200;
    match name.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}
