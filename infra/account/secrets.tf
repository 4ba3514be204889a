# The vendor's credentials. Their value is put outside Terraform, so that it is in no state file:
#   aws secretsmanager put-secret-value --secret-id NAME --secret-string file://credentials.json
resource "aws_secretsmanager_secret" "vendor" {
  name                    = "${var.name}/vendor"
  description             = "The vendor's credentials: {\"token\": …}, or {\"app_key\": …, \"app_secret\": …, \"user_id\": …}."
  kms_key_id              = local.kms_key
  recovery_window_in_days = var.settings.secret_recovery_days
}

# The key for pseudonyms, which is put outside Terraform too, and never changed: another one names the same people anew.
#   aws secretsmanager put-secret-value --secret-id NAME --secret-string "$(openssl rand -hex 32)"
resource "aws_secretsmanager_secret" "hmac_key" {
  count = var.settings.hmac_key ? 1 : 0

  name                    = "${var.name}/hmac-key"
  description             = "The key for pseudonyms: a text of at least 32 characters."
  kms_key_id              = local.kms_key
  recovery_window_in_days = var.settings.secret_recovery_days
}

# The token that all pulls of a fan-out use. The function `sync` makes it, the workers only read it.
resource "aws_secretsmanager_secret" "token" {
  name                    = "${var.name}/token"
  description             = "The token in use, as rollcall writes it."
  kms_key_id              = local.kms_key
  recovery_window_in_days = var.settings.secret_recovery_days
}
