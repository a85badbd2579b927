package gcsbucket_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/localgcp"
)

func TestAPolicyHoldsUntilItsPeriodIsOver(t *testing.T) {
	var c clock
	s := start(t, localgcp.Config{VaultRetention: time.Hour, Now: c.now})
	r := s.raw(cloud.Breakglass, s.Vault)
	put := func() error { return r.put(t.Context(), "k", "", strings.NewReader("x")) }
	want(t, put(), "")
	want(t, put(), "403 retentionPolicyNotMet")
	want(t, r.remove(t.Context(), "k", ""), "403 retentionPolicyNotMet")
	want(t, r.put(t.Context(), "k", "&ifGenerationMatch=0", strings.NewReader("x")), "412 conditionNotMet")
	_, err := r.do(t.Context(), "PATCH", r.object("k"), strings.NewReader(`{"metadata":{"a":"b"}}`)) // which is allowed
	want(t, err, "")
	c.ahead = 2 * time.Hour
	want(t, put(), "")
	want(t, r.remove(t.Context(), "k", ""), "403 retentionPolicyNotMet")
	c.ahead = 4 * time.Hour
	want(t, r.remove(t.Context(), "k", ""), "")
}

func TestALockedPolicyCanOnlyGrow(t *testing.T) {
	s := start(t, localgcp.Config{VaultRetention: time.Hour})
	r := s.raw(cloud.Breakglass, s.Vault)
	at := "/storage/v1/b/" + s.Vault
	period := func(p string) error {
		_, err := r.do(t.Context(), "PATCH", at, strings.NewReader(`{"retentionPolicy":`+p+`}`))
		return err
	}
	want(t, period(`{"retentionPeriod":"60"}`), "")
	_, err := r.do(t.Context(), "POST", at+"/lockRetentionPolicy", nil)
	want(t, err, "400 required")
	_, err = r.do(t.Context(), "POST", at+"/lockRetentionPolicy?ifMetagenerationMatch=1", nil)
	want(t, err, "412")
	_, err = r.do(t.Context(), "POST", at+"/lockRetentionPolicy?ifMetagenerationMatch=2", nil)
	want(t, err, "")
	want(t, period(`{"retentionPeriod":"59"}`), "403 retentionPolicyNotMet")
	want(t, period(`null`), "403 retentionPolicyNotMet: Bucket 'vault' has a locked Retention Policy which cannot be removed.")
	want(t, period(`{"retentionPeriod":"61"}`), "")
	if b, err := s.open(t, cloud.Host, s.Vault).Lock(t.Context()); err != nil || b.Mode != "locked" || b.Default != 61*time.Second {
		t.Errorf("%+v, %v", b, err)
	}
}

func TestHoldsKeepAnObject(t *testing.T) {
	var c clock
	s := start(t, localgcp.Config{VaultRetention: time.Hour, Now: c.now})
	r := s.raw(cloud.Breakglass, s.Vault)
	want(t, r.put(t.Context(), "k", "", strings.NewReader("x")), "")
	c.ahead = 2 * time.Hour
	for _, hold := range []string{"temporaryHold", "eventBasedHold"} {
		set := func(on bool) {
			t.Helper()
			_, err := r.do(t.Context(), "PATCH", r.object("k"), strings.NewReader(fmt.Sprintf(`{%q:%t}`, hold, on)))
			want(t, err, "")
		}
		set(true)
		want(t, r.remove(t.Context(), "k", ""), "403 objectUnderActiveHold")
		want(t, r.put(t.Context(), "k", "", strings.NewReader("y")), "403 objectUnderActiveHold")
		_, shown := r.about(t, "k")["retentionExpirationTime"]
		if shown == (hold == "eventBasedHold") {
			t.Errorf("under %s an end is shown: %t", hold, shown)
		}
		set(false)
	}
	want(t, r.remove(t.Context(), "k", ""), "403 retentionPolicyNotMet") // the period began when the hold was lifted
	c.ahead = 4 * time.Hour
	want(t, r.remove(t.Context(), "k", ""), "")
}

