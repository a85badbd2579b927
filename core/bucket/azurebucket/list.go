package azurebucket

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/pgseal/pgseal/core/bucket"
)

// pageSize is how many blobs one request lists; Azure's limit is 5,000.
const pageSize = 1000

// maxVersions bounds the versions of one key that are held to be put in order.
const maxVersions = 5000

// List yields current blobs, 1,000 to a request, after one request that asks for
// the container's lock.
func (b *Bucket) List(ctx context.Context, prefix string) iter.Seq2[bucket.Object, error] {
	return b.blobs(ctx, prefix, container.ListBlobsInclude{Metadata: true, ImmutabilityPolicy: true, LegalHold: true})
}

func (b *Bucket) blobs(ctx context.Context, prefix string, include container.ListBlobsInclude) iter.Seq2[bucket.Object, error] {
	return func(yield func(bucket.Object, error) bool) {
		lock, err := b.seenLock(ctx, "list", prefix)
		if err != nil {
			yield(bucket.Object{}, err)
			return
		}
		pages := b.client.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{
			Prefix: to.Ptr(b.full(prefix)), Include: include, MaxResults: to.Ptr[int32](pageSize),
		})
		for pages.More() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(bucket.Object{}, b.fail(ctx, "list", prefix, err))
				return
			}
			if page.Segment == nil {
				continue
			}
			for _, o := range b.inOrder(page.Segment.BlobItems, lock) {
				if !yield(o, nil) {
					return
				}
			}
		}
	}
}

// inOrder puts one page in the order of UTF-8 bytes. Azure promises an
// "alphabetical" order, Azurite 3.37 has that of UTF-16: they differ for
// characters beyond U+FFFF, which no key of pgseal's has.
func (b *Bucket) inOrder(items []*container.BlobItem, lock containerLock) []bucket.Object {
	page := make([]bucket.Object, len(items))
	for i, item := range items {
		page[i] = b.listed(item, lock)
	}
	slices.SortStableFunc(page, func(x, y bucket.Object) int { return strings.Compare(x.Key, y.Key) })
	return page
}

// listed is a blob as the listing has it.
func (b *Bucket) listed(item *container.BlobItem, lock containerLock) bucket.Object {
	p := item.Properties
	if p == nil {
		p = &container.BlobProperties{}
	}
	o := bucket.Object{
		Key: strings.TrimPrefix(deref(item.Name), b.prefix), Size: deref(p.ContentLength), ETag: unquote(p.ETag),
		Version: deref(item.VersionID), Class: class(string(deref(p.AccessTier)), p.AccessTierInferred),
		Encryption: deref(p.EncryptionScope), Created: created(p.CreationTime, p.LastModified),
		Latest: item.VersionID == nil || deref(item.IsCurrentVersion),
	}
	o.Metadata, o.CRC32C = labels(item.Metadata, deref(p.BlobType))
	if p.CustomerProvidedKeySHA256 != nil {
		o.CRC32C = "" // so that whoever needs it asks for the blob, and learns that it cannot be read
	}
	lock.show(&o, ownPolicy(p.ImmutabilityPolicyExpiresOn, p.ImmutabilityPolicyMode))
	o.Created = written(o.Created, p.LastModified)
	return o
}

// ListVersions is List with the versions that accounts with versioning keep.
// Azure hides a deleted blob without a marker: then no version of it is current.
func (b *Bucket) ListVersions(ctx context.Context, prefix string) iter.Seq2[bucket.Object, error] {
	return func(yield func(bucket.Object, error) bool) {
		var same []bucket.Object // versions of one key
		flush := func() bool {
			slices.SortStableFunc(same, newestFirst)
			for _, o := range same {
				if !yield(o, nil) {
					return false
				}
			}
			same = same[:0]
			return true
		}
		include := container.ListBlobsInclude{Metadata: true, ImmutabilityPolicy: true, LegalHold: true, Versions: true}
		for o, err := range b.blobs(ctx, prefix, include) {
			if err == nil && len(same) == maxVersions && same[0].Key == o.Key {
				err = b.refuse("list", o.Key, bucket.ErrTooLarge, "more than 5000 versions of it are there")
			}
			if (err != nil || len(same) > 0 && same[0].Key != o.Key) && !flush() {
				return
			}
			if err != nil {
				yield(bucket.Object{}, err)
				return
			}
			same = append(same, o)
		}
		flush()
	}
}

// newestFirst: version ids are times, all of the same length.
func newestFirst(x, y bucket.Object) int {
	if x.Latest != y.Latest {
		if x.Latest {
			return -1
		}
		return 1
	}
	return cmp.Compare(y.Version, x.Version)
}

// Dirs yields the names directly below prefix.
func (b *Bucket) Dirs(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		pages := b.client.NewListBlobsHierarchyPager("/", &container.ListBlobsHierarchyOptions{
			Prefix: to.Ptr(b.full(prefix)), MaxResults: to.Ptr[int32](pageSize),
		})
		for pages.More() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield("", b.fail(ctx, "list", prefix, err))
				return
			}
			if page.Segment == nil {
				continue
			}
			dirs := make([]string, len(page.Segment.BlobPrefixes))
			for i, p := range page.Segment.BlobPrefixes {
				dirs[i] = strings.TrimPrefix(deref(p.Name), b.full(prefix))
			}
			slices.Sort(dirs) // as in inOrder
			for _, dir := range dirs {
				if !yield(strings.TrimSuffix(dir, "/"), nil) {
					return
				}
			}
		}
	}
}

// labels are the metadata that somebody gave, and the checksum that Create put
// among them. Azure keeps the case of names and does not care for it. Only a
// block blob has the bytes that the checksum was taken of: append and page blobs
// change in place.
func labels(stored map[string]*string, kind blob.BlobType) (given map[string]string, crc string) {
	for name, value := range stored {
		name = strings.ToLower(name)
		if name == sumName {
			crc = deref(value)
			continue
		}
		if given == nil {
			given = make(map[string]string, len(stored))
		}
		given[strings.ReplaceAll(name, "_", "-")] = deref(value)
	}
	if kind != blob.BlobTypeBlockBlob || !isCRC(crc) {
		crc = ""
	}
	return given, crc
}

func isCRC(s string) bool {
	return len(s) == 8 && !strings.ContainsFunc(s, func(r rune) bool { return (r < '0' || r > '9') && (r < 'a' || r > 'f') })
}

// class is the tier that somebody set; one that follows the account's is "".
func class(tier string, inferred *bool) string {
	if deref(inferred) {
		return ""
	}
	return tier
}
