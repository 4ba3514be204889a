# How long the schedule pauses, in hours; of `cron`, how long at least: a day's runs divide it, where minute and hours are plain
# numbers; where days are left out, at least one is.
locals {
  rate        = try(regex("^rate\\(([0-9]+) (minute|hour|day)", var.settings.schedule), null)
  cron        = try(split(" ", one(regex("^cron\\((.+)\\)$", var.settings.schedule))), null)
  runs_a_day  = can(tonumber(local.cron[0])) ? try(length([for hour in split(",", local.cron[1]) : tonumber(hour)]), null) : null
  is_each_day = try(alltrue([for field in slice(local.cron, 2, 6) : contains(["*", "?"], field)]), true)

  pause = try(
    local.rate[0] * { minute = 1 / 60, hour = 1, day = 24 }[local.rate[1]],
    local.is_each_day ? 24 / local.runs_a_day : local.runs_a_day == 1 ? 48 : 24,
    0,
  )
}

check "no_pause_is_an_alarm" {
  assert {
    condition     = var.settings.heartbeat_hours > local.pause + var.settings.timeout_seconds / 3600
    error_message = "The schedule of ${var.name} pauses for ${ceil(local.pause)} h or longer, and each pause raises the alarm `heartbeat`: `heartbeat_hours` has to be longer than the longest pause and the longest run together. An alarm looks back 168 h at most."
  }
}

# Off until a run of `doctor` inside the function has passed: infra/README.md says how.
resource "aws_scheduler_schedule" "sync" {
  name                         = var.name
  description                  = "Pulls and publishes what is due."
  state                        = var.settings.schedule_enabled ? "ENABLED" : "DISABLED"
  schedule_expression          = var.settings.schedule
  schedule_expression_timezone = var.settings.zone

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = var.settings.fan_out ? aws_sfn_state_machine.fan_out.arn : aws_lambda_function.function["sync"].arn
    role_arn = aws_iam_role.schedule.arn
    input    = jsonencode(var.settings.fan_out ? {} : { job = "sync" })

    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 3
    }

    dead_letter_config {
      arn = aws_sqs_queue.dead_letters.arn
    }
  }

  depends_on = [aws_iam_role_policy.schedule]
}
