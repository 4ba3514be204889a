# What a service is called differs between partitions.
data "aws_service_principal" "service" {
  for_each = toset(["lambda", "scheduler", "states"])

  service_name = each.key
}

data "aws_iam_policy_document" "assumed_by" {
  for_each = data.aws_service_principal.service

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = [each.value.name]
    }

    # Of no other account: these two say for whom they act, Lambda does not.
    dynamic "condition" {
      for_each = each.key == "lambda" ? [] : [local.account_id]

      content {
        test     = "StringEquals"
        variable = "aws:SourceAccount"
        values   = [condition.value]
      }
    }
  }
}

resource "aws_iam_role" "function" {
  for_each = local.functions

  name               = "${var.name}-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.assumed_by["lambda"].json
}

resource "aws_iam_role_policy" "function" {
  for_each = local.functions

  name   = "function"
  role   = aws_iam_role.function[each.key].id
  policy = data.aws_iam_policy_document.function[each.key].json
}

data "aws_iam_policy_document" "function" {
  for_each = local.functions

  # Without this right a missing object would be a refusal. The condition holds for listings, which say a prefix. `sync` may always
  # look at archived answers: with another policy they are written anew, also where none are archived any more.
  statement {
    sid       = "List"
    actions   = ["s3:ListBucket"]
    resources = [local.bucket_arn]

    condition {
      test     = "StringLikeIfExists"
      variable = "s3:prefix"
      values = concat(
        ["lake/*", "staging/*", "ledger/*"],
        each.key == "sync" ? ["plans/*", "rosters/*"] : [],
        each.key == "sync" || var.settings.archive ? ["archive/*"] : [],
      )
    }
  }

  # A lake's object is replaced, never taken away.
  statement {
    sid       = "Lake"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"]
    resources = ["${local.bucket_arn}/lake/*"]
  }

  statement {
    sid       = "StagingAndLedger"
    actions   = ["s3:GetObject"]
    resources = ["${local.bucket_arn}/staging/*", "${local.bucket_arn}/ledger/*"]
  }

  # A worker writes no log of erasures, from which a lost list of the forgotten is made anew. That list and `lake.json` it may write:
  # it restores the one, and tries with the other whether the store refuses what it has to.
  statement {
    sid     = "StagingAndLedgerWrites"
    actions = ["s3:PutObject", "s3:AbortMultipartUpload"]
    resources = [
      for place in concat(
        ["staging/*"],
        each.key == "sync" ? ["ledger/*"] : [
          "ledger/active/*", "ledger/closed/*", "ledger/trial/*", "ledger/lake.json", "ledger/roster.json", "ledger/suppressed.json",
        ],
      ) : "${local.bucket_arn}/${place}"
    ]
  }

  # A staged file goes when it is published, an event's ledger when it moves. Nobody takes away the list of those who are to be forgotten.
  statement {
    sid       = "Deletes"
    actions   = ["s3:DeleteObject"]
    resources = [for prefix in ["staging", "ledger/active", "ledger/closed", "ledger/trial"] : "${local.bucket_arn}/${prefix}/*"]
  }

  # An answer is taken away that was not used after all.
  dynamic "statement" {
    for_each = each.key == "sync" || var.settings.archive ? [true] : []

    content {
      sid       = "Archive"
      actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
      resources = ["${local.bucket_arn}/archive/*"]
    }
  }

  dynamic "statement" {
    for_each = each.key == "sync" ? [true] : []

    content {
      sid       = "Plans"
      actions   = ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"]
      resources = ["${local.bucket_arn}/plans/*"]
    }
  }

  # A roster of the user's own. The worker asks for none: its events come from a plan.
  dynamic "statement" {
    for_each = each.key == "sync" ? [true] : []

    content {
      sid       = "Rosters"
      actions   = ["s3:GetObject"]
      resources = ["${local.bucket_arn}/rosters/*"]
    }
  }

  dynamic "statement" {
    for_each = each.key == "sync" ? [true] : []

    content {
      sid       = "Credentials"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [aws_secretsmanager_secret.vendor.arn]
    }
  }

  statement {
    sid       = "Token"
    actions   = each.key == "sync" ? ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"] : ["secretsmanager:GetSecretValue"]
    resources = [aws_secretsmanager_secret.token.arn]
  }

  dynamic "statement" {
    for_each = aws_secretsmanager_secret.hmac_key

    content {
      sid       = "PseudonymKey"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [statement.value.arn]
    }
  }

  statement {
    sid       = "Logs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.function[each.key].arn}:*"]
  }

  statement {
    sid       = "DeadLetters"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.dead_letters.arn]
  }

  dynamic "statement" {
    for_each = local.kms_key == null && var.settings.archive_kms_key_arn == null ? [] : [true]

    content {
      sid       = "Key"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = distinct(compact([local.kms_key, var.settings.archive_kms_key_arn]))
    }
  }

  # What was written under another key stays under it.
  dynamic "statement" {
    for_each = length(concat(var.settings.former_kms_key_arns, var.settings.former_archive_kms_key_arns)) > 0 ? [true] : []

    content {
      sid       = "FormerKeys"
      actions   = ["kms:Decrypt"]
      resources = concat(var.settings.former_kms_key_arns, var.settings.former_archive_kms_key_arns)
    }
  }

  # Network interfaces have no name before they are made.
  dynamic "statement" {
    for_each = var.settings.vpc[*]

    content {
      sid = "Network"
      actions = [
        "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses",
      ]
      resources = ["*"]
    }
  }
}

