package pgdata_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgseal/pgseal/uploader/postgres/testserver"
)

// baseBackup does what pg_basebackup -Ft does, for servers newer than the
// program: it speaks BASE_BACKUP as PostgreSQL 15 and later do and writes the
// archives into dir.
func baseBackup(t *testing.T, s *testserver.Server, dir string) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgconn.Connect(ctx, s.DSN()+" replication=yes")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	f := conn.Frontend()
	f.SendQuery(&pgproto3.Query{String: "BASE_BACKUP (LABEL 'test', CHECKPOINT 'fast', WAIT false, MANIFEST 'no', TABLESPACE_MAP true)"})
	if err := f.Flush(); err != nil {
		t.Fatal(err)
	}
	var archive *os.File
	defer func() { archive.Close() }()
	for {
		message, err := f.Receive()
		if err != nil {
			t.Fatal(err)
		}
		switch m := message.(type) {
		case *pgproto3.ErrorResponse:
			t.Fatal(m.Message)
		case *pgproto3.ReadyForQuery:
			return
		case *pgproto3.CopyData:
			switch m.Data[0] {
			case 'n':
				name, _, _ := bytes.Cut(m.Data[1:], []byte{0})
				archive.Close()
				if archive, err = os.Create(filepath.Join(dir, string(name))); err != nil {
					t.Fatal(err)
				}
			case 'd':
				if _, err := archive.Write(m.Data[1:]); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}
