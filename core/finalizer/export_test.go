package finalizer

// Limit bounds a sweep's requests in a test: of the run, of one backup, and the
// names that are read of one server.
func (f *Finalizer) Limit(requests, perBackup int64, names int) {
	f.limits = sweepLimits{requests: requests, perBackup: perBackup, names: names}
}
