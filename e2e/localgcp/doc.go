// Package localgcp is "Google Cloud on my laptop": a Cloud Storage that is as strict as the real one where pgseal leans
// on it, with identities, events and faults on demand.
//
// It is a server of the JSON API of its own, as no other one enforces retention (November 2026): bucket retention
// policies and their lock, retention of single objects, holds, generations and metagenerations, preconditions on every
// request, checksums on every kind of upload, upload sessions that tell honestly what has arrived. Requests carry tokens,
// which it hands out for the keys of service accounts as Google does (token.go); a table of bindings says who may do
// what (rules.go). Everything goes through a table of faults and a request log (serve.go), and every new object is an
// event (events.go), which e2e/functionsframework brings into the shapes of CloudEvents and Pub/Sub.
//
//	gcp := localgcp.Start(t, localgcp.Config{VaultRetention: 24 * time.Hour})
//	b, err := gcp.Open(ctx, cloud.Host, gcp.VaultURL())
//
// Its answers are those of a public capture of 2026-08 and of the Cloud Storage documentation; it was never compared
// with a live account. Where the documentation leaves open what GCS answers, Config.Existing and Config.EarlyRefusal
// choose, so that tests can try every possibility. What it does not pretend to be: the XML API, ACLs, what
// encryption does to bytes, lifecycle rules, soft delete, composed and rewritten objects (501).
package localgcp
