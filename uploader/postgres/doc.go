// Package postgres holds the one session in which a base backup is started and
// stopped, and the questions asked before the first byte is read: is this a
// server pgseal knows, may this user do it, is its WAL archived, and are the
// files on this host the files of that server.
//
// A backup goes like this:
//
//	s, err := postgres.Connect(ctx, options)
//	defer s.Close()                       // ends a backup that was not stopped
//	facts, err := s.Facts(ctx)            // version and privileges are checked here
//	err = facts.CheckArchiving()
//	err = s.SameServer(ctx, facts, facts.DataDirectory)
//	ctx, done := s.KeepAlive(ctx, postgres.KeepAliveInterval)
//	start, err := s.Start(ctx, label, fast)
//	err = postgres.CheckStarted(start, facts.DataDirectory)
//	tablespaces, err := s.Tablespaces(ctx)    // once more: the list that counts
//	...                                   // copy the files under ctx, then pg_control
//	stop, err := s.Stop(ctx)                  // then done()
//
// PostgreSQL 13 to 18.
package postgres
