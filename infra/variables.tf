variable "prefix" {
  description = "What all names begin with."
  type        = string
  default     = "rollcall"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,19}$", var.prefix))
    error_message = "The prefix is up to 20 lower-case letters, digits and hyphens, and begins with a letter."
  }
}

variable "region" {
  description = "Region; without one, that of the environment. `cn-north-1` and `cn-northwest-1` work too."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of everything."
  type        = map(string)
  default     = {}
}

variable "package" {
  description = "The functions' zip, as `make lambda` makes it: its path, or where it lies in S3."
  type = object({
    path           = optional(string)
    bucket         = optional(string)
    key            = optional(string)
    object_version = optional(string)
  })
  default = { path = "../target/lambda/rollcall-lambda/bootstrap.zip" }

  validation {
    condition     = (var.package.path == null) == (var.package.bucket != null && var.package.key != null)
    error_message = "The package is either a path, or a bucket and a key."
  }
}

variable "architecture" {
  description = "What the package was built for."
  type        = string
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "The architecture is `arm64` or `x86_64`."
  }
}

variable "accounts" {
  description = "The vendor's accounts by name, each with a lake of its own; infra/README.md says what each setting means."
  type = map(object({
    # When it runs.
    schedule         = optional(string, "rate(1 hour)")
    schedule_enabled = optional(bool, false)
    fan_out          = optional(bool, false)
    heartbeat_hours  = optional(number, 4)

    # What is pulled.
    api_url     = optional(string)
    zone        = optional(string, "Asia/Shanghai")
    settle      = optional(string, "12h")
    horizon     = optional(string, "30d")
    lookback    = optional(string, "400d")
    public_list = optional(bool, true)
    environment = optional(map(string), {})

    # How fast, and with what. The rate is that of one run: runs beside each other add up.
    requests_per_second = optional(number, 20)
    concurrency         = optional(number, 4)
    parallel_pulls      = optional(number, 20)
    events_per_pull     = optional(number, 10)
    memory_mb           = optional(number, 512)
    timeout_seconds     = optional(number, 900)
    vpc = optional(object({
      subnet_ids         = list(string)
      security_group_ids = list(string)
    }))

    # What is kept, and how.
    bucket                      = optional(string)
    kms_key_arn                 = optional(string)
    privacy                     = optional(string, "open")
    hmac_key                    = optional(bool, false)
    archive                     = optional(bool, false)
    archive_kms_key_arn         = optional(string)
    former_kms_key_arns         = optional(list(string), [])
    former_archive_kms_key_arns = optional(list(string), [])
    archive_days                = optional(number)
    noncurrent_days             = optional(number, 30)
    log_retention_days          = optional(number, 90)
    secret_recovery_days        = optional(number, 30)
    first_day                   = optional(string, "2015-01-01")
    athena_scan_limit_gb        = optional(number, 100)
    athena_result_days          = optional(number, 30)

    # Who is told.
    alarm_topic_arns = optional(list(string), [])
    reject_share     = optional(number, 0.01)
  }))
  default = { main = {} }

  validation {
    condition     = alltrue([for name, _ in var.accounts : can(regex("^[a-z0-9][a-z0-9-]{0,19}$", name))])
    error_message = "An account's name is up to 20 lower-case letters, digits and hyphens."
  }
}
