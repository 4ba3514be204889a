variable "name" {
  description = "What all names of this account begin with."
  type        = string
}

variable "package" {
  description = "The functions' zip: its path, or where it lies in S3."
  type = object({
    path           = optional(string)
    bucket         = optional(string)
    key            = optional(string)
    object_version = optional(string)
  })
}

variable "architecture" {
  description = "What the package was built for."
  type        = string
}

variable "settings" {
  description = "The settings of one of the vendor's accounts, with their defaults as in infra/variables.tf."
  type = object({
    schedule                    = string
    schedule_enabled            = bool
    fan_out                     = bool
    heartbeat_hours             = number
    api_url                     = optional(string)
    zone                        = string
    settle                      = string
    horizon                     = string
    lookback                    = string
    public_list                 = bool
    environment                 = map(string)
    requests_per_second         = number
    concurrency                 = number
    parallel_pulls              = number
    events_per_pull             = number
    memory_mb                   = number
    timeout_seconds             = number
    vpc                         = optional(object({ subnet_ids = list(string), security_group_ids = list(string) }))
    bucket                      = optional(string)
    kms_key_arn                 = optional(string)
    privacy                     = string
    hmac_key                    = bool
    archive                     = bool
    archive_kms_key_arn         = optional(string)
    former_kms_key_arns         = list(string)
    former_archive_kms_key_arns = list(string)
    archive_days                = optional(number)
    noncurrent_days             = number
    log_retention_days          = number
    secret_recovery_days        = number
    first_day                   = string
    athena_scan_limit_gb        = number
    athena_result_days          = number
    alarm_topic_arns            = list(string)
    reject_share                = number
  })

  # What Scheduler takes, and only that: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
  validation {
    condition = anytrue([
      can(regex("^rate\\((1 (minute|hour|day)|([2-9]|[1-9][0-9]+) (minutes|hours|days))\\)$", var.settings.schedule)),
      try(alltrue(flatten([
        [for fields in [regex("^cron\\(([0-9*/,-]+) ([0-9*/,-]+) ([0-9*?/,LW-]+) ([0-9A-Z*/,-]+) ([0-9A-Z*?/,L#-]+) ([0-9*/,-]+)\\)$", var.settings.schedule)] : [
          (fields[2] == "?") != (fields[4] == "?"),
          [for number in regexall("[0-9]+", fields[0]) : tonumber(number) <= 59],
          [for number in regexall("[0-9]+", fields[1]) : tonumber(number) <= 23],
          [for number in regexall("[0-9]+", fields[2]) : tonumber(number) >= 1 && tonumber(number) <= 31],
          [for number in regexall("[0-9]+", fields[3]) : tonumber(number) >= 1 && tonumber(number) <= 12],
          [for number in regexall("[0-9]+", fields[4]) : tonumber(number) >= 1 && tonumber(number) <= 7],
          [for number in regexall("[0-9]{4,}", fields[5]) : tonumber(number) >= 1970 && tonumber(number) <= 2199],
          [for name in regexall("[A-Z]{2,}", fields[3]) : contains(split(" ", "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC"), name)],
          [for name in regexall("[A-Z]{2,}", fields[4]) : contains(split(" ", "SUN MON TUE WED THU FRI SAT"), name)],
        ]]
      ])), false),
    ])
    error_message = "The schedule is like `rate(1 hour)`, `rate(6 hours)` or `cron(15 4 * * ? *)`, in the account's zone."
  }

  validation {
    condition     = can(regex("^([A-Z][A-Za-z]+(/[A-Z][A-Za-z0-9_-]*)+|UTC)$", var.settings.zone))
    error_message = "The zone is a name of the IANA's database, like `Asia/Shanghai`."
  }

  validation {
    condition     = can(regex("^[0-9]+(h|d)$", var.settings.settle))
    error_message = "`settle` is in hours or days, like `12h` or `30d`."
  }

  validation {
    condition     = can(regex("^[0-9]+(h|d)$", var.settings.horizon))
    error_message = "`horizon` is in hours or days, like `12h` or `30d`."
  }

  validation {
    condition = try(
      (endswith(var.settings.horizon, "d") ? 24 : 1) * tonumber(trim(var.settings.horizon, "dh")) >=
      (endswith(var.settings.settle, "d") ? 24 : 1) * tonumber(trim(var.settings.settle, "dh")) + 25,
      true
    )
    error_message = "`horizon` is at least 25 hours longer than `settle`: else an event's last day is not asked for once it has settled."
  }

  validation {
    condition     = can(regex("^[0-9]+(h|d)$", var.settings.lookback))
    error_message = "`lookback` is in hours or days, like `12h` or `30d`."
  }

  validation {
    condition     = var.settings.memory_mb >= 256 && var.settings.memory_mb <= 10240
    error_message = "`memory_mb` is from 256 to 10240."
  }

  validation {
    condition     = var.settings.timeout_seconds >= 60 && var.settings.timeout_seconds <= 900
    error_message = "`timeout_seconds` is from 60 to 900."
  }

  validation {
    condition     = var.settings.parallel_pulls >= 1 && var.settings.requests_per_second >= var.settings.parallel_pulls
    error_message = "`requests_per_second` is divided by `parallel_pulls`: it has to be at least as large."
  }

  validation {
    condition     = var.settings.concurrency >= 1 && var.settings.events_per_pull >= 1 && var.settings.events_per_pull <= 100
    error_message = "`concurrency` is at least 1, `events_per_pull` from 1 to 100."
  }

  validation {
    condition = alltrue([
      for number in [var.settings.requests_per_second, var.settings.concurrency, var.settings.parallel_pulls, var.settings.events_per_pull] :
      floor(number) == number
    ])
    error_message = "`requests_per_second`, `concurrency`, `parallel_pulls` and `events_per_pull` are whole numbers."
  }

  validation {
    condition     = var.settings.heartbeat_hours >= 1 && var.settings.heartbeat_hours <= 168 && floor(var.settings.heartbeat_hours) == var.settings.heartbeat_hours
    error_message = "`heartbeat_hours` is a whole number from 1 to 168: an alarm looks back seven days at most."
  }

  validation {
    condition     = var.settings.kms_key_arn == null || can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.settings.kms_key_arn))
    error_message = "`kms_key_arn` is the ARN of a key, not of an alias: no right covers an alias."
  }

  validation {
    condition     = var.settings.archive_kms_key_arn == null || can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.settings.archive_kms_key_arn))
    error_message = "`archive_kms_key_arn` is the ARN of a key, not of an alias: no right covers an alias."
  }

  validation {
    condition     = alltrue([for key in concat(var.settings.former_kms_key_arns, var.settings.former_archive_kms_key_arns) : can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", key))])
    error_message = "`former_kms_key_arns` and `former_archive_kms_key_arns` are the ARNs of keys, not of aliases: no right covers an alias."
  }

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.settings.log_retention_days)
    error_message = "`log_retention_days` is one of the numbers that CloudWatch takes, such as 30, 90 or 365."
  }

  validation {
    condition     = var.settings.secret_recovery_days == 0 || var.settings.secret_recovery_days >= 7 && var.settings.secret_recovery_days <= 30
    error_message = "`secret_recovery_days` is from 7 to 30, or 0."
  }

  validation {
    condition     = var.settings.reject_share > 0 && var.settings.reject_share <= 1
    error_message = "`reject_share` is a share: 0.01 is one in a hundred."
  }

  validation {
    condition     = can(regex("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", var.settings.first_day)) && can(timeadd("${var.settings.first_day}T00:00:00Z", "0s"))
    error_message = "`first_day` is a day like `2015-01-01`."
  }

  validation {
    condition     = var.settings.noncurrent_days >= 1 && var.settings.athena_result_days >= 1 && var.settings.athena_scan_limit_gb >= 1
    error_message = "`noncurrent_days`, `athena_result_days` and `athena_scan_limit_gb` are at least 1."
  }

  validation {
    condition     = !can(regex("pseudonymous|\"hmac\"", var.settings.privacy)) || var.settings.hmac_key
    error_message = "A policy that makes pseudonyms (`pseudonymous`, or `hmac` for a column) needs `hmac_key = true`."
  }
}