resource "aws_iam_role" "schedule" {
  name               = "${var.name}-schedule"
  assume_role_policy = data.aws_iam_policy_document.assumed_by["scheduler"].json
}

data "aws_iam_policy_document" "schedule" {
  statement {
    actions   = [var.settings.fan_out ? "states:StartExecution" : "lambda:InvokeFunction"]
    resources = [var.settings.fan_out ? aws_sfn_state_machine.fan_out.arn : aws_lambda_function.function["sync"].arn]
  }

  statement {
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.dead_letters.arn]
  }

  dynamic "statement" {
    for_each = local.kms_key[*]

    content {
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]
    }
  }
}

resource "aws_iam_role_policy" "schedule" {
  name   = "schedule"
  role   = aws_iam_role.schedule.id
  policy = data.aws_iam_policy_document.schedule.json
}

resource "aws_iam_role" "fan_out" {
  name               = "${var.name}-fan-out"
  assume_role_policy = data.aws_iam_policy_document.assumed_by["states"].json
}

data "aws_iam_policy_document" "fan_out" {
  statement {
    sid       = "Functions"
    actions   = ["lambda:InvokeFunction"]
    resources = [for function in aws_lambda_function.function : function.arn]
  }

  # The list of events is read, and what became of each batch is written, by Step Functions itself.
  statement {
    sid       = "Plans"
    actions   = ["s3:GetObject"]
    resources = ["${local.bucket_arn}/plans/*"]
  }

  statement {
    sid       = "Results"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"]
    resources = ["${local.bucket_arn}/plans/results/*"]
  }

  statement {
    sid       = "Children"
    actions   = ["states:StartExecution"]
    resources = [local.state_machine_arn]
  }

  statement {
    sid       = "ChildrenThatRun"
    actions   = ["states:DescribeExecution", "states:StopExecution"]
    resources = [for of in ["/*", ":*"] : "arn:${local.partition}:states:${local.region}:${local.account_id}:execution:${local.state_machine_name}${of}"]
  }

  # How many others run.
  statement {
    sid       = "Others"
    actions   = ["states:ListExecutions"]
    resources = [local.state_machine_arn]
  }

  # Deliveries of logs have no resource: https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
  statement {
    sid = "Logs"
    actions = [
      "logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery",
      "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies", "logs:DescribeLogGroups",
    ]
    resources = ["*"]
  }

  dynamic "statement" {
    for_each = local.kms_key[*]

    content {
      sid       = "Key"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]
    }
  }
}

resource "aws_iam_role_policy" "fan_out" {
  name   = "fan-out"
  role   = aws_iam_role.fan_out.id
  policy = data.aws_iam_policy_document.fan_out.json
}
