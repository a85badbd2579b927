package story_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/localaws"
	"github.com/pgseal/pgseal/e2e/pgtest"
	"github.com/pgseal/pgseal/terraform/tftest"
)

// applied calls the module's buckets as the module does, on a local S3.
const applied = `
variable "endpoint" { type = string }
variable "access_key" { type = string }
variable "secret_key" { type = string }

provider "aws" {
  region                      = "eu-central-1"
  access_key                  = var.access_key
  secret_key                  = var.secret_key
  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true

  endpoints {
    s3 = var.endpoint
  }
}

module "buckets" {
  source = "../buckets"

  vault_name          = "vault"
  staging_name        = "staging"
  prefix              = "barman"
  lock_days           = 7
  retention_days      = { min = 7, max = 30 }
  finalizer_role_arn  = "arn:aws:iam::111122223333:role/pgseal-finalizer"
  operator_role_arn   = "arn:aws:iam::111122223333:role/pgseal-operator"
  breakglass_role_arn = "arn:aws:iam::111122223333:role/pgseal-breakglass"
}
`

// TestTheStoryOnWhatTerraformMade: the provider really makes the two buckets on a local S3, with lock, versions,
// lifecycle, encryption and policies, finds nothing to change afterwards, and the rules that it has put hold for a backup
// from its beginning to its restore. The policies of the identities are the rendered ones, as in every test here.
func TestTheStoryOnWhatTerraformMade(t *testing.T) {
	t.Parallel()
	tree := t.TempDir()
	tftest.Copy(t, filepath.Join(tftest.Root(), "aws"), filepath.Join(tree, "aws"))
	root := filepath.Join(tree, "aws", "applied")
	versions, err := os.ReadFile(filepath.Join(tree, "aws", "versions.tf"))
	if err == nil {
		err = os.Mkdir(root, 0o755)
	}
	for name, text := range map[string]string{"main.tf": applied, "versions.tf": string(versions)} {
		if err == nil {
			err = os.WriteFile(filepath.Join(root, name), []byte(text), 0o600)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	aws := localaws.Start(t, localaws.Config{Prefix: "barman", Server: server, Bare: true})
	m := tftest.At(t, "aws/applied", tree)
	m.Init(t)
	with := []string{"-no-color", "-input=false", "-var=endpoint=" + aws.Endpoint,
		"-var=access_key=" + aws.Breakglass.Credentials.AccessKey, "-var=secret_key=" + aws.Breakglass.Credentials.SecretKey}
	m.Run(t, append([]string{"apply", "-auto-approve"}, with...)...)
	if out, err := m.Try(t, append([]string{"plan", "-detailed-exitcode"}, with...)...); err != nil || !strings.Contains(out, "No changes") {
		t.Fatalf("a second plan is not empty: %v\n%s", err, out)
	}

	c := sceneIn(t, clouds.AWS.In(aws))
	source := c.cluster(t, pgtest.Options{Install: pgtest.Find(t, 15), Checksums: true})
	source.LoadPgbench(1)
	id := sealed(t, c.backupOf(t, source, "--wait", "--require-lock", "-S", "8MB", "--gzip", "-n", "nightly"))
	want := counts(source, source)
	source.ArchiveAll()
	source.Stop()
	c.checkSeal(t, id, "backup_name=nightly\n")
	c.stockReads(t, id)
	checkRecovery(t, source, c.restore(t, source, id), c.recovery(t), want)

	c.audit(t)

	// Only the vault's policy refuses this one.
	key := c.key(layout.BackupInfo(server, "20260101T000000"))
	_, err = aws.Client(aws.Finalizer).PutObject(t.Context(), &s3.PutObjectInput{Bucket: &aws.Vault, Key: &key, Body: strings.NewReader("status=DONE\n")})
	if err == nil || !strings.Contains(err.Error(), "explicit deny in a resource-based policy") {
		t.Errorf("a seal without its condition: %v", err)
	}
}
