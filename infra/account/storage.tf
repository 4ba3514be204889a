data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  partition  = data.aws_partition.current.partition
  account_id = data.aws_caller_identity.current.account_id
  region     = data.aws_region.current.name
  bucket     = coalesce(var.settings.bucket, "${var.name}-${local.account_id}-${local.region}")
  bucket_arn = aws_s3_bucket.lake.arn
  kms_key    = var.settings.kms_key_arn
}

# The lake, its ledger, and what is staged. A bucket that is not empty is never destroyed, but all that keeps it closed would be: so
# nothing is done at all where another name would take its place.
resource "aws_s3_bucket" "lake" {
  bucket = local.bucket

  lifecycle {
    prevent_destroy = true

    precondition {
      condition     = length(local.bucket) <= 63
      error_message = "The bucket's name, `${local.bucket}`, has more than 63 letters: choose a shorter `prefix`, or another name with `bucket`."
    }
  }
}

resource "aws_s3_bucket_public_access_block" "lake" {
  bucket                  = aws_s3_bucket.lake.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "lake" {
  bucket = aws_s3_bucket.lake.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_versioning" "lake" {
  bucket = aws_s3_bucket.lake.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "lake" {
  bucket = aws_s3_bucket.lake.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = local.kms_key == null ? "AES256" : "aws:kms"
      kms_master_key_id = local.kms_key
    }
  }
}

data "aws_iam_policy_document" "tls_only" {
  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [local.bucket_arn, "${local.bucket_arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "lake" {
  bucket     = aws_s3_bucket.lake.id
  policy     = data.aws_iam_policy_document.tls_only.json
  depends_on = [aws_s3_bucket_public_access_block.lake]
}

# Nothing expires in lake, ledger and staging but what was replaced: a staged file that waits is not published yet.
resource "aws_s3_bucket_lifecycle_configuration" "lake" {
  bucket     = aws_s3_bucket.lake.id
  depends_on = [aws_s3_bucket_versioning.lake]

  rule {
    id     = "replaced"
    status = "Enabled"
    filter {}

    noncurrent_version_expiration {
      noncurrent_days = var.settings.noncurrent_days
    }

    expiration {
      expired_object_delete_marker = true
    }
  }

  # What is copied elsewhere, or can be made again, is not worth restoring.
  dynamic "rule" {
    for_each = toset(["staging", "plans", "athena-results"])

    content {
      id     = "replaced-${rule.value}"
      status = "Enabled"

      filter {
        prefix = "${rule.value}/"
      }

      noncurrent_version_expiration {
        noncurrent_days = 1
      }
    }
  }

  rule {
    id     = "unfinished-uploads"
    status = "Enabled"
    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  rule {
    id     = "plans"
    status = "Enabled"

    filter {
      prefix = "plans/"
    }

    expiration {
      days = 30
    }
  }

  rule {
    id     = "query-results"
    status = "Enabled"

    filter {
      prefix = "athena-results/"
    }

    expiration {
      days = var.settings.athena_result_days
    }
  }

  dynamic "rule" {
    for_each = var.settings.archive_days[*]

    content {
      id     = "archive"
      status = "Enabled"

      filter {
        prefix = "archive/"
      }

      expiration {
        days = rule.value
      }
    }
  }
}
