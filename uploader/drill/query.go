package drill

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgseal/pgseal/core/proof"
)

// query runs the user's query, one statement or several, and keeps how many rows came and their digest.
func (h *held) query(ctx context.Context) (string, error) {
	if h.Query == "" {
		return "", &skip{"no --query"}
	}
	conn, err := h.connect(ctx, h.Database)
	if err != nil {
		return "", h.failed("connect to the database "+strconv.Quote(h.Database), err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	result := proof.Result{Database: h.Database, Query: h.Query}
	digest := sha256.New()
	if err := each(conn.PgConn().Exec(ctx, h.Query), digest, &result.Rows); err != nil {
		return "", h.failed("the query", err)
	}
	result.SHA256 = hex.EncodeToString(digest.Sum(nil))
	h.proof.Result = &result
	return "", nil
}

// each reads every row of every statement, and keeps none.
func each(results *pgconn.MultiResultReader, digest hash.Hash, rows *int64) error {
	for results.NextResult() {
		r := results.ResultReader()
		for r.NextRow() {
			*rows++
			digestRow(digest, r.Values())
		}
		if _, err := r.Close(); err != nil {
			_ = results.Close() // the same error
			return err
		}
	}
	return results.Close()
}

// digestRow adds a row as text: each value's length, a colon and its bytes, '-' for NULL, and a line feed at the end.
func digestRow(digest hash.Hash, values [][]byte) {
	for _, v := range values {
		if v == nil {
			digest.Write([]byte{'-'})
			continue
		}
		digest.Write(strconv.AppendInt(nil, int64(len(v)), 10))
		digest.Write([]byte{':'})
		digest.Write(v)
	}
	digest.Write([]byte{'\n'})
}
