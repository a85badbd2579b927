// Package systemd holds units for hosts that have systemd, and the test that systemd and pgseal understand them.
package systemd
