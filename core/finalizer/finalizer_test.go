package finalizer_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/finalizer"
)

func TestAWholeSetIsSealed(t *testing.T) {
	p := newPlace(t, time.Hour)
	p.set.Upload(t, p.vault)
	v := p.finalize(t)
	if v.State != finalizer.Sealed || v.Receipt == nil || v.Receipt.RetainUntil == nil || v.Receipt.Objects != 3 || !v.WAL.Checked || v.WAL.Segments != 2 {
		t.Fatalf("%+v", v)
	}
	info, err := backupinfo.Parse(p.seal(t))
	if err != nil || info.Status != backupinfo.Done || info.Comment("manifest_sha256") != v.ManifestSHA256 || info.Comment("wal") != "checked" ||
		info.Tablespaces[0].Location != "/srv/ts one" || info.EndWAL() != "000000010000000000000004" {
		t.Fatalf("%+v %v", info, err)
	}
}

func TestTheSameManifestMakesTheSameBytes(t *testing.T) {
	p := newPlace(t, 0)
	p.set.Upload(t, p.vault)
	v := p.finalize(t)
	a, err1 := finalizer.Render(p.set.Manifest, v.ManifestSHA256, true)
	b, err2 := finalizer.Render(p.set.Manifest, v.ManifestSHA256, true)
	if err1 != nil || err2 != nil || !bytes.Equal(a, b) || !bytes.Equal(a, p.seal(t)) {
		t.Error(err1, err2)
	}
}

func TestWithoutAManifestThereIsNothingToDo(t *testing.T) {
	p := newPlace(t, 0)
	p.set.UploadArchives(t, p.vault)
	if v := p.finalize(t); v.State != finalizer.Nothing {
		t.Fatalf("%+v", v)
	}
}

func TestManyCallsAtOnceWriteOneSeal(t *testing.T) {
	p := newPlace(t, 0)
	p.set.Upload(t, p.vault)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if v, err := p.f.Finalize(context.Background(), "main", p.set.ID()); err != nil || v.State != finalizer.Sealed {
				t.Errorf("%v %+v", err, v)
			}
		})
	}
	wg.Wait()
}

func TestTimeRunsOut(t *testing.T) {
	p := newPlace(t, 0)
	p.set.Upload(t, p.vault)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second) // less than what is kept spare
	defer cancel()
	_, err := p.f.Finalize(ctx, "main", p.set.ID())
	var transient *finalizer.TransientError
	if !errors.As(err, &transient) || !errors.Is(err, finalizer.ErrDeadline) {
		t.Fatal(err)
	}
	if p.seal(t) != nil {
		t.Error("a seal was written")
	}
}

func TestConfigurationNamesTheVariable(t *testing.T) {
	for variable, values := range map[string][]string{
		"PGSEAL_WAL_CHECK": {"maybe", "off,x=maybe", "require,../x=off"}, "PGSEAL_WAL_DEADLINE": {"x", "0s", "-1h"},
		"PGSEAL_MIN_RETENTION": {"-1d", "d"}, "PGSEAL_SEAL_RETENTION": {"x", "-1d"}, "PGSEAL_ABANDON_AFTER": {"0", "1x"}, "PGSEAL_DEADLINE": {"1s", "0"},
	} {
		for _, value := range values {
			_, err := finalizer.ConfigFromEnv(func(name string) string {
				if name == variable {
					return value
				}
				return ""
			})
			if err == nil || !strings.Contains(err.Error(), variable) {
				t.Errorf("%s=%s: %v", variable, value, err)
			}
		}
	}
	c, err := finalizer.ConfigFromEnv(func(name string) string {
		return map[string]string{"PGSEAL_WAL_CHECK": "off, db1=require", "PGSEAL_MIN_RETENTION": "30d"}[name]
	})
	if err != nil || c.CheckWAL("x") || !c.CheckWAL("db1") || c.MinRetention != 720*time.Hour {
		t.Error(c, err)
	}
}
