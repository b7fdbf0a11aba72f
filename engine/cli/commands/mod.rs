//! The commands, one file each: the list of steps, and nothing else.

pub mod apply;
pub mod approve;
pub mod console;
pub mod destroy;
pub mod docs;
pub mod explain;
pub mod fmt;
pub mod graph;
pub mod history;
pub mod init;
pub mod output;
pub mod plan;
pub mod preview;
pub mod sandbox;
pub mod show;
pub mod state;
pub mod validate;
pub mod version;
