//! The codes of evaluation, TRN0200 to TRN0249.

use engine_core::diagnostic::Code;

/// An operand is of the wrong type, null, or two operands do not go together.
pub const OPERAND: Code = Code(200);
/// A division by zero.
pub const DIVISION_BY_ZERO: Code = Code(201);
/// A number with more digits than are kept.
pub const NUMBER_RANGE: Code = Code(202);
/// A condition is no boolean, or null.
pub const CONDITION: Code = Code(203);
/// The two results of a conditional have no type in common.
pub const INCONSISTENT_RESULTS: Code = Code(204);
/// A value has no such attribute.
pub const ATTRIBUTE: Code = Code(205);
/// A collection has no such item, or takes no index of this type.
pub const INDEX: Code = Code(206);
/// A step into a null value.
pub const NULL_VALUE: Code = Code(207);
/// A value that cannot be part of text.
pub const TEMPLATE_VALUE: Code = Code(208);
/// `for` over something that has no items.
pub const FOR_COLLECTION: Code = Code(209);
/// A key of an object is null or no text.
pub const OBJECT_KEY: Code = Code(210);
/// Two items of an object have the same key.
pub const DUPLICATE_KEY: Code = Code(211);
/// Too many splats in one traversal, or one inside an attribute-only splat.
pub const SPLAT: Code = Code(212);
/// An expression takes too many steps.
pub const STEP_BUDGET: Code = Code(213);
/// A value is too large or nested too deep.
pub const SIZE_BUDGET: Code = Code(214);
