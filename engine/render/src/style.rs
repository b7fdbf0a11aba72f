//! How text output looks: what the caller knows of the terminal.

/// Whether text is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// No escape sequence is written.
    Off,
    /// ANSI colours.
    On,
}

/// How text output looks. Finding out what the terminal can do is the caller's affair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether text is coloured. Colour repeats what symbols and words already say.
    pub colour: Colour,
    /// Columns after which long values are cut; 0 never cuts.
    pub width: usize,
}

impl Style {
    /// No colour, nothing cut: what a file or a pipe gets.
    pub const PLAIN: Self = Self { colour: Colour::Off, width: 0 };

    /// Appends `text`, painted when colours are on.
    pub(crate) fn paint(self, out: &mut String, role: Role, text: &str) {
        match (self.colour, role.code()) {
            (Colour::On, Some(code)) => {
                out.push_str("\x1b[");
                out.push_str(code);
                out.push('m');
                out.push_str(text);
                out.push_str("\x1b[0m");
            }
            _ => out.push_str(text),
        }
    }

    /// Returns the columns that are left behind `used` ones; `None` for no limit.
    pub(crate) fn room(self, used: usize) -> Option<usize> {
        (self.width > 0).then(|| self.width.saturating_sub(used).max(20))
    }
}

/// What a piece of text is, which decides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Plain,
    Strong,
    Add,
    Change,
    Remove,
    Read,
    Quiet,
}

impl Role {
    /// Returns the parameters of the ANSI sequence "select graphic rendition" (ECMA-48, 8.3.117).
    fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Strong => Some("1"),
            Self::Add => Some("32"),
            Self::Change => Some("33"),
            Self::Remove => Some("31"),
            Self::Read => Some("36"),
            Self::Quiet => Some("2"),
        }
    }
}
