//go:build !race

package sim_test

// What a normal run takes: a minute of processor time. "make sim" takes all.
const (
	defaultSeeds = 1500
	defaultEvery = 40
)
