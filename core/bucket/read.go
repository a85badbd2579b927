package bucket

import (
	"bytes"
	"context"
	"fmt"
	"io"
)

// ReadAll reads one version of key (version "": the current one) if it is no
// longer than max bytes. ErrTooLarge otherwise, after reading no more than
// max+1 bytes; ErrNotFound as Open.
func ReadAll(ctx context.Context, b Bucket, key, version string, max int64) ([]byte, Object, error) {
	body, obj, err := b.Open(ctx, key, version, 0, max+1)
	if err != nil {
		return nil, Object{}, err
	}
	defer body.Close()
	if obj.Size > max {
		return nil, obj, tooLarge(b, key, max)
	}
	var data bytes.Buffer
	data.Grow(int(obj.Size) + bytes.MinRead) // at once: growing would take twice the memory
	if _, err := data.ReadFrom(io.LimitReader(body, max+1)); err != nil {
		return nil, obj, &Error{Op: "read", Key: b.URL() + "/" + key, Kind: ErrUnavailable, Err: err}
	}
	if int64(data.Len()) > max {
		return nil, obj, tooLarge(b, key, max)
	}
	return data.Bytes(), obj, nil
}

func tooLarge(b Bucket, key string, max int64) error {
	return &Error{Op: "read", Key: b.URL() + "/" + key, Kind: ErrTooLarge, Code: fmt.Sprintf("more than %d bytes", max)}
}
