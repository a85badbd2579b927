package azurebucket

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"hash/crc64"
	"io"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"github.com/pgseal/pgseal/core/bucket"
)

// Limits of "Scalability and performance targets for Blob Storage" (2026-11).
const (
	maxBlock  = 4000 << 20
	maxBlocks = 50_000
	// growAfter blocks of the same length the next ones grow: each growEvery are
	// twice as long as those before.
	growAfter = 49_500
	growEvery = 100
)

// crc64Table is the polynomial of x-ms-content-crc64, as the Azure SDKs have it.
var crc64Table = crc64.MakeTable(0x9A6C9329AC4BC9B5)

// blockSize is the length of block number n (from 1) of a body that began with
// blocks of the given length. They stay alike, and so does the memory for them,
// up to 49,500; the last 500 double every 100, for a body that turned out longer
// than expected. Of 8 MiB, 49,500 blocks hold 386 GiB and all 50,000 of them 435;
// the last ones are 256 MiB. Who knows the length begins with length/49,500.
func blockSize(first int64, n int) (int64, error) {
	if n > maxBlocks {
		return 0, fmt.Errorf("longer than %d blocks hold that begin with %d bytes: raise the part size or make smaller objects", maxBlocks, first)
	}
	if n <= growAfter {
		return first, nil
	}
	return max(first, min(first<<((n-growAfter+growEvery-1)/growEvery), maxBlock)), nil
}

// blockNames are the names of one call's blocks. Azure keeps uncommitted blocks
// by the name of the blob, whoever sent them: the names of two writers must
// differ, or one would commit the other's bytes, and must all be equally long.
type blockNames string

func newBlocks() blockNames { return blockNames(rand.Text()) }

func (b blockNames) id(n int) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s-%05d", string(b), n))
}

// upload is a blob whose blocks are on their way.
type upload struct {
	*Bucket
	key   string
	names blockNames
	ids   []string
	size  int64
	crc   uint32
	md5   []byte
}

// createInBlocks sends first, which it takes over, and what r still has.
func (b *Bucket) createInBlocks(ctx context.Context, key string, first []byte, r io.Reader, o bucket.CreateOptions, lock expiry) (bucket.Object, error) {
	u := &upload{Bucket: b, key: key, names: newBlocks()}
	if err := u.send(ctx, first, r, o.PartsInFlight); err != nil {
		return bucket.Object{}, err
	}
	return u.commit(ctx, o, lock)
}

// send reads, sums and sends block after block, inFlight (0: 2) at a time, and
// takes over buf, the first. No block is under way any more when it returns.
func (u *upload) send(ctx context.Context, buf []byte, r io.Reader, inFlight int) (err error) {
	if inFlight <= 0 {
		inFlight = 2
	}
	sending, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var wg sync.WaitGroup
	slots := make(chan struct{}, inFlight)
	whole, first := md5.New(), int64(len(buf))
	for n := 1; len(buf) > 0 && sending.Err() == nil; n++ {
		select {
		case slots <- struct{}{}:
		case <-sending.Done():
			continue
		}
		id, body := u.names.id(n), buf
		u.ids = append(u.ids, id)
		summed := make(chan struct{})
		wg.Go(func() {
			defer func() { <-summed; u.release(body); <-slots }()
			if err := u.sendBlock(sending, id, body); err != nil {
				stop(err)
			}
		})
		// Beside the sending, which only reads it too.
		u.crc, u.size = crc32.Update(u.crc, castagnoli, buf), u.size+int64(len(buf))
		_, _ = whole.Write(buf) // never fails
		close(summed)
		if buf, err = u.next(sending, r, first, n+1); err != nil {
			stop(err)
		}
	}
	wg.Wait()
	u.md5 = whole.Sum(nil)
	if ctx.Err() != nil {
		return fmt.Errorf("create %s: %w", u.name(u.key), ctx.Err())
	}
	return context.Cause(sending)
}

// next reads block number n; nothing, when the body has ended.
func (u *upload) next(ctx context.Context, r io.Reader, first int64, n int) ([]byte, error) {
	size, tooLong := blockSize(first, n)
	if tooLong != nil {
		size = 1 // a body that ends right here is none too long
	}
	buf := u.buffer(size)
	got, err := fill(ctx, r, buf)
	switch {
	case err != nil && err != io.EOF:
		err = u.bodyError(ctx, u.key, err)
	case got > 0 && tooLong != nil:
		err = u.refuse("create", u.key, bucket.ErrTooLarge, tooLong.Error())
	case got > 0:
		return buf[:got], nil
	default:
		err = nil
	}
	u.release(buf)
	return nil, err
}

func (u *upload) sendBlock(ctx context.Context, id string, body []byte) error {
	_, err := u.blocks(u.key).StageBlock(ctx, id, streaming.NopCloser(bytes.NewReader(body)), &blockblob.StageBlockOptions{
		CPKScopeInfo: u.scope, TransactionalValidation: blob.TransferValidationTypeCRC64(crc64.Checksum(body, crc64Table)),
	})
	if err != nil {
		return u.fail(ctx, "create", u.key, err)
	}
	return nil
}

// commit makes the blob of its blocks. When another writer made the blob in the
// meantime, the condition fails; should the store look at the list first, it no
// longer has the blocks, as the other's commit dropped them.
func (u *upload) commit(ctx context.Context, o bucket.CreateOptions, lock expiry) (bucket.Object, error) {
	labels, crc := metadata(o.Metadata), hexCRC(u.crc)
	labels[sumName] = to.Ptr(crc)
	out, err := u.blocks(u.key).CommitBlockList(ctx, u.ids, &blockblob.CommitBlockListOptions{
		AccessConditions: ifNew(), Metadata: labels, Tags: u.allTags(o.Tags), CPKScopeInfo: u.scope,
		HTTPHeaders:            &blob.HTTPHeaders{BlobContentMD5: u.md5},
		ImmutabilityPolicyMode: lock.mode, ImmutabilityPolicyExpiryTime: lock.until,
	})
	switch {
	case err == nil:
		return made(u.key, u.size, crc, out.ETag, out.VersionID, out.EncryptionScope), nil
	case bloberror.HasCode(err, bloberror.InvalidBlockList):
		if _, there := u.blocks(u.key).GetProperties(ctx, nil); there == nil {
			return bucket.Object{}, &bucket.Error{Op: "create", Key: u.name(u.key), Kind: bucket.ErrExists, Code: "400 InvalidBlockList, and a blob is there"}
		}
		return bucket.Object{}, &bucket.Error{Op: "create", Key: u.name(u.key), Kind: bucket.ErrUnavailable, Code: "400 InvalidBlockList: the store has lost the blocks; send them anew"}
	}
	return bucket.Object{}, u.fail(ctx, "create", u.key, err)
}
