//! Words of Terraform that the language does not have, and what stands in their place.

/// Returns what to write in place of a block of Terraform's.
pub(crate) fn block(block_type: &str) -> Option<&'static str> {
    Some(match block_type {
        "resource" => "the type comes first here: `TYPE \"NAME\" { … }`, such as `namespace \"dev\" { … }`",
        "data" | "ephemeral" => "write `read \"KIND\" \"NAME\" { … }` to read an object of a cluster",
        "provider" => "write `cluster \"NAME\" { context = … }`: clusters need no provider",
        "terraform" => {
            "write `terrane { environment = … }`; the state is chosen in it: `state \"git\" { … }`"
        }
        _ => return None,
    })
}

/// Returns what to write in place of a reference of Terraform's.
pub(crate) fn reference(root: &str) -> Option<&'static str> {
    Some(match root {
        "terraform" => "the environment's name is `terrane.environment`",
        "data" => "an object of a cluster is `read.KIND.NAME`",
        "module" => "the output of a module is `TYPE.NAME.OUTPUT`",
        "values" | "Values" => "a value that is given from outside is a variable: `var.NAME`",
        _ => return None,
    })
}
