//! The difference of two objects, field by field.
