variable "project_id" {
  description = "The project for everything."
  type        = string
}

variable "function_zip" {
  description = "dist/gcp-source.zip of make package."
  type        = string
}

variable "alarm_email" {
  description = "Who is told of alarms."
  type        = string
}

variable "project_number" {
  description = "The project's number, for the perimeter."
  type        = string
}

variable "access_policy" {
  description = "The organization's access policy, a number; null makes no perimeter."
  type        = string
  default     = null
}
