package option

import "slices"

// stores holds what one kind of store understands.
var stores = []Option{
	{
		Name: "endpoint-url", Metavar: "URL", in: every, Group: groupS3,
		Help: "where the S3 API is, when it is not Amazon's (or AWS_ENDPOINT_URL_S3)",
	}, {
		Name: "aws-profile", Short: "P", Aliases: []string{"profile"}, Metavar: "PROFILE", in: every, Group: groupS3,
		Help: "the section of the AWS configuration files to use (or AWS_PROFILE)",
	}, {
		Name: "encryption", Short: "e", Kind: Choice, Choices: []string{"AES256", "aws:kms"}, in: uploads, Group: groupS3,
		Help: "server-side encryption to ask for (default: as the bucket says)",
	}, {
		Name: "sse-kms-key-id", Metavar: "KEY", in: uploads, Group: groupS3,
		Help: "the KMS key to encrypt with; needs -e aws:kms",
	}, {
		Name: "azure-credential", Aliases: []string{"credential"}, Kind: Choice,
		Choices: []string{"azure-cli", "managed-identity", "default"}, in: every, Group: groupAzure,
		Help: "where the credentials come from (default: AZURE_STORAGE_CONNECTION_STRING, AZURE_STORAGE_SAS_TOKEN or AZURE_STORAGE_KEY, else Azure's default chain)",
	}, {
		Name: "encryption-scope", Metavar: "SCOPE", in: uploads, Group: groupAzure,
		Help: "the encryption scope to store under",
	}, {
		Name: "max-block-size", Kind: Size, Metavar: "SIZE", Default: "4MB", in: walArchive, Group: groupAzure,
		Help: "the size of the blocks of a file that is sent in blocks",
	}, {
		Name: "max-concurrency", Kind: Int, Min: 1, Metavar: "COUNT", Default: "1", in: walArchive, Group: groupAzure,
		Help: "how many blocks to send at a time",
	}, {
		Name: "max-single-put-size", Kind: Size, Metavar: "SIZE", Default: "64MB", in: walArchive, Group: groupAzure,
		Help: "a larger file is sent in blocks",
	}, {
		Name: "kms-key-name", Metavar: "KEY", in: uploads, Group: groupGCS,
		Help: "the Cloud KMS key to encrypt with (default: as the bucket says)",
	},
}

// snapshots holds barman's options for disk snapshots, up to 3.17: they are recognised in order to be refused.
var snapshots = slices.Concat(refuse(backup, "disk snapshots are not part of pgseal: use barman-cloud-backup for them",
	"snapshot-instance", "snapshot-disk", "snapshot-zone", "snapshot-gcp-project", "gcp-project", "gcp-zone",
	"aws-region", "aws-await-snapshots-timeout", "aws-snapshot-lock-mode", "aws-snapshot-lock-cool-off-period",
	"aws-snapshot-lock-expiration-date", "aws-snapshot-lock-duration", "azure-subscription-id", "azure-resource-group"),
	refuse(restore, "disk snapshots are not part of pgseal: use barman-cloud-restore for them",
		"snapshot-recovery-instance", "snapshot-recovery-zone", "aws-region", "gcp-zone", "azure-resource-group"))

func refuse(in commandSet, why string, names ...string) []Option {
	var list []Option
	for _, n := range names {
		list = append(list, Option{Name: n, Kind: refused, Help: why, in: in, Group: groupSnapshot})
	}
	return list
}

// variable is an environment variable that no option stands for.
type variable struct {
	Name, Help string
	in         commandSet
}

// environment names the variables that matter besides those of the options.
var environment = []variable{
	{"AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN", "credentials for S3", every},
	{"AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL_S3, AWS_CA_BUNDLE", "the profile, region, endpoint and certificates for S3", every},
	{"AZURE_STORAGE_CONNECTION_STRING, AZURE_STORAGE_SAS_TOKEN, AZURE_STORAGE_KEY", "credentials for Azure, the first that is set", every},
	{"PGSEAL_AZURE_RETENTION", "the period of the retention policy that an Azure vault has, such as 30d: Azure does not tell it", every},
	{"GOOGLE_APPLICATION_CREDENTIALS", "a credentials file for Google Cloud Storage (else gcloud's default login, or the machine's service account)", every},
	{"STORAGE_EMULATOR_HOST", "an emulator instead of Google Cloud Storage; it is shown no credentials", every},
	{"CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE", "another address of the Cloud Storage API, as for gcloud (Private Service Connect)", every},
	{"PGHOST, PGPORT, PGUSER, PGPASSWORD, PGPASSFILE, PGSERVICE, PGSSLMODE", "as for psql", backup | doctor},
	{"PGSEAL_WAL_CHECK, PGSEAL_WAL_DEADLINE, PGSEAL_MIN_RETENTION, PGSEAL_SEAL_RETENTION, PGSEAL_DEADLINE", "what the finalizer asks of a backup, as for the cloud function", backup | finalize | sweep},
	{"PGSEAL_MIN_RETENTION", "what the finalizer asks of a lock", doctor},
	{"PGSEAL_ABANDON_AFTER", "how old the last heartbeat of a backup may be before it is shown as abandoned (default: 30m)", status | sweep | page},
	{"PGSEAL_VAULT_ENCRYPTION", "what the vault's objects may be encrypted with, after commas (default: anything)", backup | finalize | sweep | audit | doctor | page},
}
