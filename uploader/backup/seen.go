package backup

import (
	"hash/crc32"
	"io"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/uploader/backupmanifest"
	"github.com/pgseal/pgseal/uploader/pgdata"
)

// note lists a file for pg_verifybackup.
func (c *copier) note(base string, e pgdata.Entry, size int64, crc uint32) {
	if c.files == nil {
		return
	}
	path := e.Name
	if base != layout.Data {
		path = "pg_tblspc/" + base + "/" + path
	}
	c.files.Add(backupmanifest.File{Path: path, Size: size, ModTime: e.ModTime, CRC32C: crc})
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (c *copier) addCorrupt(pages int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.corrupt += pages
}

// counted counts and sums what is read.
type counted struct {
	io.Reader
	progress *Progress
	crc      uint32
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.progress.Bytes.Add(int64(n))
	c.crc = crc32.Update(c.crc, castagnoli, p[:n])
	return n, err
}
