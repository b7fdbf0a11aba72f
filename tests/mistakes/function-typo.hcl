locals {
  name = upcase("dev")
}
