locals {
  script = <<-EOT
    #!/bin/sh
    echo ${upper(local.grting)}
  EOT
}
