//! What the benchmark programs share.

/// The program's only argument: how often to do its work. 1 if there is none.
pub fn rounds() -> u32 {
    std::env::args()
        .nth(1)
        .map_or(1, |text| text.parse().expect("the argument is a number"))
}

/// Mixes a number into a checksum (FNV-1a over its bytes).
pub fn mix(sum: u64, value: u64) -> u64 {
    value.to_le_bytes().iter().fold(sum, |sum, &byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

/// Where a checksum begins.
pub const START: u64 = 0xcbf2_9ce4_8422_2325;

/// A small generator of numbers that look random (xorshift64*).
pub struct Numbers(u64);

impl Numbers {
    /// The same seed gives the same numbers.
    pub fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u32) -> u32 {
        (((self.draw() >> 32) * u64::from(end)) >> 32) as u32
    }
}
