//! What a definition says of addresses and objects besides declaring them: `moved`, `removed` and `import`.

use std::collections::BTreeMap;

use crate::address::Address;
use crate::diagnostic::SourceSpan;
use crate::value::Text;

/// The `moved`, `removed` and `import` blocks of an environment, with addresses of the environment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Refactoring {
    /// Renamed blocks.
    pub moves: Vec<Moved>,
    /// What is no longer declared, and why.
    pub removals: Vec<Removed>,
    /// Objects to take over, by the address of their resource.
    pub imports: BTreeMap<Address, Import>,
    /// What the command line lets go: it leaves the state and stays on its cluster.
    pub released: Vec<Address>,
}

/// A `moved` block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Where it was.
    pub from: Address,
    /// Where it is.
    pub to: Address,
    /// The places of both addresses.
    pub spans: (SourceSpan, SourceSpan),
}

/// What becomes of the objects of a `removed` block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// They leave the state and stay on their cluster.
    Forget,
    /// They are deleted.
    Delete,
}

/// A `removed` block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// What is no longer declared.
    pub from: Address,
    /// What becomes of it.
    pub removal: Removal,
    /// The place of the address.
    pub span: SourceSpan,
}

/// An `import` block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The object in words, if the block names it.
    pub id: Option<Text>,
    /// The place of the address.
    pub span: SourceSpan,
}

impl Refactoring {
    /// Returns where an address is after all moves. The closest move counts: one of a block inside a module
    /// before one of the module.
    pub fn current(&self, address: &Address) -> Address {
        let mut address = address.clone();
        // Moves in a circle are refused when a definition is loaded; the bound makes sure of it.
        for _ in 0..self.moves.len() {
            let moved = self.moves.iter().filter_map(|it| {
                let to = address.relocated(&it.from, &it.to)?;
                Some((
                    it.from.steps().len(),
                    it.from.steps().last().is_some_and(|step| step.key.is_some()),
                    to,
                ))
            });
            match moved.max_by_key(|(depth, keyed, _)| (*depth, *keyed)) {
                Some((.., to)) if to != address => address = to,
                _ => break,
            }
        }
        address
    }

    /// Tells whether what was at an address leaves the state and stays on its cluster.
    pub fn forgets(&self, address: &Address) -> bool {
        if self.released.iter().any(|released| address.is_within(released)) {
            return true;
        }
        if self.removals.is_empty() {
            return false;
        }
        let address = self.current(address);
        // A closer block counts before one around it.
        let removals = self.removals.iter().filter(|removed| address.is_within(&removed.from));
        let closest = removals.max_by_key(|removed| removed.from.enclosing().len());
        closest.is_some_and(|removed| removed.removal == Removal::Forget)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::diagnostic::SourceFile;

    fn span() -> SourceSpan {
        SourceSpan::new(Arc::new(SourceFile { path: String::new(), text: String::new() }), 0..0)
    }

    fn parse(text: &str) -> Address {
        text.parse().unwrap()
    }

    fn moves(pairs: &[(&str, &str)]) -> Refactoring {
        let moved =
            |(from, to): &(&str, &str)| Moved { from: parse(from), to: parse(to), spans: (span(), span()) };
        Refactoring { moves: pairs.iter().map(moved).collect(), ..Refactoring::default() }
    }

    #[test]
    fn moves_are_followed_in_chains_and_from_the_inside() {
        let refactoring = moves(&[
            ("app.b", "app.c"),
            ("app.a", "app.b"),
            ("app.c.manifest.x", "manifest.y"),
            ("app.a.manifest.z", "manifest.z"),
        ]);
        for (address, want) in [
            ("app.a.manifest.k", "app.c.manifest.k"),
            ("app.a.manifest.x", "manifest.y"),
            ("app.a.manifest.z", "manifest.z"),
            ("manifest.y", "manifest.y"),
        ] {
            assert_eq!(refactoring.current(&parse(address)), parse(want), "{address}");
        }
    }

    #[test]
    fn moves_in_a_circle_come_to_an_end() {
        let refactoring = moves(&[("app.a", "app.b"), ("app.b", "app.a")]);
        assert_eq!(refactoring.current(&parse("app.a")), parse("app.a"));
    }

    #[test]
    fn the_closest_removed_block_counts_after_all_moves() {
        let removed = |from: &str, removal| Removed { from: parse(from), removal, span: span() };
        let refactoring = Refactoring {
            removals: vec![
                removed("app.b", Removal::Forget),
                removed("app.b.manifest.secret", Removal::Delete),
            ],
            ..moves(&[("app.a", "app.b")])
        };
        for (address, want) in [
            ("app.a.manifest.x", true),
            ("app.b[\"k\"].manifest.x", true),
            ("app.a.manifest.secret", false),
            ("app.c.manifest.x", false),
        ] {
            assert_eq!(refactoring.forgets(&parse(address)), want, "{address}");
        }
    }
}
