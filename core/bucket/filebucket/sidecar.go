package filebucket

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
)

// sidecar is what is known of an object beyond its bytes.
type sidecar struct {
	Size        int64             `json:"size"`
	CRC32C      string            `json:"crc32c"`
	Created     time.Time         `json:"created"` // the file's modification time
	RetainUntil time.Time         `json:"retain_until,omitzero"`
	Metadata    map[string]string `json:"metadata,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`
}

func sidecarName(key string) string { return path.Join(metaDir, key+sidecarEnd) }

// readSidecar returns nil if there is none.
func readSidecar(root *os.Root, key string) (*sidecar, error) {
	data, err := root.ReadFile(sidecarName(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	var s sidecar
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("%s: %w", sidecarName(key), err)
	}
	return &s, nil
}

// writeSidecar replaces the sidecar of key in one step that survives a crash.
func writeSidecar(root *os.Root, key string, s sidecar) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	name := sidecarName(key)
	if err := makeDirs(root, path.Dir(name)); err != nil {
		return err
	}
	tmp, err := writeTmp(root, append(data, '\n'))
	if err != nil {
		return err
	}
	if err := root.Rename(tmp, name); err != nil {
		return errors.Join(err, root.Remove(tmp))
	}
	return syncDir(root, path.Dir(name))
}

// describes tells whether s was written for the file as it is now. A time
// without fractions of a second passes: some archivers and file systems drop
// them when a vault is moved.
func (s *sidecar) describes(fi fs.FileInfo) bool {
	m := fi.ModTime()
	return s != nil && s.Size == fi.Size() &&
		(m.Equal(s.Created) || m.Nanosecond() == 0 && m.Equal(s.Created.Truncate(time.Second)))
}

// object describes a file by itself and its sidecar. A file that was brought
// here by hand, or changed, has no checksum yet, and its ETag tells it apart
// from the object that was here; a retention end stays all the same.
func object(key string, fi fs.FileInfo, s *sidecar) bucket.Object {
	o := bucket.Object{
		Key: key, Size: fi.Size(), Created: fi.ModTime(),
		ETag: fmt.Sprintf("%x-%x", fi.ModTime().UnixNano(), fi.Size()), RetentionSeen: true, Latest: true,
	}
	if s != nil {
		o.RetainUntil = s.RetainUntil
	}
	if s.describes(fi) {
		o.CRC32C, o.Metadata = s.CRC32C, s.Metadata
		o.ETag = fmt.Sprintf("%s-%x", s.CRC32C, s.Size)
	}
	return o
}
