locals {
  pattern = "\d+"
}
