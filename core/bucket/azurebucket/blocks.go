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
	"github.com/pgseal/pgseal/core/bucket/body"
)

// Limits of "Scalability and performance targets for Blob Storage" (2026-11). Of
// 8 MiB, 49,500 blocks hold 386 GiB and all 50,000 of them 435; the last ones are
// 256 MiB.
var blockSizes = body.Sizes{Parts: 50_000, Max: 4000 << 20, GrowAfter: 49_500, GrowEvery: 100, Word: "blocks"}

// crc64Table is the polynomial of x-ms-content-crc64, as the Azure SDKs have it.
var crc64Table = crc64.MakeTable(0x9A6C9329AC4BC9B5)

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
	slots := make(chan struct{}, inFlight) // a block takes one before it is read
	slots <- struct{}{}
	whole, first := md5.New(), int64(len(buf))
	for n := 1; len(buf) > 0 && sending.Err() == nil; n++ {
		id, block := u.names.id(n), buf
		u.ids = append(u.ids, id)
		u.crc, u.size = crc32.Update(u.crc, castagnoli, buf), u.size+int64(len(buf))
		_, _ = whole.Write(buf) // never fails
		wg.Go(func() {
			defer func() { u.buffers.Return(block); <-slots }()
			if err := u.sendBlock(sending, id, block); err != nil {
				stop(err)
			}
		})
		select {
		case slots <- struct{}{}:
		case <-sending.Done():
			continue
		}
		if buf, err = u.buffers.Next(sending, r, blockSizes, first, n+1); err != nil {
			stop(body.Error(sending, u.name(u.key), err))
		}
	}
	wg.Wait()
	u.md5 = whole.Sum(nil)
	if ctx.Err() != nil {
		return fmt.Errorf("create %s: %w", u.name(u.key), ctx.Err())
	}
	return context.Cause(sending)
}

func (u *upload) sendBlock(ctx context.Context, id string, block []byte) error {
	_, err := u.blocks(u.key).StageBlock(ctx, id, streaming.NopCloser(bytes.NewReader(block)), &blockblob.StageBlockOptions{
		CPKScopeInfo: u.scope, TransactionalValidation: blob.TransferValidationTypeCRC64(crc64.Checksum(block, crc64Table)),
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
	return bucket.Object{}, u.failWrite(ctx, "create", u.key, err)
}
