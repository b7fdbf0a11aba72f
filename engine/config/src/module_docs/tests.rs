use std::path::Path;

use super::module_docs;

/// The reference pages of the modules of the binary are what `terrane docs` prints. `UPDATE_EXPECTATIONS=1` writes
/// them anew.
#[test]
fn the_pages_of_the_modules_are_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let pages = root.join("engine/docs/modules");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(root.join("modules")).unwrap() {
        let directory = entry.unwrap().path();
        let name = directory.file_name().unwrap().to_string_lossy().into_owned();
        let text = module_docs(&directory).unwrap();
        let page = pages.join(format!("{name}.md"));
        if std::env::var_os("UPDATE_EXPECTATIONS").is_some() {
            std::fs::create_dir_all(&pages).unwrap();
            std::fs::write(&page, &text).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&page).unwrap_or_default(), text, "{}", page.display());
        names.push(format!("{name}.md"));
    }
    names.sort();
    let files =
        std::fs::read_dir(pages).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<String> = files.collect();
    files.sort();
    assert_eq!(files, names, "a page without a module");
}

#[test]
fn a_module_is_told_in_the_words_of_its_author() {
    let directory = tempfile::tempdir().unwrap();
    let module = directory.path().join("site");
    std::fs::create_dir(&module).unwrap();
    let text = r#"# A site.

variable "name" {
  type        = string
  default     = "web"
  description = "Its name, or `a|b`."
}

variable "size" {
  type = object({
    cpu = string
  })
  sensitive = true
}

manifest "page" {
  for_each = {}
  object   = {}
}

output "url" {
  value       = 1
  description = "Where it is: a|b."
}
"#;
    std::fs::write(module.join("main.hcl"), text).unwrap();
    let want = r#"# site

A site.

## Variables

### `size`

Type: see below. Required. Sensitive: it is never shown.

```text
type = object({
  cpu = string
})
```

### `name`

Its name, or `a|b`.

Type: `string`. Default: `"web"`.

## Outputs

| Output | Is |
|---|---|
| `url` | Where it is: a\|b. |

## Resources

| Resource | How many |
|---|---|
| `manifest.page` | one per entry of `for_each` |
"#;
    assert_eq!(module_docs(&module).unwrap(), want);
    std::fs::write(module.join("main.hcl"), "variable \"x\" {").unwrap();
    assert!(module_docs(&module).is_err());
    assert!(module_docs(directory.path()).is_err());
}
