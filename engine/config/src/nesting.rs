//! Room on the stack: definitions may nest 64 levels deep, whatever thread reads them.

/// What must be left. 64 levels of any kind take less than 800 KiB in a build without optimisation.
const ROOM: usize = 1 << 20;

/// The size of a new part of the stack.
const PART: usize = 4 << 20;

/// Does work that goes as deep as definitions nest.
pub(crate) fn with_room<T>(work: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(ROOM, PART, work)
}
