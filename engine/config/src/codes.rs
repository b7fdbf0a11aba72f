//! The codes of diagnostics about a definition's files and blocks: TRN0100–TRN0199 and TRN0400–TRN0499.

use engine_core::diagnostic::Code;

/// A directory or file cannot be read.
pub const UNREADABLE: Code = Code(100);
/// A file is not valid UTF-8.
pub const NOT_UTF8: Code = Code(101);
/// A file is larger than 4 MiB.
pub const TOO_LARGE: Code = Code(102);
/// A path leads out of the directory that files must lie in, or through a symbolic link out of it.
pub const OUTSIDE: Code = Code(103);
/// A directory holds no definition.
pub const NO_DEFINITION: Code = Code(104);
/// The text is not HCL.
pub const SYNTAX: Code = Code(105);

/// A block type that does not exist.
pub const UNKNOWN_BLOCK: Code = Code(110);
/// An argument that the block does not have.
pub const UNKNOWN_ARGUMENT: Code = Code(111);
/// A required argument is missing.
pub const MISSING_ARGUMENT: Code = Code(112);
/// A block has too few or too many labels, or one that is no name.
pub const LABELS: Code = Code(113);
/// The same thing is declared twice.
pub const DUPLICATE: Code = Code(114);
/// A block or argument that is not supported yet.
pub const UNSUPPORTED: Code = Code(115);
/// A block that only the root module may have.
pub const ROOT_ONLY: Code = Code(116);
/// An argument has a value of the wrong type or out of range.
pub const INVALID_ARGUMENT: Code = Code(117);

/// A reference to something that is not declared.
pub const UNKNOWN_REFERENCE: Code = Code(120);
/// A reference where its root has no meaning: `each` without `for_each`.
pub const MISPLACED_REFERENCE: Code = Code(121);
/// A reference to an instance that does not exist.
pub const UNKNOWN_INSTANCE: Code = Code(122);

/// A variable without default has no value.
pub const MISSING_VARIABLE: Code = Code(130);
/// A value is not of the variable's type.
pub const VARIABLE_TYPE: Code = Code(131);
/// A value for a variable that is not declared.
pub const UNDECLARED_VARIABLE: Code = Code(132);
/// A value breaks a validation rule.
pub const VALIDATION: Code = Code(133);
/// The text given for a variable is no expression.
pub const VARIABLE_TEXT: Code = Code(134);
/// Something is used that its module says should no longer be used.
pub const DEPRECATED: Code = Code(135);

/// No cluster is declared.
pub const NO_CLUSTER: Code = Code(140);
/// A resource does not say which of several clusters it belongs to, or names none of them.
pub const CLUSTER_CHOICE: Code = Code(141);
/// Where the state is kept has not been chosen.
pub const STATE_CHOICE: Code = Code(142);
/// The environment has no name, or one that is not valid.
pub const ENVIRONMENT_NAME: Code = Code(143);
/// A wait rule is no expression in CEL, or one that may cost too much.
pub const WAIT_RULE: Code = Code(144);

/// `for_each` or `count` has a value that gives no instances.
pub const INSTANCES: Code = Code(150);
/// `for_each` or `count` depends on what is known only after apply.
pub const UNKNOWN_INSTANCES: Code = Code(151);
/// A sensitive value would be shown.
pub const SENSITIVE: Code = Code(152);
/// An ephemeral value would be kept.
pub const EPHEMERAL: Code = Code(153);

/// A module is found in the repository and in the binary, and the definition does not say which to take.
pub const SHADOWED: Code = Code(160);
/// A module uses itself.
pub const RECURSION: Code = Code(161);

/// The source of a module is not in a form that can be fetched and pinned.
pub const MODULE_SOURCE: Code = Code(170);
/// A module's source is not in the lock file.
pub const NOT_LOCKED: Code = Code(171);
/// A module that the lock file pins has not been fetched.
pub const NOT_FETCHED: Code = Code(172);
/// A fetched module is not what the lock file says.
pub const LOCK_MISMATCH: Code = Code(173);
/// The lock file is broken.
pub const LOCK: Code = Code(174);
/// A `moved` block contradicts the definition or another one.
pub const MOVED: Code = Code(180);
/// A `removed` block names what is declared.
pub const REMOVED: Code = Code(181);
/// An `import` block names what is not declared, or another object.
pub const IMPORT: Code = Code(182);
/// A precondition or postcondition does not hold.
pub const CONDITION: Code = Code(183);
/// A check failed.
pub const CHECK: Code = Code(184);
/// What a check asserts is known only after apply.
pub const CHECK_OPEN: Code = Code(185);
/// A precondition or postcondition is not known when it has to be.
pub const CONDITION_OPEN: Code = Code(186);

/// A manifest is no Kubernetes object.
pub const MANIFEST: Code = Code(400);
/// A namespaced object has no namespace, or a cluster-scoped one has a namespace.
pub const NAMESPACE: Code = Code(401);
/// Something that identifies an object is known only after apply.
pub const UNKNOWN_IDENTITY: Code = Code(402);
/// A pattern matches no file.
pub const NO_FILES: Code = Code(403);
/// A read found no object.
pub const READ_NOT_FOUND: Code = Code(404);
/// What was filled in at apply changes more than values.
pub const FILL: Code = Code(405);
/// A value cannot be generated.
pub const GENERATE: Code = Code(407);
/// A file is not YAML.
pub const YAML: Code = Code(406);
