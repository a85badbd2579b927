locals {
  vault   = "arn:${var.partition}:s3:::${var.vault_name}"
  staging = "arn:${var.partition}:s3:::${var.staging_name}"

  # "barman/", or nothing.
  root = var.prefix == "" ? "" : "${var.prefix}/"

  kms = var.kms_key_arn != null
}

resource "aws_s3_bucket" "vault" {
  count = var.create_vault ? 1 : 0

  bucket              = var.vault_name
  object_lock_enabled = true
  force_destroy       = false
  tags                = var.tags
}

resource "aws_s3_bucket" "staging" {
  bucket = var.staging_name
  # What is in staging tells a story and decides nothing; the truth is in the vault.
  force_destroy = var.staging_force_destroy
  tags          = var.tags
}
