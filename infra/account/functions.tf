locals {
  # The jobs' options, as `rollcall --help` names them.
  environment = merge(
    {
      ROLLCALL_DEPLOYMENT       = var.name
      ROLLCALL_STORE            = "s3://${aws_s3_bucket.lake.id}"
      ROLLCALL_TOKEN_SECRET_ARN = aws_secretsmanager_secret.token.arn
      ROLLCALL_ZONE             = var.settings.zone
      ROLLCALL_SETTLE           = var.settings.settle
      ROLLCALL_HORIZON          = var.settings.horizon
      ROLLCALL_LOOKBACK         = var.settings.lookback
      ROLLCALL_CONCURRENCY      = tostring(var.settings.concurrency)
      # The C library otherwise keeps an arena of freed memory for each thread. A function of the smallest size has one
      # processor, so that nobody waits for the one arena.
      MALLOC_ARENA_MAX = "1"
      # It also raises this threshold by itself, and from then on keeps large blocks that are freed.
      MALLOC_MMAP_THRESHOLD_ = "131072"
    },
    var.settings.api_url == null ? {} : { ROLLCALL_API_URL = var.settings.api_url },
    var.settings.public_list ? {} : { ROLLCALL_NO_PUBLIC_LIST = "true" },
    local.kms_key == null ? {} : { ROLLCALL_S3_KMS_KEY = local.kms_key },
    { ROLLCALL_PRIVACY = var.settings.privacy },
    { for secret in aws_secretsmanager_secret.hmac_key : "ROLLCALL_HMAC_SECRET_ARN" => secret.arn },
    var.settings.archive ? { ROLLCALL_ARCHIVE = "true" } : {},
    var.settings.archive_kms_key_arn == null ? {} : { ROLLCALL_ARCHIVE_KMS_KEY = var.settings.archive_kms_key_arn },
    var.settings.environment,
  )

  functions = {
    # The scheduled job, and whatever only one may do: it alone knows the application's secret.
    sync = {
      at_once = 1
      environment = {
        ROLLCALL_SECRET_ARN          = aws_secretsmanager_secret.vendor.arn
        ROLLCALL_REQUESTS_PER_SECOND = tostring(var.settings.requests_per_second)
      }
    }
    # The pulls and publishes of a fan-out, many at once: together they ask the vendor as often as one `sync`.
    worker = {
      at_once = -1
      environment = {
        ROLLCALL_REQUESTS_PER_SECOND = tostring(floor(var.settings.requests_per_second / var.settings.parallel_pulls))
      }
    }
  }
}

resource "aws_cloudwatch_log_group" "function" {
  for_each = local.functions

  name              = "/aws/lambda/${var.name}-${each.key}"
  retention_in_days = var.settings.log_retention_days
  kms_key_id        = local.kms_key
}

resource "aws_lambda_function" "function" {
  for_each = local.functions

  function_name                  = "${var.name}-${each.key}"
  description                    = "rollcall: ${each.key}"
  role                           = aws_iam_role.function[each.key].arn
  runtime                        = "provided.al2023"
  handler                        = "bootstrap"
  architectures                  = [var.architecture]
  memory_size                    = var.settings.memory_mb
  timeout                        = var.settings.timeout_seconds
  reserved_concurrent_executions = each.value.at_once
  kms_key_arn                    = local.kms_key

  filename          = var.package.path
  source_code_hash  = var.package.path == null ? null : filebase64sha256(var.package.path)
  s3_bucket         = var.package.bucket
  s3_key            = var.package.key
  s3_object_version = var.package.object_version

  environment {
    variables = merge(local.environment, each.value.environment)
  }

  dynamic "vpc_config" {
    for_each = var.settings.vpc[*]

    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  # The log group is there first, so that Lambda makes none without an end.
  depends_on = [aws_iam_role_policy.function, aws_cloudwatch_log_group.function]
}

# A run that failed is not run again by Lambda: the next one on the schedule does what is left.
resource "aws_lambda_function_event_invoke_config" "function" {
  for_each = local.functions

  function_name                = aws_lambda_function.function[each.key].function_name
  maximum_retry_attempts       = 0
  maximum_event_age_in_seconds = 3600

  destination_config {
    on_failure {
      destination = aws_sqs_queue.dead_letters.arn
    }
  }
}

# What could not be started, or failed: with what it was to do, so that it can be sent again.
resource "aws_sqs_queue" "dead_letters" {
  name                              = "${var.name}-dead-letters"
  message_retention_seconds         = 14 * 24 * 3600
  kms_master_key_id                 = local.kms_key
  sqs_managed_sse_enabled           = local.kms_key == null ? true : null
  kms_data_key_reuse_period_seconds = local.kms_key == null ? null : 3600
}
