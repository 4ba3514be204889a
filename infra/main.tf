# rollcall on AWS: for each of the vendor's accounts a bucket, two functions, a schedule, a catalogue, and alarms.

provider "aws" {
  region = var.region

  default_tags {
    tags = merge({ application = var.prefix }, var.tags)
  }
}

module "account" {
  source   = "./account"
  for_each = var.accounts

  name         = "${var.prefix}-${each.key}"
  package      = var.package
  architecture = var.architecture
  settings     = each.value
}
