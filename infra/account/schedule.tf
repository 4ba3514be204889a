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
