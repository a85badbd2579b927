package catalog_test

import (
	"slices"
	"testing"

	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/uploader/catalog"
)

func TestWhatIsLeftToFinalize(t *testing.T) {
	w := newWorld(t)
	w.seal(finalizer.Config{})
	w.at("21T03:01") // neither marker nor verdict
	w.set().Upload(t, w.vault)
	w.at("22T03:01") // waits
	s := w.set()
	s.UploadArchives(t, w.vault)
	s.UploadManifest(t, w.vault)
	w.mark(s.ID())
	w.finalize(s.ID(), finalizer.Config{})
	w.at("22T06:01") // no manifest yet
	w.set().UploadArchives(t, w.vault)
	w.mark("20261122T090000") // a marker alone
	w.put("_pgseal/complete/"+server+"/nonsense.json", "")
	w.create(server+"/base/nonsense/manifest.json", "")

	ids, err := catalog.Pending(t.Context(), w.vault, w.staging, server)
	if want := []string{"20261121T030000", "20261122T030000", "20261122T090000"}; err != nil || !slices.Equal(ids, want) {
		t.Errorf("%q %v, want %q", ids, err, want)
	}
}
