//! A fault made on purpose, to see how it is found: one bit of memory, or of a global, flips.

use crate::engine::Guest;
use std::str::FromStr;

/// One bit of the first memory, or of a global, flips at the first check at which so many steps are used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Steps.
    pub step: u64,
    /// The byte; `None` for the first that is not zero then.
    pub address: Option<u64>,
    /// The index of a mutable global, in place of a byte.
    pub global: Option<u32>,
    /// Which bit of it, from 0 for the lowest.
    pub bit: u8,
    /// After how many steps it was made, if it was.
    pub made: Option<u64>,
}

/// A text that is no fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no fault: give STEP, STEP:ADDRESS or STEP:ADDRESS:BIT, such as 1000000:1024:3, the bit being from 0 to 7, or STEP:global:INDEX:BIT"
)]
pub struct FaultError(String);

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let wrong = || FaultError(crate::digest::shown(text));
        let number = |part: &str| match part.bytes().all(|byte| byte.is_ascii_digit()) {
            true => part.parse::<u64>().map_err(|_| wrong()),
            false => Err(wrong()),
        };
        let mut parts = text.split(':');
        let step = number(parts.next().unwrap_or_default())?;
        let place = parts.next();
        let (address, global, most) = match place {
            Some("global") => {
                let index = number(parts.next().unwrap_or_default())?;
                (None, Some(u32::try_from(index).map_err(|_| wrong())?), 127)
            }
            place => (place.map(number).transpose()?, None, 7),
        };
        let bit = match (parts.next(), global) {
            (Some(bit), _) => number(bit)?,
            (None, Some(_)) => return Err(wrong()),
            (None, None) => 0,
        };
        if bit > most || parts.next().is_some() {
            return Err(wrong());
        }
        Ok(Self {
            step,
            address,
            global,
            bit: bit as u8,
            made: None,
        })
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.step)?;
        match (self.address, self.global) {
            (_, Some(global)) => write!(f, ":global:{global}:{}", self.bit),
            (Some(address), None) => write!(f, ":{address}:{}", self.bit),
            (None, None) => Ok(()),
        }
    }
}

impl Fault {
    /// The same fault, to be made in a run whose code checks more often: right behind the check at
    /// which this one was made.
    pub fn again(&self) -> Self {
        Self {
            step: self.made.map_or(self.step, |made| made + 1),
            made: None,
            ..self.clone()
        }
    }

    /// Makes it if it is time. Returns from how many steps on it wants to be asked again.
    pub(super) fn look(&mut self, guest: &mut dyn Guest, steps: u64) -> Result<u64, String> {
        if self.made.is_some() {
            return Ok(u64::MAX);
        }
        // At the start nothing was done yet that could go wrong.
        if steps < self.step.max(1) {
            return Ok(self.step.max(1));
        }
        if let Some(global) = self.global {
            let (cell, bits) = guest.state().bit_of(global, self.bit).ok_or_else(|| {
                format!(
                    "the fault can't be made: there is no mutable global {global} that is a number with a bit {}",
                    self.bit
                )
            })?;
            guest.flip(cell, bits)?;
            self.made = Some(steps);
            return Ok(u64::MAX);
        }
        let (wanted, bit) = (self.address, self.bit);
        let mut made = None;
        guest.visit(0, &mut |at, bytes| {
            if made.is_some() {
                return false;
            }
            let index = match wanted {
                // Not cut off where addresses have 32 bits: another byte would be changed.
                Some(address) => address
                    .checked_sub(at)
                    .and_then(|index| usize::try_from(index).ok()),
                None => bytes.iter().position(|&byte| byte != 0),
            };
            match index.and_then(|index| Some((index, bytes.get_mut(index)?))) {
                Some((index, byte)) => {
                    *byte ^= 1 << bit;
                    made = Some(at + index as u64);
                    true
                }
                None => false,
            }
        });
        let address = made.ok_or_else(|| {
            let size = guest.memory_size(0);
            format!(
                "the fault can't be made: the memory has {size} bytes, none of which it could be"
            )
        })?;
        self.address = Some(address);
        self.made = Some(steps);
        Ok(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_written_as_they_are_read() {
        for text in [
            "0",
            "1000",
            "1000:0:0",
            "9:18446744073709551615:7",
            "7:global:3:127",
        ] {
            let fault: Fault = text.parse().expect("a fault");
            assert_eq!(fault.to_string(), text);
        }
        let short: Fault = "5:6".parse().expect("a fault");
        assert_eq!(short.to_string(), "5:6:0");
        for bad in [
            "",
            "x",
            "-1",
            "+1",
            "1:",
            "1:2:8",
            "1:2:3:4",
            "1:2:",
            "99999999999999999999",
            "1:global",
            "1:global:1",
            "1:global:1:128",
            "1:global:4294967296:1",
            "1:global:1:1:1",
            "1:globe:1:1",
        ] {
            assert!(bad.parse::<Fault>().is_err(), "{bad}");
        }
    }
}
