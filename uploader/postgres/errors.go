package postgres

import "errors"

// Kinds of refusal, for errors.Is. The texts of the errors themselves name the
// server, the object and what to do.
var (
	// ErrUnsupported is a server older than PostgreSQL 13.
	ErrUnsupported = errors.New("unsupported PostgreSQL version")
	// ErrPooler is a connection that does not end at one PostgreSQL backend.
	ErrPooler = errors.New("connection pooler")
	// ErrPrivilege is a missing privilege; the text holds the GRANT lines.
	ErrPrivilege = errors.New("missing privilege")
	// ErrArchiving is WAL archiving that is off or failing.
	ErrArchiving = errors.New("WAL archiving")
	// ErrOtherServer is a session whose server does not own the files.
	ErrOtherServer = errors.New("session and files belong to different servers")
	// ErrTimeline is a timeline that changed between start and stop.
	ErrTimeline = errors.New("timeline changed during the backup")
	// ErrSessionLost is a backup session that ended by itself; PostgreSQL has
	// ended the backup with it.
	ErrSessionLost = errors.New("backup session lost")
	// ErrLabel is a backup label that does not parse or contradicts the start.
	ErrLabel = errors.New("backup label")
)
