//! Bounds on what one expression may cost.

use std::cell::Cell;

use crate::expr_value::ExprValue;

/// What one expression may cost: a small text can ask for an endless computation or a huge result.
///
/// The bounds are far above what definitions need: 5 million evaluation steps and 256 MiB of new text for an
/// expression, and for every single value 256 MiB and 128 nested containers.
#[derive(Debug)]
pub struct Budget {
    steps: Cell<u64>,
    bytes: Cell<u64>,
    ephemeral: Cell<u64>,
}

/// Which bound was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Exhausted {
    /// Evaluation steps.
    #[error("the expression takes more than {} steps to evaluate", Budget::STEPS)]
    Steps,
    /// Bytes of one value, or of all text made.
    #[error("the value is larger than {} MiB", Budget::BYTES >> 20)]
    Bytes,
    /// Nested containers.
    #[error("the value is nested more than {} levels deep", Budget::DEPTH)]
    Depth,
}

impl Default for Budget {
    fn default() -> Self {
        Self { steps: Cell::new(Self::STEPS), bytes: Cell::new(Self::BYTES), ephemeral: Cell::new(0) }
    }
}

impl Budget {
    const STEPS: u64 = 5_000_000;
    const BYTES: u64 = 256 << 20;
    const DEPTH: u32 = 128;

    /// Takes one step.
    ///
    /// # Errors
    /// [`Exhausted::Steps`] when none is left.
    pub fn step(&self) -> Result<(), Exhausted> {
        self.steps(1)
    }

    /// Takes many steps: for work that grows with its input.
    ///
    /// # Errors
    /// [`Exhausted::Steps`] when fewer are left.
    pub fn steps(&self, count: u64) -> Result<(), Exhausted> {
        spend(&self.steps, count).ok_or(Exhausted::Steps)
    }

    /// Takes the steps of an operation that looks at a whole value: one for each KiB of it.
    ///
    /// # Errors
    /// [`Exhausted::Steps`] when fewer are left.
    pub fn work(&self, value: &ExprValue) -> Result<(), Exhausted> {
        self.steps(value.weight() >> 10)
    }

    /// Takes bytes for text or items about to be made.
    ///
    /// # Errors
    /// [`Exhausted::Bytes`] when fewer are left.
    pub fn bytes(&self, count: u64) -> Result<(), Exhausted> {
        spend(&self.bytes, count).ok_or(Exhausted::Bytes)
    }

    /// Forgets the values that held something ephemeral since there were so many: what is made of them holds nothing.
    pub fn forget_ephemeral(&self, before: u64) {
        self.ephemeral.set(before);
    }

    /// Counts a value that holds something ephemeral.
    pub fn note_ephemeral(&self) {
        self.ephemeral.set(self.ephemeral.get() + 1);
    }

    /// Returns how many such values there were so far.
    pub fn ephemeral(&self) -> u64 {
        self.ephemeral.get()
    }

    /// Tells whether a bound has been reached.
    pub fn is_exhausted(&self) -> bool {
        self.steps.get() == 0 || self.bytes.get() == 0
    }

    /// Checks a finished value. Parts that it shares count each time: whoever writes it out writes them all.
    ///
    /// # Errors
    /// [`Exhausted::Bytes`] or [`Exhausted::Depth`] when the value is too large.
    pub fn admit(value: &ExprValue) -> Result<(), Exhausted> {
        if value.weight() > Self::BYTES {
            Err(Exhausted::Bytes)
        } else if value.depth() > Self::DEPTH {
            Err(Exhausted::Depth)
        } else {
            Ok(())
        }
    }
}

/// Takes `count` out of what is left; once it does not suffice nothing is left for anyone.
fn spend(left: &Cell<u64>, count: u64) -> Option<()> {
    let rest = left.get().checked_sub(count);
    left.set(rest.unwrap_or(0));
    rest.map(|_| ())
}
