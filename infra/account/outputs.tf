output "bucket" {
  description = "The bucket of lake, ledger and staging."
  value       = aws_s3_bucket.lake.id
}

output "store" {
  description = "The same, as `--store` takes it."
  value       = "s3://${aws_s3_bucket.lake.id}"
}

output "environment" {
  description = "What the command needs in its environment to work over this lake."
  value = merge(
    { AWS_REGION = local.region },
    { for name, value in local.environment : name => value if startswith(name, "ROLLCALL_") && name != "ROLLCALL_DEPLOYMENT" },
  )
}

output "vendor_secret_arn" {
  description = "The secret to put the vendor's credentials into."
  value       = aws_secretsmanager_secret.vendor.arn
}

output "hmac_key_secret_arn" {
  description = "The secret to put the key for pseudonyms into, where there is one."
  value       = one(aws_secretsmanager_secret.hmac_key[*].arn)
}

output "sync_function" {
  description = "The function that the schedule starts."
  value       = aws_lambda_function.function["sync"].function_name
}

output "worker_function" {
  description = "The function that a fan-out starts many of."
  value       = aws_lambda_function.function["worker"].function_name
}

output "state_machine_arn" {
  description = "The fan-out: start it with `{\"from\": \"2022-01-01\", \"to\": \"2022-12-31\"}`, or `{}` for what is due."
  value       = aws_sfn_state_machine.fan_out.arn
}

output "dead_letters_url" {
  description = "The queue of runs that could not be started, or failed."
  value       = aws_sqs_queue.dead_letters.url
}

output "schedule" {
  description = "The schedule, and whether it is on."
  value       = "${aws_scheduler_schedule.sync.schedule_expression}, ${aws_scheduler_schedule.sync.state}"
}

output "database" {
  description = "The database in Glue."
  value       = aws_glue_catalog_database.lake.name
}

output "workgroup" {
  description = "The workgroup in Athena."
  value       = aws_athena_workgroup.analysts.name
}

output "analysts_policy_arn" {
  description = "The policy to attach to whoever queries."
  value       = aws_iam_policy.analysts.arn
}

output "dashboard" {
  description = "The dashboard in CloudWatch."
  value       = aws_cloudwatch_dashboard.runs.dashboard_name
}
