provider "google" {
  project = var.project_id
}

locals {
  region       = "europe-west1"
  vault_bucket = "${var.project_id}-vault"
  staging      = "${var.project_id}-staging"
}

module "pgseal" {
  source = "../.."

  project_id           = var.project_id
  region               = local.region
  location             = local.region
  vault_bucket         = local.vault_bucket
  staging_bucket       = local.staging
  lock_days            = 35
  recovery_window_days = 30
  function_package     = { path = var.function_zip }
  servers              = { main = {} }
  alarm_emails         = [var.alarm_email]
}

# The hosts' network reaches Google's APIs through an address of its own (Private Service Connect), and nothing else.
resource "google_compute_network" "hosts" {
  name                    = "pgseal-hosts"
  auto_create_subnetworks = false
}

resource "google_compute_subnetwork" "hosts" {
  name                     = "pgseal-hosts"
  network                  = google_compute_network.hosts.id
  region                   = local.region
  ip_cidr_range            = "10.20.0.0/24"
  private_ip_google_access = true
}

resource "google_compute_global_address" "apis" {
  name         = "pgseal-apis"
  network      = google_compute_network.hosts.id
  purpose      = "PRIVATE_SERVICE_CONNECT"
  address_type = "INTERNAL"
  address      = "10.20.255.1"
}

# vpc-sc: only the APIs that VPC Service Controls can guard. The name has at most 20 letters and digits.
resource "google_compute_global_forwarding_rule" "apis" {
  name                  = "pgsealapis"
  network               = google_compute_network.hosts.id
  ip_address            = google_compute_global_address.apis.id
  target                = "vpc-sc"
  load_balancing_scheme = ""
}

resource "google_dns_managed_zone" "apis" {
  name        = "pgseal-googleapis"
  dns_name    = "googleapis.com."
  description = "Google's APIs by the private address."
  visibility  = "private"

  private_visibility_config {
    networks {
      network_url = google_compute_network.hosts.id
    }
  }
}

resource "google_dns_record_set" "apis" {
  managed_zone = google_dns_managed_zone.apis.name
  name         = "*.googleapis.com."
  type         = "A"
  ttl          = 300
  rrdatas      = [google_compute_global_address.apis.address]
}

resource "google_compute_firewall" "only_apis" {
  name      = "pgseal-only-apis"
  network   = google_compute_network.hosts.id
  direction = "EGRESS"
  priority  = 1000

  destination_ranges = [google_compute_global_address.apis.address]

  allow {
    protocol = "tcp"
    ports    = ["443"]
  }
}

resource "google_compute_firewall" "nothing_else" {
  name      = "pgseal-nothing-else"
  network   = google_compute_network.hosts.id
  direction = "EGRESS"
  priority  = 65000

  destination_ranges = ["0.0.0.0/0"]

  deny {
    protocol = "all"
  }
}

# Credentials that were taken from a host are worth nothing outside of the perimeter.
resource "google_access_context_manager_service_perimeter" "backups" {
  count = var.access_policy == null ? 0 : 1

  parent = "accessPolicies/${var.access_policy}"
  name   = "accessPolicies/${var.access_policy}/servicePerimeters/pgseal"
  title  = "pgseal"

  status {
    resources           = ["projects/${var.project_number}"]
    restricted_services = ["storage.googleapis.com", "pubsub.googleapis.com", "run.googleapis.com", "cloudfunctions.googleapis.com"]

    vpc_accessible_services {
      enable_restriction = true
      allowed_services   = ["storage.googleapis.com"]
    }
  }
}
