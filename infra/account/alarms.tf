# Each says what to do. Events that are left for the next run, a holiday without events, and an event of more than a week ago that
# the vendor forgot raise none: they are counted in none of these metrics. Nor do objects of the lake that somebody else deleted,
# until something of their day is published.
locals {
  hour = 3600
  # CloudWatch looks back seven days at most.
  two_pauses   = min(2 * var.settings.heartbeat_hours, 168)
  three_pauses = min(3 * var.settings.heartbeat_hours, 168)
  # As many runs as fit into that time for certain.
  two_runs   = min(2, floor(168 / var.settings.heartbeat_hours))
  three_runs = min(3, floor(168 / var.settings.heartbeat_hours))

  log_group        = aws_cloudwatch_log_group.function["sync"].name
  worker_log_group = aws_cloudwatch_log_group.function["worker"].name

  what_an_error_says = "The last error in its log group says why, and what to do; its type begins with Transient where the next run may help, with Permanent where somebody has to. With any other type the run was killed or crashed: the lines before it say whether time (timeout_seconds, or the fan-out) or memory (memory_mb) ran out."

  alarms = {
    overdue = {
      metric     = "events_overdue"
      over       = 0
      periods    = var.settings.heartbeat_hours
      datapoints = 1
      text       = "A run of the last ${var.settings.heartbeat_hours} h found an event that has ended, and that has had no good visit for more than a day since one was due. `rollcall status --store s3://${aws_s3_bucket.lake.id} --zone ${var.settings.zone} --settle ${var.settings.settle}` names it; why its visits failed, if it had any, says the saved query health-incomplete. If many are waiting, use the fan-out. It may also be an event that has begun, and of which the vendor does not say when it ends: invoke ${var.name}-sync with {\"job\": \"sync\", \"event_id\": ID} to visit it all the same."
    }
    failing = {
      metric     = "events_failing"
      over       = 0
      periods    = var.settings.heartbeat_hours
      datapoints = 1
      text       = "A run of the last ${var.settings.heartbeat_hours} h found an event whose last three visits failed. While this stands, `newly-failing` reports others. The column `error` of the table `pulls` says why, and what to do; quote its requestId to the vendor's support."
    }
    newly-failing = {
      metric = "events_newly_failing"
      sum    = true
      once   = true
      over   = 0
      text   = "Within an hour, events failed for the third visit in a row. The field `failed` of the run's line names them, and says why: in ${local.log_group}, or in ${local.worker_log_group} where a fan-out pulls. While events go on failing hour after hour, this alarm stays and does not report each: the saved query health-incomplete names all."
    }
    given-up = {
      metric = "events_given_up"
      sum    = true
      once   = true
      over   = 0
      text   = "Within an hour, events were given up: their horizon (${var.settings.horizon}) is over, something of them is missing, and for a week and three visits or more, all failed, or no end of them became known. No run comes back to them, and what the vendor no longer has is lost. The fields `failed` and `notes` of the run's line name them: in ${local.log_group}, or in ${local.worker_log_group} where a fan-out pulls; so does the saved query health-incomplete, as closed. `rollcall explain ID` says what is missing, and why. When the cause is gone, invoke ${var.name}-sync with {\"job\": \"sync\", \"event_id\": ID}, which tries again."
    }
    shrunk = {
      metric = "shrunk"
      once   = true
      over   = 0
      text   = "The vendor now reports fewer viewings for a day than when it had settled. The lake keeps what it had: nothing is lost. It may have forgotten them, and then there is nothing to do. If it has corrected an error, SELECT event_id, pulled_at, fewer FROM pulls WHERE fewer > 0 AND dt >= current_date - interval '2' day names the event, and `rollcall explain ID` the day; where that day still has rows, take it over: invoke ${var.name}-sync with {\"job\": \"sync\", \"event_id\": ID, \"from\": DAY, \"to\": DAY, \"accept_shrink\": true}. Without the day, all days of the event would become what the vendor still has. While such changes go on hour after hour, this alarm stays and does not report each."
    }
    # Hours without a run have no failures either: as many are looked at as three runs of the schedule take.
    run-failures = {
      metric     = "run_failures"
      over       = 0
      periods    = local.three_pauses
      datapoints = local.three_runs
      text       = "In ${local.three_runs} of the last ${local.three_pauses} hours something failed that is no visit's, in any job but a pull: a list of the vendor's, an event that could not be planned, the publish of a day, a check of the doctor. The field `failed` of the run's line says what, and what to do: in ${local.log_group}, or in ${local.worker_log_group} where a fan-out publishes."
    }
    sync-errors = {
      namespace  = "AWS/Lambda"
      metric     = "Errors"
      dimensions = { FunctionName = aws_lambda_function.function["sync"].function_name }
      sum        = true
      over       = 0
      periods    = local.two_pauses
      datapoints = local.two_runs
      text       = "In ${local.two_runs} of the last ${local.two_pauses} hours a run could not work at all. ${local.what_an_error_says}"
    }
    worker-errors = {
      namespace  = "AWS/Lambda"
      metric     = "Errors"
      dimensions = { FunctionName = aws_lambda_function.function["worker"].function_name }
      sum        = true
      once       = true
      over       = 10
      text       = "In one hour, more than ten pulls or publishes of a fan-out could not work at all. They are tried again, and the alarm `fan-out` tells if that was in vain. ${local.what_an_error_says}"
    }
    fan-out = {
      namespace  = "AWS/States"
      metric     = "ExecutionsFailed"
      dimensions = { StateMachineArn = aws_sfn_state_machine.fan_out.arn }
      sum        = true
      once       = true
      over       = 0
      text       = "A fan-out has failed. What it brought is kept, and the next goes on with what is due; one over days is to be started again with the same days. Its execution in Step Functions says which state failed, and why. Start a new one rather than redrive it, which repeats only what failed last."
    }
    dead-letters = {
      namespace  = "AWS/SQS"
      metric     = "NumberOfMessagesSent"
      dimensions = { QueueName = aws_sqs_queue.dead_letters.name }
      sum        = true
      over       = 0
      periods    = local.two_pauses
      datapoints = local.two_runs
      text       = "In ${local.two_runs} of the last ${local.two_pauses} hours a run could not be started, or ended in an error. The messages in the queue say which; when the cause is gone, the next run does their work, and they can be left to expire."
    }
  }
}

