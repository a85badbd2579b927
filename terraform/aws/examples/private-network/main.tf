provider "aws" {
  region = var.region
}

# The databases have no way to the internet: they reach Amazon S3 through a gateway endpoint of their VPC, which lets
# them talk to the two buckets only, and their credentials are of no use anywhere else.
resource "aws_vpc_endpoint" "s3" {
  vpc_id            = var.vpc_id
  service_name      = "com.amazonaws.${var.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = var.route_table_ids
}

resource "aws_vpc_endpoint_policy" "s3" {
  vpc_endpoint_id = aws_vpc_endpoint.s3.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyTheTwoBuckets"
      Effect    = "Allow"
      Principal = "*"
      Action    = "s3:*"
      Resource = flatten([for bucket in ["${var.company}-pgseal-vault", "${var.company}-pgseal-staging"] : [
        "arn:aws:s3:::${bucket}", "arn:aws:s3:::${bucket}/*",
      ]])
    }]
  })
}

module "pgseal" {
  source = "../.."

  vault_bucket          = "${var.company}-pgseal-vault"
  staging_bucket        = "${var.company}-pgseal-staging"
  recovery_window_days  = 30
  lock_days             = 35
  function_package      = { path = var.function_package }
  servers               = { main = {} }
  host_vpc_endpoint_ids = [aws_vpc_endpoint.s3.id]
}
