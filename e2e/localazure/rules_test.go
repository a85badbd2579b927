package localazure_test

import (
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/localazure"
)

func TestWhoMayWriteWhere(t *testing.T) {
	a := localazure.Start(t, localazure.Config{Prefix: "p", Server: "main"})
	for _, tc := range []struct {
		who             localazure.Identity
		container, blob string
		allowed         bool
	}{
		{a.Host, a.Vault, "p/main/base/1/data.tar", true},
		{a.Host, a.Vault, "p/main/base/1/manifest.json", true},
		{a.Host, a.Vault, "p/main/wals/1/2.gz", true},
		{a.Host, a.Vault, "p/main/base/1/backup.info", false},
		{a.Host, a.Vault, "p/main/base/1/annotations/keep", false},
		{a.Host, a.Vault, "p/other/base/1/data.tar", false},
		{a.Host, a.Vault, "main/base/1/data.tar", false},
		{a.Host, a.Staging, "p/main/base/1/backup.info", true},
		{a.Host, a.Staging, "p/_pgseal/complete/main/1.json", true},
		{a.Host, a.Staging, "p/_pgseal/progress/main/1.json", true},
		{a.Host, a.Staging, "p/_pgseal/complete/other/1.json", false},
		{a.Host, a.Staging, "p/_pgseal/verdict/main/1.json", false},
		{a.Host, a.Staging, "p/_pgseal/sweep/cursor.json", false},
		{a.Finalizer, a.Vault, "p/main/base/1/backup.info", true},
		{a.Finalizer, a.Vault, "p/main/base/1/data.tar", false},
		{a.Finalizer, a.Vault, "p/main/wals/1/2.gz", false},
		{a.Finalizer, a.Staging, "p/_pgseal/verdict/main/1.json", true},
		{a.Finalizer, a.Staging, "p/_pgseal/sweep/cursor.json", true},
		{a.Finalizer, a.Staging, "p/_pgseal/complete/main/1.json", false},
		{a.Restore, a.Vault, "p/main/base/1/x", false},
		{a.Restore, a.Staging, "p/main/base/1/x", false},
		{a.Operator, a.Vault, "p/main/base/1/annotations/keep", true},
		{a.Operator, a.Vault, "p/main/base/1/backup.info", false},
		{a.Breakglass, a.Vault, "anything", true},
	} {
		b := a.Client(tc.who, tc.container).NewBlockBlobClient(tc.blob)
		_, whole := b.Upload(t.Context(), text("x"), nil)
		_, block := b.StageBlock(t.Context(), id, text("x"), nil)
		for name, err := range map[string]error{"Put Blob": whole, "Put Block": block} {
			// The finalizer makes new blobs in one request, and changes none.
			allowed := tc.allowed && !(name == "Put Block" && tc.who.Name == a.Finalizer.Name && tc.container == a.Vault)
			if denied := bloberror.HasCode(err, bloberror.AuthorizationPermissionMismatch); denied == allowed || allowed && err != nil {
				t.Errorf("%s: %s on %s/%s = %v", tc.who.Name, name, tc.container, tc.blob, err)
			}
		}
	}
	a.ForgetRequests()
}

func TestWhoMayReadListAndDelete(t *testing.T) {
	a := localazure.Start(t, localazure.Config{})
	for _, name := range []string{a.Vault, a.Staging} {
		create(t, a.Client(a.Breakglass, name).NewBlockBlobClient("main/base/1/data.tar"))
		for _, who := range []localazure.Identity{a.Host, a.Finalizer, a.Restore, a.Operator} {
			c := a.Client(who, name)
			if _, err := c.NewBlobClient("main/base/1/data.tar").DownloadStream(t.Context(), nil); err != nil {
				t.Errorf("%s reads in %s: %v", who.Name, name, err)
			}
			if _, err := c.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{Prefix: to.Ptr("main/")}).NextPage(t.Context()); err != nil {
				t.Errorf("%s lists %s: %v", who.Name, name, err)
			}
			if _, err := c.NewBlobClient("main/base/1/data.tar").Delete(t.Context(), nil); !bloberror.HasCode(err, bloberror.AuthorizationPermissionMismatch) {
				t.Errorf("%s deletes in %s: %v", who.Name, name, err)
			}
			if _, err := c.Delete(t.Context(), nil); !bloberror.HasCode(err, bloberror.AuthorizationPermissionMismatch) {
				t.Errorf("%s deletes %s: %v", who.Name, name, err)
			}
		}
	}
}

func TestARightIsTakenAndGivenBack(t *testing.T) {
	a := localazure.Start(t, localazure.Config{})
	b := a.Client(a.Host, a.Vault).NewBlockBlobClient("main/k")
	restore, err := a.Deny(cloud.Host, cloud.ToCreate, a.Vault, "main/*")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Upload(t.Context(), text("x"), nil); !bloberror.HasCode(err, bloberror.AuthorizationPermissionMismatch) {
		t.Errorf("denied: %v", err)
	}
	restore()
	create(t, b)
}

func TestOnlyThoseWithAKeyAreSomebody(t *testing.T) {
	a := localazure.Start(t, localazure.Config{VaultRetention: time.Hour})
	create(t, a.Client(a.Host, a.Vault).NewBlockBlobClient("main/a b/ü?#%2F&=+"))
	stranger, err := container.NewClientFromConnectionString(strings.Replace(a.Host.ConnectionString(), "AccountKey=", "AccountKey=AAAA", 1), a.Vault, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stranger.NewBlobClient("k").GetProperties(t.Context(), nil); !bloberror.HasCode(err, bloberror.AuthenticationFailed) {
		t.Errorf("another key: %v", err)
	}
	nobody, err := container.NewClientWithNoCredential(a.Endpoint+"/"+a.Vault, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := nobody.NewBlobClient("k").GetProperties(t.Context(), nil); !bloberror.HasCode(err, bloberror.AuthenticationFailed) {
		t.Errorf("no key: %v", err)
	}
	for _, r := range a.Requests(cloud.Keys("k")) {
		if r.Identity != "" || r.Status != 403 {
			t.Errorf("%+v", r)
		}
	}
}
