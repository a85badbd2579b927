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
