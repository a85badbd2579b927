// Package sim tries the finalizer and the sweep in histories that no test would
// write by hand: uploads, finalizers and sweeps that run at once and in any
// order, die at any request, and meet a store whose answers get lost; events
// that are lost, doubled, late or out of order; WAL that comes late or never;
// a host that turns hostile between any two requests; clocks that jump. After
// every step a checker looks at what the stores hold. It has everything from the
// formats and nothing from the finalizer.
//
// Everything is decided by a seed, so a failure prints the command that repeats
// it. There is no code here but tests.
package sim
