// Package localazure is "Azure on my laptop": a Blob Storage that is as strict as the real one where pgseal leans on
// it, with identities, events and faults on demand.
//
// Behind it runs Azurite 3.37 (blocks, conditions, checksums, leases), one process for all clouds of a test binary, each
// with a storage account of its own. Azurite knows no immutability and no rights: in front of it stands a proxy that
// verifies who signed a request (sharedkey.go), decides what he may do (rules.go), keeps a container's retention policy
// and legal hold (worm.go), injects faults, writes a request log, and makes Event Grid's events (events.go). What passes
// is signed anew for Azurite.
//
//	azure := localazure.Start(t, localazure.Config{VaultRetention: 24 * time.Hour})
//	host, err := azure.Open(ctx, cloud.Host, azure.VaultURL())
//
// Identities are access keys of one account: on Azure they are Entra identities with role assignments, which bind
// nobody who has the account's key. So the rules here are those of the roles, and who somebody is shows in the key.
//
// What it does not pretend to be: Entra ID, SAS tokens, versions and version-level immutability, tiers, the management
// API. It was compared with the documentation of Azure Blob Storage, never with a live account.
package localazure
