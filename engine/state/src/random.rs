//! Random identities.

use std::io;

use engine_core::mark::Lineage;
use engine_core::value::Text;

/// Draws the lineage of a new state.
///
/// # Errors
/// The operating system gives no random bytes.
pub fn new_lineage() -> io::Result<Lineage> {
    bytes().map(Lineage::new)
}

/// Draws the identity of a run, for [`Holder::run`](engine_core::state::Holder::run): 16 hexadecimal digits.
///
/// # Errors
/// The operating system gives no random bytes.
pub fn new_run() -> io::Result<Text> {
    Ok(hex::encode(bytes::<8>()?).into())
}

/// Draws random bytes.
pub(crate) fn bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_differ() {
        assert_ne!(new_lineage().unwrap(), new_lineage().unwrap());
        assert_ne!(new_run().unwrap(), new_run().unwrap());
    }
}
