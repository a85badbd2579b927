package backup

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"time"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/manifest"
)

// Progress counts what a running backup has done. All fields may be read at any
// time.
type Progress struct {
	Files, Bytes atomic.Int64 // read
	Total        atomic.Int64 // bytes to read, as surveyed; 0 until then
	Stored       atomic.Int64 // bytes sent
	Copying      atomic.Bool
}

const heartbeatInterval = 10 * time.Second

// heartbeat keeps the backup's progress in staging fresh, and returns the
// function that ends it. That it cannot be written does not hurt the backup.
func (r *run) heartbeat(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(heartbeatInterval)
		defer ticker.Stop()
		for {
			if err := r.writeProgress(ctx); err != nil && ctx.Err() == nil {
				r.Log.Warn("the heartbeat cannot be written", "error", err)
			}
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

func (r *run) writeProgress(ctx context.Context) error {
	p := manifest.Progress{
		Server: r.Server, BackupID: r.id, Host: r.Host, PID: r.PID, Begin: r.began.UTC(),
		Files: r.Progress.Files.Load(), Bytes: r.Progress.Bytes.Load(), Total: r.Progress.Total.Load(), Stored: r.Progress.Stored.Load(),
	}
	body, err := json.MarshalIndent(p, "", " ")
	if err != nil {
		return err
	}
	_, err = r.Staging.Put(ctx, layout.Progress(r.Server, r.id), append(body, '\n'))
	return err
}
