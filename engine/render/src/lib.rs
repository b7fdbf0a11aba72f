//! Renders plans, diagnostics and results as text, Markdown and JSON.
