package localaws

import "github.com/pgseal/pgseal/e2e/cloud"

// The words of package cloud, as the tests of AWS alone write them.
type (
	// Action is what a fault does to a request.
	Action = cloud.Action
	// Fault says which requests go wrong, and how.
	Fault = cloud.Fault
	// Faults is the table of faults.
	Faults = cloud.Faults
	// Request is one line of the request log.
	Request = cloud.Request
)

// The faults.
const (
	Conflict     = cloud.Conflict
	SlowDown     = cloud.SlowDown
	Internal     = cloud.Internal
	LoseResponse = cloud.LoseResponse
	LoseRequest  = cloud.LoseRequest
	Slow         = cloud.Slow
)
