// Package pgtest runs real PostgreSQL servers for the end-to-end tests.
//
// A test asks for an installation (Find), makes a cluster from it (New), fills it (LoadPgbench, CreateLoad), may add a
// standby (Cluster.Standby), and in the end starts what was restored (StartRestored) and asks it questions (Cluster.SQL).
// Everything belongs to the test that made it: servers are stopped and directories removed at its end, also when the
// test binary dies (see watchdog.go).
//
// PostgreSQL refuses to run as root. So when the tests run as root, everything that Command starts runs as the user
// postgres, and Dir makes directories which that user owns and can reach.
//
// What is missing is a failure and never a skip: a test that did not run proves nothing. scripts/install-deps installs
// what is needed.
package pgtest
