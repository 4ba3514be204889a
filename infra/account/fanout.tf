# A pull that one function cannot do in a quarter of an hour: many do it, and one of them keeps the token.
locals {
  state_machine_name = "${var.name}-fan-out"
  state_machine_arn  = "arn:${local.partition}:states:${local.region}:${local.account_id}:stateMachine:${local.state_machine_name}"
}

resource "aws_sfn_state_machine" "fan_out" {
  name     = local.state_machine_name
  role_arn = aws_iam_role.fan_out.arn

  definition = templatefile("${path.module}/fanout.asl.json", {
    partition       = local.partition
    bucket          = aws_s3_bucket.lake.id
    sync            = aws_lambda_function.function["sync"].arn
    worker          = aws_lambda_function.function["worker"].arn
    parallel_pulls  = var.settings.parallel_pulls
    events_per_pull = var.settings.events_per_pull
    # Step Functions waits for ever for an answer that is lost. A function ends a minute before.
    task_seconds = var.settings.timeout_seconds + 60
  })

  logging_configuration {
    level                  = "ERROR"
    include_execution_data = true
    log_destination        = "${aws_cloudwatch_log_group.fan_out.arn}:*"
  }

  depends_on = [aws_iam_role_policy.fan_out]
}

resource "aws_cloudwatch_log_group" "fan_out" {
  name              = "/aws/vendedlogs/states/${local.state_machine_name}"
  retention_in_days = var.settings.log_retention_days
  kms_key_id        = local.kms_key
}