func TestAnObjectsOwnRetention(t *testing.T) {
	var c clock
	s := start(t, localgcp.Config{Now: c.now})
	in := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(time.RFC3339) }
	for _, tc := range []struct{ mode, change, query, says string }{
		{"Locked", `{"mode":"Locked","retainUntilTime":"` + in(3*time.Hour) + `"}`, "", ""},
		{"Locked", `{"mode":"Locked","retainUntilTime":"` + in(time.Hour) + `"}`, "", "403 retentionPolicyNotMet"},
		{"Locked", `{"mode":"Locked","retainUntilTime":"` + in(time.Hour) + `"}`, "?overrideUnlockedRetention=true", "403 retentionPolicyNotMet"},
		{"Locked", `{"mode":"Unlocked","retainUntilTime":"` + in(3*time.Hour) + `"}`, "?overrideUnlockedRetention=true", "403 retentionPolicyNotMet"},
		{"Locked", `null`, "?overrideUnlockedRetention=true", "403 retentionPolicyNotMet"},
		{"Unlocked", `{"mode":"Unlocked","retainUntilTime":"` + in(3*time.Hour) + `"}`, "", ""},
		{"Unlocked", `{"mode":"Locked","retainUntilTime":"` + in(3*time.Hour) + `"}`, "", ""},
		{"Unlocked", `{"mode":"Unlocked","retainUntilTime":"` + in(time.Hour) + `"}`, "", "400"},
		{"Unlocked", `{"mode":"Unlocked","retainUntilTime":"` + in(time.Hour) + `"}`, "?overrideUnlockedRetention=true", ""},
		{"Unlocked", `null`, "", "400"},
		{"Unlocked", `null`, "?overrideUnlockedRetention=true", ""},
		{"Unlocked", `{"mode":"Unlocked","retainUntilTime":"` + in(-time.Hour) + `"}`, "?overrideUnlockedRetention=true", "400"},
	} {
		t.Run(tc.mode+" "+tc.change+tc.query, func(t *testing.T) {
			r := s.raw(cloud.Breakglass, s.Vault)
			key := fmt.Sprint(s.places.Add(1))
			at, err := r.begin(t.Context(), key, "", `{"retention":{"mode":"`+tc.mode+`","retainUntilTime":"`+in(2*time.Hour)+`"}}`)
			want(t, err, "")
			want(t, r.chunk(t.Context(), at, "bytes 0-0/1", "x"), "")
			want(t, r.remove(t.Context(), key, ""), "403 retentionPolicyNotMet")
			_, err = r.do(t.Context(), "PATCH", r.object(key)+tc.query, strings.NewReader(`{"retention":`+tc.change+`}`))
			want(t, err, tc.says)
		})
	}
	if _, err := s.raw(cloud.Breakglass, s.Staging).begin(t.Context(), "k", "", `{"retention":{"mode":"Locked","retainUntilTime":"`+in(time.Hour)+`"}}`); err == nil || !strings.Contains(err.Error(), "400") {
		t.Errorf("in a bucket without object retention: %v", err)
	}
}

func TestConditionsOnNamesDoNotReachTheBucket(t *testing.T) {
	s := start(t, localgcp.Config{Bindings: []localgcp.Binding{{Name: "by name only", Members: []string{cloud.Operator}, Permissions: []string{"storage.objects.*"}, Bucket: "third", Objects: []string{"mine/*"}}}})
	all := s.raw(cloud.Breakglass, "third")
	_, err := all.do(t.Context(), "POST", "/storage/v1/b?project=p&enableObjectRetention=true", strings.NewReader(`{"name":"third","retentionPolicy":{"retentionPeriod":"3600"}}`))
	want(t, err, "")
	r := s.raw(cloud.Operator, "third")
	want(t, r.put(t.Context(), "mine/k", "", strings.NewReader("x")), "")
	want(t, r.put(t.Context(), "yours/k", "", strings.NewReader("x")), "403 forbidden")
	_, err = r.do(t.Context(), "GET", "/storage/v1/b/third/o?prefix=mine/", nil)
	want(t, err, "403 forbidden")
	granted, err := r.do(t.Context(), "GET", "/storage/v1/b/third/iam/testPermissions?permissions=storage.objects.create&permissions=storage.objects.list", nil)
	if err != nil || fmt.Sprint(granted["permissions"]) != "[]" {
		t.Errorf("%v, %v", granted, err)
	}
}

func TestWhatWasKeptIsThereAtTheNextStart(t *testing.T) {
	c := localgcp.Config{Dir: t.TempDir(), VaultRetention: time.Hour}
	first := localgcp.Start(t, c)
	r := (&store{GCP: first}).raw(cloud.Breakglass, "vault")
	want(t, r.put(t.Context(), "a b/k", "", strings.NewReader("content")), "")
	before := r.about(t, "a b/k")
	first.Close()
	second := &store{GCP: localgcp.Start(t, c)}
	r = second.raw(cloud.Restore, "vault")
	if now := r.about(t, "a b/k"); now["generation"] != before["generation"] || now["retentionExpirationTime"] != before["retentionExpirationTime"] || r.content(t, "a b/k", "") != "content" {
		t.Errorf("%v, was %v", now, before)
	}
	want(t, second.raw(cloud.Breakglass, "vault").remove(t.Context(), "a b/k", ""), "403 retentionPolicyNotMet")
}

func TestEveryNewObjectIsAnEvent(t *testing.T) {
	s := start(t, localgcp.Config{Prefix: "p"})
	got := make(chan cloud.Event, 10)
	defer s.Created(s.Staging, s.Markers(), func(e cloud.Event) { got <- e })()
	r := s.raw(cloud.Breakglass, s.Staging)
	for _, key := range []string{"p/main/x", "p/_pgseal/complete/main/a b.json", "p/_pgseal/complete/main/a b.json"} {
		want(t, r.put(t.Context(), key, "", strings.NewReader("{}")), "")
	}
	for i := range 2 {
		e := <-got
		f := e.Record.(localgcp.Finalized)
		if e.Key != "p/_pgseal/complete/main/a b.json" || f.Resource["size"] != "2" || f.Resource["name"] != e.Key || (f.Overwrote == "") != (i == 0) {
			t.Errorf("%+v", e)
		}
	}
	if len(got) != 0 {
		t.Errorf("and %+v", <-got)
	}
}
