package backupmanifest_test

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/uploader/backupmanifest"
	"github.com/pgseal/pgseal/uploader/postgres/testserver"
)

// listed is a manifest as its readers see it.
type listed struct {
	Version  int    `json:"PostgreSQL-Backup-Manifest-Version"`
	SystemID uint64 `json:"System-Identifier"`
	Files    []struct {
		Path     string `json:"Path"`
		Encoded  string `json:"Encoded-Path"`
		Size     int64  `json:"Size"`
		Modified string `json:"Last-Modified"`
		Checksum string `json:"Checksum"`
	} `json:"Files"`
	Ranges []struct {
		Timeline uint32 `json:"Timeline"`
		Start    string `json:"Start-LSN"`
		End      string `json:"End-LSN"`
	} `json:"WAL-Ranges"`
}

// TestTheSameBytesAsTheServer: what each server writes itself is read, and made anew from its facts.
func TestTheSameBytesAsTheServer(t *testing.T) {
	for _, major := range testserver.Majors(t) {
		t.Run(strconv.Itoa(major), func(t *testing.T) {
			t.Parallel()
			s := testserver.Start(t, major, "wal_level = replica", "max_wal_senders = 2")
			if err := os.WriteFile(filepath.Join(s.Data, "odd \"n\\ame\"\t\xff"), []byte("x"), 0o644); err != nil {
				t.Fatal(err)
			}
			want := serversOwn(t, s, major)
			var m listed
			if err := json.Unmarshal([]byte(want), &m); err != nil {
				t.Fatalf("%v\n%s", err, want)
			}
			var b backupmanifest.Builder
			for _, f := range m.Files {
				path := f.Path
				if f.Encoded != "" {
					raw, err := hex.DecodeString(f.Encoded)
					if err != nil {
						t.Fatal(err)
					}
					path = string(raw)
				}
				at, err := time.Parse("2006-01-02 15:04:05 MST", f.Modified)
				if err != nil {
					t.Fatal(err)
				}
				sum, err := hex.DecodeString(f.Checksum)
				if err != nil {
					t.Fatal(err)
				}
				b.Add(backupmanifest.File{Path: path, Size: f.Size, ModTime: at, CRC32C: binary.LittleEndian.Uint32(sum)})
			}
			r := m.Ranges[0]
			begin, err := layout.ParseLSN(r.Start)
			if err != nil {
				t.Fatal(err)
			}
			end, err := layout.ParseLSN(r.End)
			if err != nil {
				t.Fatal(err)
			}
			content, size := b.Content(major*10_000, m.SystemID, backupmanifest.Range{Timeline: r.Timeline, Begin: begin, End: end})
			got, err := io.ReadAll(content)
			if err != nil || int64(len(got)) != size {
				t.Fatalf("%d bytes instead of %d, %v", len(got), size, err)
			}
			if string(got) != want {
				t.Errorf("%d files\n%s\n--- and the server:\n%s", len(m.Files), ends(string(got)), ends(want))
			}
		})
	}
}

// ends are the first and the last lines.
func ends(s string) string { return s[:min(len(s), 600)] + "\n...\n" + s[max(0, len(s)-600):] }

// serversOwn is the manifest of a base backup by the server.
func serversOwn(t *testing.T, s *testserver.Server, major int) string {
	t.Helper()
	if major <= 15 { // Debian's program, which speaks to old servers
		s.Sh(fmt.Sprintf("/usr/lib/postgresql/15/bin/pg_basebackup -h %s -p %d -U postgres -Fp -X none -c fast -D %s/copy", s.Socket, s.Port, s.Dir))
		body, err := os.ReadFile(filepath.Join(s.Dir, "copy", backupmanifest.Name))
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	ctx := context.Background()
	conn, err := pgconn.Connect(ctx, s.DSN()+" replication=yes")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	f := conn.Frontend()
	f.SendQuery(&pgproto3.Query{String: "BASE_BACKUP (LABEL 'test', CHECKPOINT 'fast', WAIT false, MANIFEST 'yes')"})
	if err := f.Flush(); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for in := false; ; {
		message, err := f.Receive()
		if err != nil {
			t.Fatal(err)
		}
		switch m := message.(type) {
		case *pgproto3.ErrorResponse:
			t.Fatal(m.Message)
		case *pgproto3.ReadyForQuery:
			return text.String()
		case *pgproto3.CopyData:
			switch {
			case m.Data[0] == 'm':
				in = true
			case m.Data[0] == 'n':
				in = false
			case m.Data[0] == 'd' && in:
				text.Write(m.Data[1:])
			}
		}
	}
}
