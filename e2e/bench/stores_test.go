package bench

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/pgseal/pgseal/e2e/localaws"
)

// stores are the vault for pgseal and a plain bucket for stock barman, in one
// local AWS.
type stores struct {
	*localaws.AWS
	plain string
}

// startStores leaves the vault without a default retention: what a run has
// left there must go before the next one.
func startStores(b *testing.B) stores {
	b.Helper()
	s := stores{localaws.Start(b, localaws.Config{}), "plain"}
	if err := s.CreateBucket(b.Context(), s.plain); err != nil {
		b.Fatal(err)
	}
	return s
}

// size adds up what stands below a prefix.
func (s stores) size(b *testing.B, bucket, prefix string) (size int64) {
	b.Helper()
	s.each(b, bucket, prefix, func(v types.ObjectVersion) { size += *v.Size })
	return size
}

// remove empties a prefix.
func (s stores) remove(b *testing.B, bucket, prefix string) {
	b.Helper()
	client := s.Client(s.Breakglass)
	s.each(b, bucket, prefix, func(v types.ObjectVersion) {
		if _, err := client.DeleteObject(b.Context(), &s3.DeleteObjectInput{Bucket: &bucket, Key: v.Key, VersionId: v.VersionId}); err != nil {
			b.Fatal(err)
		}
	})
}

func (s stores) each(b *testing.B, bucket, prefix string, do func(types.ObjectVersion)) {
	b.Helper()
	var all []types.ObjectVersion
	pages := s3.NewListObjectVersionsPaginator(s.Client(s.Breakglass), &s3.ListObjectVersionsInput{Bucket: &bucket, Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, page.Versions...)
	}
	for _, v := range all {
		do(v)
	}
}
