package pgdata

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/pgseal/pgseal/core/layout"
)

// ControlSize is the size of pg_control on disk, in bytes (PG_CONTROL_FILE_SIZE).
const ControlSize = 8192

// ControlName is the tar name of pg_control. Walk leaves it out: it is read
// last and stored last.
const ControlName = "global/pg_control"

// ErrControl is a pg_control that is not one, or whose CRC does not match.
var ErrControl = errors.New("pg_control is not valid")

// State is the cluster's state in pg_control (DBState).
type State uint32

// The states of a server that accepts connections.
const (
	InArchiveRecovery State = 5
	InProduction      State = 6
)

// String names the state as pg_controldata does.
func (s State) String() string {
	names := []string{"starting up", "shut down", "shut down in recovery", "shutting down",
		"in crash recovery", "in archive recovery", "in production"}
	if int64(s) < int64(len(names)) {
		return names[s]
	}
	return fmt.Sprintf("unknown state %d", uint32(s))
}

// Control is what pgseal reads from pg_control.
type Control struct {
	SystemID uint64
	// Version is pg_control_version (1300 to 1800), CatalogVersion the number
	// in a tablespace's directory name.
	Version, CatalogVersion uint32
	State                   State
	// Modified is when the server last wrote the file; whole seconds.
	Modified time.Time
	// Checkpoint is the newest checkpoint record, Redo the start of its
	// replay, Timeline its timeline.
	Checkpoint, Redo layout.LSN
	Timeline         uint32
	// MaxConnections and the others are the settings of the server: whoever replays its WAL needs as much, since
	// prepared transactions come back with their locks.
	MaxConnections, MaxPreparedTransactions, MaxLocksPerTransaction int32
}

// The CRC stands behind the last field, whose offset differs between majors
// (288 in PostgreSQL 13 to 17, 292 in 18). PostgreSQL keeps the whole
// within one 512-byte sector.
const (
	controlCRCFirst = 128
	controlCRCLast  = 512 - 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ParseControl checks the CRC and reads the fields, whose offsets are the same
// in PostgreSQL 13 to 18. raw is in the byte order of this machine, as the file
// is. Errors: ErrControl.
func ParseControl(raw []byte) (Control, error) {
	if len(raw) != ControlSize {
		return Control{}, fmt.Errorf("%w: %d bytes instead of %d", ErrControl, len(raw), ControlSize)
	}
	if !controlCRCMatches(raw) {
		return Control{}, fmt.Errorf("%w: the CRC does not match", ErrControl)
	}
	order := binary.NativeEndian
	c := Control{
		SystemID:       order.Uint64(raw[0:]),
		Version:        order.Uint32(raw[8:]),
		CatalogVersion: order.Uint32(raw[12:]),
		State:          State(order.Uint32(raw[16:])),
		Modified:       time.Unix(int64(order.Uint64(raw[24:])), 0).UTC(),
		Checkpoint:     layout.LSN(order.Uint64(raw[32:])),
		Redo:           layout.LSN(order.Uint64(raw[40:])),
		Timeline:       order.Uint32(raw[48:]),

		MaxConnections:          int32(order.Uint32(raw[180:])),
		MaxPreparedTransactions: int32(order.Uint32(raw[192:])),
		MaxLocksPerTransaction:  int32(order.Uint32(raw[196:])),
	}
	if c.Version < 1300 || c.Version > 9999 {
		return Control{}, fmt.Errorf("%w: pg_control_version is %d, PostgreSQL 13 has 1300", ErrControl, c.Version)
	}
	return c, nil
}

func controlCRCMatches(raw []byte) bool {
	sum := crc32.Checksum(raw[:controlCRCFirst], castagnoli)
	for at := controlCRCFirst; at <= controlCRCLast; at += 4 {
		if binary.NativeEndian.Uint32(raw[at:]) == sum {
			return true
		}
		sum = crc32.Update(sum, castagnoli, raw[at:at+4])
	}
	return false
}

// ReadControl reads pg_control of the cluster at root with one pread of
// ControlSize bytes, and again when the CRC says that the read was torn
// (ext4 tears one in a million under constant writing). The bytes returned are
// those that were checked. Errors: ErrControl, fs.ErrNotExist,
// fs.ErrPermission.
func ReadControl(root string) (raw []byte, c Control, err error) {
	path := filepath.Join(root, "global", "pg_control")
	for range 10 {
		raw, err = readControlOnce(path)
		if err != nil {
			return nil, Control{}, err
		}
		if c, err = ParseControl(raw); err == nil {
			return raw, c, nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return nil, Control{}, fmt.Errorf("%s: %w", path, err)
}

func readControlOnce(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, explainDenied(path, err)
	}
	defer f.Close()
	raw := make([]byte, ControlSize)
	n, err := f.ReadAt(raw, 0)
	if err != nil && err != io.EOF {
		return nil, err
	}
	return raw[:n], nil
}
