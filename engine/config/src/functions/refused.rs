//! Functions that Terraform or `OpenTofu` have and this language has not, each with the reason.

/// A function that is left out on purpose.
pub(crate) struct Refused {
    /// Its name.
    pub(crate) name: &'static str,
    /// Why it is left out.
    pub(crate) why: &'static str,
    /// What to write in its place.
    pub(crate) instead: &'static str,
}

#[rustfmt::skip]
const TABLE: &[Refused] = &[
    Refused { name: "abspath", why: "a plan must not depend on where the repository lies",
        instead: "paths start at the repository's root; path.root and path.module are relative to it" },
    Refused { name: "bcrypt", why: "it gives another result each time, so every plan would show a change",
        instead: "hash the password once, outside, and pass it as a sensitive variable" },
    Refused { name: "list", why: "it was removed from Terraform", instead: "write [a, b], or tolist([a, b])" },
    Refused { name: "map", why: "it was removed from Terraform", instead: "write { a = b }, or tomap({ a = b })" },
    Refused { name: "pathexpand", why: "no file outside the repository is read, so there is no home directory",
        instead: "name files from the repository's root" },
    Refused { name: "rsadecrypt", why: "a private key has no place in a definition or its variables",
        instead: "decrypt outside, and pass the text as a sensitive variable" },
    Refused { name: "tera", why: "our own functions stand under k8s::", instead: "write k8s::tera(path, variables)" },
    Refused { name: "uuid", why: "it gives another result each time, so every plan would show a change",
        instead: "write uuidv5(\"dns\", \"NAME\"): the same name gives the same UUID" },
    Refused { name: "provider::*", why: "there are no providers that bring functions",
        instead: "the functions on Kubernetes' own notations stand under k8s::" },
    Refused { name: "assume*", why: "a value that is known after apply has a type and no further promises",
        instead: "use the value itself" },
];

/// Returns the functions that are left out. A `*` at the end of a name stands for any rest.
pub(crate) fn all() -> &'static [Refused] {
    TABLE
}

/// Finds a function that is left out on purpose.
pub(crate) fn find(name: &str) -> Option<&'static Refused> {
    TABLE.iter().find(|refused| match refused.name.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == refused.name,
    })
}
