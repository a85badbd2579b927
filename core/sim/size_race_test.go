//go:build race

package sim_test

// The race detector makes a history take many times as long.
const (
	defaultSeeds = 150
	defaultEvery = 1000
)
