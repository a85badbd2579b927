// Package seal_test tells the finalizer's stories: sets that a host uploads into a local cloud, the event of their marker,
// and the built function that seals them, or says why not. One table for all clouds, where they do not differ by nature.
package seal_test

import (
	"flag"
	"testing"

	"github.com/pgseal/pgseal/e2e/localaws"
)

func TestMain(m *testing.M) {
	localaws.Hijack()
	flag.Parse()
	// Many stories wait for a function that waits for its store to recover: more of them than processors fit in.
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	localaws.Main(m)
}
