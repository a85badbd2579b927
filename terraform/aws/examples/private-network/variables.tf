variable "region" {
  description = "Region of everything."
  type        = string
  default     = "eu-central-1"
}

variable "company" {
  description = "Beginning of the buckets' names, which are unique in the world."
  type        = string
}

variable "vpc_id" {
  description = "The databases' VPC."
  type        = string
}

variable "route_table_ids" {
  description = "Route tables of the databases' subnets."
  type        = list(string)
}

variable "function_package" {
  description = "Path of the function's zip, as make package writes it."
  type        = string
  default     = "../../../../dist/aws-arm64.zip"
}
