//! The codes of this crate's diagnostics, TRN0700 to TRN0799.

use engine_core::diagnostic::Code;

pub use crate::yaml::{CUSTOM_TAG, DUPLICATE_KEY, NOT_JSON, TOO_LARGE, YAML_SYNTAX};

/// A path that leads nowhere.
pub const NOT_FOUND: Code = Code(710);
/// A path that leaves the repository, or a file outside its own kustomization's directory.
pub const OUTSIDE: Code = Code(711);
/// A pipe, a device or a directory where a file must stand.
pub const NOT_A_FILE: Code = Code(712);
/// More files, or more bytes, than one overlay may read.
pub const TOO_MUCH_SOURCE: Code = Code(713);
/// A kustomization that includes itself or a directory above itself.
pub const CYCLE: Code = Code(714);
/// A directory without a kustomization file, or with several.
pub const KUSTOMIZATION_FILE: Code = Code(715);
/// A URL where only paths are read.
pub const REMOTE: Code = Code(716);
/// A file that cannot be read, or text that is not UTF-8.
pub const UNREADABLE: Code = Code(717);

/// A field that a kustomization does not have.
pub const UNKNOWN_FIELD: Code = Code(720);
/// A field of Kustomize's that this renderer does not support.
pub const UNSUPPORTED_FIELD: Code = Code(721);
/// A value of the wrong type.
pub const WRONG_TYPE: Code = Code(722);
/// A value outside its allowed set.
pub const BAD_VALUE: Code = Code(723);
/// A kustomization that says nothing.
pub const EMPTY_KUSTOMIZATION: Code = Code(724);
/// A Component where a Kustomization must stand, or the reverse.
pub const WRONG_KIND: Code = Code(725);

/// A document that is no Kubernetes object.
pub const BAD_OBJECT: Code = Code(730);
/// Two objects with the same kind, name and namespace.
pub const DUPLICATE_OBJECT: Code = Code(731);

/// A patch that is neither a strategic merge patch nor a JSON patch, or lacks what its form needs.
pub const BAD_PATCH: Code = Code(740);
/// A patch whose object does not exist, or is not unique.
pub const PATCH_TARGET: Code = Code(741);
/// A patch that does not apply to its object.
pub const PATCH_FAILED: Code = Code(742);
/// A target with a regular expression or a selector that does not parse.
pub const BAD_SELECTOR: Code = Code(743);
/// A target that selects nothing: a warning.
pub const NOTHING_SELECTED: Code = Code(744);

/// A null in a patch's labels or annotations that sets text instead of removing: a warning.
pub const NULL_AS_TEXT: Code = Code(745);

/// A source of a generator that does not parse, or a key that it gives twice.
pub const GENERATOR_SOURCE: Code = Code(750);
/// A generated object that cannot be created, merged or replaced as asked.
pub const GENERATOR_BEHAVIOR: Code = Code(751);

/// A field of an object that has another shape than the transformation needs.
pub const FIELD_SHAPE: Code = Code(760);
/// A reference that fits several renamed objects.
pub const AMBIGUOUS_REFERENCE: Code = Code(761);
/// A `replicas` entry that fits no object.
pub const REPLICAS_TARGET: Code = Code(762);

/// A deprecated field: a warning.
pub const DEPRECATED_FIELD: Code = Code(770);
