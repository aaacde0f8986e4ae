//! What was instrumented lately: the same program is often loaded again, to be run with other input, or to be verified
//! once more.

use crate::meter::Metered;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A module's instrumented forms, one for each way to instrument it.
pub(super) type Forms = Arc<[OnceLock<Arc<Metered>>; 8]>;

/// So many modules are remembered.
const MOST: usize = 16;

/// Their instrumented forms have no more bytes than this, but for those of the module loaded last.
const MOST_BYTES: usize = 64 << 20;

/// By the SHA-256 of what was loaded, the one used last at the end.
#[derive(Default)]
struct Recent(Vec<(String, Forms)>);

impl Recent {
    /// The forms of the module with this digest, as far as they are remembered.
    fn forms(&mut self, sha256: &str) -> Forms {
        let known = self.0.iter().position(|(one, _)| one == sha256);
        let new = || (sha256.to_owned(), Forms::default());
        let entry = known.map_or_else(new, |at| self.0.remove(at));
        let found = Arc::clone(&entry.1);
        self.0.push(entry);
        while self.0.len() > 1 && (self.0.len() > MOST || self.bytes() > MOST_BYTES) {
            self.0.remove(0);
        }
        found
    }

    fn bytes(&self) -> usize {
        let made = self.0.iter().flat_map(|(_, forms)| forms.iter());
        made.filter_map(OnceLock::get)
            .map(|made| made.wasm.len())
            .sum()
    }
}

/// The forms of the module with this digest; empty for one that was not loaded lately.
pub(super) fn forms(sha256: &str) -> Forms {
    static RECENT: Mutex<Recent> = Mutex::new(Recent(Vec::new()));
    let mut recent = RECENT.lock().unwrap_or_else(PoisonError::into_inner);
    recent.forms(sha256)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::MeteredId;

    #[test]
    fn the_last_modules_are_remembered() {
        let mut recent = Recent::default();
        let first = recent.forms("first");
        for number in 1..MOST {
            recent.forms(&number.to_string());
        }
        assert!(Arc::ptr_eq(&first, &recent.forms("first")));
        // Now it is the one used last; that many others are needed to forget it.
        for number in 1..MOST {
            recent.forms(&format!("other {number}"));
        }
        assert!(Arc::ptr_eq(&first, &recent.forms("first")));
        for number in 0..MOST {
            recent.forms(&format!("more {number}"));
        }
        assert!(!Arc::ptr_eq(&first, &recent.forms("first")));
    }

    #[test]
    fn large_ones_are_forgotten_sooner() {
        let large = || {
            Arc::new(Metered {
                id: MeteredId::fresh(),
                wasm: vec![0; MOST_BYTES / 2 + 1],
                start: None,
                left: String::new(),
                place: None,
                memory_pages: 0,
                state: None,
                profiled: false,
            })
        };
        let mut recent = Recent::default();
        let first = recent.forms("first");
        first[0].get_or_init(large);
        assert!(Arc::ptr_eq(&first, &recent.forms("first")));
        recent.forms("second")[0].get_or_init(large);
        // What makes it too much is only known when the next is loaded.
        recent.forms("third");
        assert!(!Arc::ptr_eq(&first, &recent.forms("first")));
    }
}
