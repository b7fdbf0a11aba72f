locals {
  name = upper(["dev"])
}