check "somebody_is_told" {
  assert {
    condition     = !var.settings.schedule_enabled || length(var.settings.alarm_topic_arns) > 0
    error_message = "The schedule of ${var.name} is on, and its alarms tell nobody: set `alarm_topic_arns`."
  }
}

resource "aws_cloudwatch_metric_alarm" "simple" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.text
  namespace           = try(each.value.namespace, "rollcall")
  metric_name         = each.value.metric
  dimensions          = try(each.value.dimensions, { deployment = var.name })
  statistic           = try(each.value.sum, false) ? "Sum" : "Maximum"
  period              = local.hour
  evaluation_periods  = try(each.value.periods, 1)
  datapoints_to_alarm = try(each.value.datapoints, each.value.periods, 1)
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.over
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.settings.alarm_topic_arns
  # Of what is reported once, the next hour's silence is not good news.
  ok_actions = try(each.value.once, false) ? [] : var.settings.alarm_topic_arns
}

# Hours without a beat are filled with none: of hours that are missing an alarm looks for older ones instead, and is late by those.
# Before the schedule is on, and once it is off, silence is what was asked for: an alarm that stood before would not tell of it anew.
resource "aws_cloudwatch_metric_alarm" "heartbeat" {
  count = var.settings.schedule_enabled ? 1 : 0

  alarm_name          = "${var.name}-heartbeat"
  alarm_description   = "No run over all events has finished for ${var.settings.heartbeat_hours} h. Where the schedule was turned on since, the first run has yet to finish. Otherwise check that the schedule is on, then look for the last error in ${local.log_group}; runs that could not be started are in the queue ${var.name}-dead-letters."
  evaluation_periods  = var.settings.heartbeat_hours
  datapoints_to_alarm = var.settings.heartbeat_hours
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "breaching"
  alarm_actions       = var.settings.alarm_topic_arns
  ok_actions          = var.settings.alarm_topic_arns

  metric_query {
    id          = "beats"
    expression  = "FILL(heartbeat, 0)"
    label       = "runs that came to their end"
    return_data = true
  }

  metric_query {
    id = "heartbeat"

    metric {
      namespace   = "rollcall"
      metric_name = "heartbeat"
      dimensions  = { deployment = var.name }
      period      = local.hour
      stat        = "Maximum"
    }
  }
}

