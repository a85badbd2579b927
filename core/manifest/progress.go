package manifest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
)

const maxProgress = 64 << 10

// ReadProgress reads the last heartbeat of a backup from staging. bucket.ErrNotFound when there is none, or it has expired.
func ReadProgress(ctx context.Context, staging bucket.Bucket, server, id string) (Progress, error) {
	body, _, err := bucket.ReadAll(ctx, staging, layout.Progress(server, id), "", maxProgress)
	if err != nil {
		return Progress{}, err
	}
	var p Progress
	if err := json.Unmarshal(body, &p); err != nil {
		return Progress{}, fmt.Errorf("heartbeat: %w", err)
	}
	if p.Server != server || p.BackupID != id || min(p.Files, p.Bytes, p.Total, p.Stored) < 0 {
		return Progress{}, errors.New("the heartbeat is not of this backup")
	}
	return p, nil
}
