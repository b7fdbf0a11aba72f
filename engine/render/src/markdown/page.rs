//! A comment that never grows beyond its limit.

/// Text under construction.
pub(super) struct Page {
    out: String,
    limit: usize,
}

/// A titled list or table that may be cut between its items.
pub(super) struct Section {
    head: String,
    items: Vec<String>,
}

impl Section {
    /// Builds a list of lines. Without items the section is left out.
    pub(super) fn list(title: &str, items: impl IntoIterator<Item = String>) -> Self {
        let head = if title.is_empty() { String::new() } else { format!("{title}\n\n") };
        Self { head, items: items.into_iter().collect() }
    }

    /// Builds a table from its heading row and the rows below.
    pub(super) fn table(title: &str, heading: &str, rows: impl IntoIterator<Item = String>) -> Self {
        let columns = heading.matches('|').count().saturating_sub(1);
        let rule = "|---".repeat(columns);
        let mut section = Self::list(title, rows);
        section.head += &format!("{heading}\n{rule}|\n");
        section
    }
}

impl Page {
    pub(super) fn new(limit: usize) -> Self {
        Self { out: String::new(), limit }
    }

    /// Returns the bytes that are left.
    pub(super) fn room(&self) -> usize {
        self.limit.saturating_sub(self.out.len())
    }

    /// Appends a block if it fits, and tells whether it did.
    pub(super) fn push(&mut self, block: &str) -> bool {
        let fits = block.len() <= self.room();
        if fits {
            self.out.push_str(block);
        }
        fits
    }

    /// Appends a section that takes at most `share` bytes, saying how many items do not fit.
    pub(super) fn section(&mut self, section: Section, share: usize) {
        /// Room for the line that says how many are left out.
        const REST: usize = 32;
        if section.items.is_empty() {
            return;
        }
        let room = share.min(self.room());
        let mut block = section.head;
        let count = section.items.len();
        for (done, item) in section.items.into_iter().enumerate() {
            if block.len() + item.len() + 2 + REST > room {
                block += &format!("\n… and {} more\n", count - done);
                break;
            }
            block += &item;
            block.push('\n');
        }
        block.push('\n');
        self.push(&block);
    }

    pub(super) fn finish(self) -> String {
        self.out
    }
}