# What is a share of a day's records: a few of them are odd in any lake. On its first day an event is visited about a dozen times, and
# each visit counts the same records anew: two odd ones make 24. Where most are odd, fewer are enough: a small lake has no more.
locals {
  share = "${var.settings.reject_share * 100} %"
  few   = 25

  shares = {
    rejects = {
      of         = ["rejects", "without_table"]
      expression = "IF((rejects + without_table >= ${local.few}) OR (rejects + without_table > rows), (rejects + without_table) / (rows + rejects + without_table), 0)"
      text       = "More than ${local.share} of a day's records could not be placed in a table. Those without a time are kept: SELECT event_id, pulled_at, rejects FROM pulls WHERE rejects > 0 AND dt >= current_date - interval '2' day says of which events, and SELECT dt, reason, record FROM rejects WHERE event_id = ID AND dt >= date 'DAY', with DAY the one before the event's, shows them. Arrays that no table has are named in the field `notes` of the run's line in ${local.log_group}, or in ${local.worker_log_group} where a fan-out pulled, and their records are not kept: the vendor has changed its answers; a newer version of rollcall may know them."
    }
    set-aside = {
      of         = ["set_aside"]
      expression = "IF((rows > 0) AND ((set_aside >= ${local.few}) OR (set_aside > rows)), set_aside / rows, 0)"
      text       = "In a day, more than ${local.share} as many values as rows did not fit their column: the column has a null there, and `extra` the value, where the privacy policy keeps it. SELECT event_id, pulled_at, set_aside FROM pulls WHERE set_aside > 0 AND dt >= current_date - interval '2' day says of which events. The vendor has probably changed its answers; a newer version of rollcall may know them."
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "share" {
  for_each = local.shares

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.text
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.settings.reject_share
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.settings.alarm_topic_arns
  ok_actions          = var.settings.alarm_topic_arns

  metric_query {
    id          = "share"
    expression  = each.value.expression
    label       = "share of a day's records"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = toset(concat(["rows"], each.value.of))

    content {
      id = metric_query.value

      metric {
        namespace   = "rollcall"
        metric_name = metric_query.value
        dimensions  = { deployment = var.name }
        period      = 24 * local.hour
        stat        = "Sum"
      }
    }
  }
}

resource "aws_cloudwatch_dashboard" "runs" {
  dashboard_name = var.name

  dashboard_body = jsonencode({
    widgets = [
      for index, widget in [
        { title = "Runs over all events, and what failed that is no visit's", metrics = ["heartbeat", "run_failures"], stat = "Sum" },
        { title = "Events that are still visited", metrics = ["events_known"], stat = "Maximum" },
        { title = "Events", metrics = ["events_complete", "events_failed", "events_newly_failing", "events_given_up", "events_left"], stat = "Sum" },
        { title = "Events that need a person", metrics = ["events_overdue", "events_failing"], stat = "Maximum" },
        { title = "Rows and rejects", metrics = ["rows", "rejects", "without_table", "set_aside", "shrunk"], stat = "Sum" },
        { title = "Requests to the vendor", metrics = ["requests", "retries"], stat = "Sum" },
        { title = "Bytes of answers", metrics = ["bytes"], stat = "Sum" },
        { title = "Duration of a run, ms", metrics = ["duration"], stat = "Maximum" },
        ] : {
        type   = "metric"
        width  = 12
        height = 6
        x      = index % 2 * 12
        y      = floor(index / 2) * 6
        properties = {
          title   = widget.title
          region  = local.region
          stat    = widget.stat
          period  = local.hour
          metrics = [for metric in widget.metrics : ["rollcall", metric, "deployment", var.name]]
        }
      }
    ]
  })
}
