# The tables for Athena, and everything else that asks Glue. The columns are those that the program writes:
# `rollcall schema glue`, kept in catalog.json by `make docs`.
locals {
  catalog  = jsondecode(file("${path.module}/../catalog.json"))
  database = replace(var.name, "-", "_")
  queries  = "${path.module}/../../samples/queries"

  # The key also protects secrets, logs and a queue: who reads tables needs it for objects alone, also in a query of Athena's.
  through_s3 = "s3.${local.region}.*"
}

resource "aws_glue_catalog_database" "lake" {
  name        = local.database
  description = "Who watched which webinar, when, and for how long."
}

resource "aws_glue_catalog_table" "lake" {
  for_each = local.catalog.tables

  database_name = aws_glue_catalog_database.lake.name
  name          = each.key
  table_type    = "EXTERNAL_TABLE"

  # Days need no crawler and no repair: they are computed. Dates are projected in UTC, and the local day may be ahead.
  parameters = {
    classification              = "parquet"
    EXTERNAL                    = "TRUE"
    "projection.enabled"        = "true"
    "projection.dt.type"        = "date"
    "projection.dt.format"      = "yyyy-MM-dd"
    "projection.dt.range"       = "${var.settings.first_day},NOW+1DAY"
    "storage.location.template" = "s3://${aws_s3_bucket.lake.id}/lake/${each.key}/dt=$${dt}/"
  }

  partition_keys {
    name = "dt"
    type = "date"
  }

  storage_descriptor {
    location      = "s3://${aws_s3_bucket.lake.id}/lake/${each.key}/"
    input_format  = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
    output_format = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"

    ser_de_info {
      serialization_library = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
    }

    dynamic "columns" {
      for_each = each.value

      content {
        name    = columns.value.name
        type    = columns.value.type
        comment = columns.value.comment
      }
    }
  }
}

resource "aws_athena_workgroup" "analysts" {
  name          = var.name
  description   = "Queries over the lake, with a limit to what one may read."
  force_destroy = true

  configuration {
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = true
    bytes_scanned_cutoff_per_query     = var.settings.athena_scan_limit_gb * 1024 * 1024 * 1024

    result_configuration {
      output_location = "s3://${aws_s3_bucket.lake.id}/athena-results/"

      encryption_configuration {
        encryption_option = local.kms_key == null ? "SSE_S3" : "SSE_KMS"
        kms_key_arn       = local.kms_key
      }
    }
  }
}

# To be run once, before the others.
resource "aws_athena_named_query" "view" {
  for_each = local.catalog.views

  name        = "create view ${each.key}"
  description = "Run once, `sessions` before `people`, and again after an upgrade that changes it."
  workgroup   = aws_athena_workgroup.analysts.name
  database    = aws_glue_catalog_database.lake.name
  query       = each.value
}

resource "aws_athena_named_query" "sample" {
  for_each = fileset(local.queries, "*.sql")

  name        = trimsuffix(each.value, ".sql")
  description = trimspace(trimprefix(split("\n", file("${local.queries}/${each.value}"))[0], "--"))
  workgroup   = aws_athena_workgroup.analysts.name
  database    = aws_glue_catalog_database.lake.name
  query       = file("${local.queries}/${each.value}")
}

# For a role or group of people who query: they read the tables, and nothing else of the bucket.
resource "aws_iam_policy" "analysts" {
  name        = "${var.name}-analysts"
  description = "Queries the tables of ${local.database} with Athena."
  policy      = data.aws_iam_policy_document.analysts.json
}

data "aws_iam_policy_document" "analysts" {
  statement {
    sid = "Queries"
    actions = [
      "athena:StartQueryExecution", "athena:StopQueryExecution", "athena:GetQueryExecution", "athena:GetQueryResults",
      "athena:GetQueryResultsStream", "athena:BatchGetQueryExecution", "athena:ListQueryExecutions",
      "athena:GetWorkGroup", "athena:GetNamedQuery", "athena:BatchGetNamedQuery", "athena:ListNamedQueries",
    ]
    resources = [aws_athena_workgroup.analysts.arn]
  }

  # What Athena's console lists to choose from. It has no resource:
  # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonathena.html
  statement {
    sid       = "Choices"
    actions   = ["athena:ListWorkGroups", "athena:ListDataCatalogs", "athena:ListEngineVersions"]
    resources = ["*"]
  }

  # Glue's catalogue, under Athena's name for it; what may be seen of it says the next statement.
  statement {
    sid       = "DataCatalog"
    actions   = ["athena:ListDatabases", "athena:GetDatabase", "athena:ListTableMetadata", "athena:GetTableMetadata"]
    resources = ["arn:${local.partition}:athena:${local.region}:${local.account_id}:datacatalog/AwsDataCatalog"]
  }

  statement {
    sid     = "Catalog"
    actions = ["glue:GetDatabase", "glue:GetDatabases", "glue:GetTable", "glue:GetTables", "glue:GetPartition", "glue:GetPartitions"]
    resources = [
      "arn:${local.partition}:glue:${local.region}:${local.account_id}:catalog",
      "arn:${local.partition}:glue:${local.region}:${local.account_id}:database/${local.database}",
      "arn:${local.partition}:glue:${local.region}:${local.account_id}:table/${local.database}/*",
    ]
  }

  # Without it Athena answers no query:
  # https://docs.aws.amazon.com/athena/latest/ug/fine-grained-access-to-glue-resources.html
  statement {
    sid     = "DefaultDatabase"
    actions = ["glue:GetDatabase"]
    resources = [
      "arn:${local.partition}:glue:${local.region}:${local.account_id}:catalog",
      "arn:${local.partition}:glue:${local.region}:${local.account_id}:database/default",
    ]
  }

  statement {
    sid       = "Tables"
    actions   = ["s3:GetObject"]
    resources = ["${local.bucket_arn}/lake/*"]
  }

  statement {
    sid       = "Results"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
    resources = ["${local.bucket_arn}/athena-results/*"]
  }

  statement {
    sid       = "Bucket"
    actions   = ["s3:GetBucketLocation"]
    resources = [local.bucket_arn]
  }

  statement {
    sid       = "Listings"
    actions   = ["s3:ListBucket"]
    resources = [local.bucket_arn]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["lake/*", "athena-results/*"]
    }
  }

  dynamic "statement" {
    for_each = local.kms_key[*]

    content {
      sid       = "Key"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]

      condition {
        test     = "StringLike"
        variable = "kms:ViaService"
        values   = [local.through_s3]
      }
    }
  }

  # What was written under another key stays under it; but the archive is not for analysts.
  dynamic "statement" {
    for_each = length(var.settings.former_kms_key_arns) > 0 ? [true] : []

    content {
      sid       = "FormerKeys"
      actions   = ["kms:Decrypt"]
      resources = var.settings.former_kms_key_arns

      condition {
        test     = "StringLike"
        variable = "kms:ViaService"
        values   = [local.through_s3]
      }
    }
  }
}
