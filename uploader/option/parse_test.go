package option

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func command(t testing.TB, name string) *Command {
	t.Helper()
	for _, c := range Commands {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no command %q", name)
	return nil
}

func none(string) (string, bool) { return "", false }

func environ(pairs map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := pairs[name]; return v, ok }
}

// backupArgs parses a command line of pgseal backup, with the URL and server put before it.
func backupArgs(t *testing.T, args ...string) *Values {
	t.Helper()
	v, err := command(t, "backup").Parse(append([]string{"s3://b/p", "srv"}, args...), none)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestTheCommandLineOfTheIssueWorks(t *testing.T) {
	v, err := command(t, "backup").Parse(strings.Fields("--cloud-provider=aws-s3 --lz4 -J 4 -S 5GB "+
		"--immediate-checkpoint -n test-20261123T000000 s3://bucket/barman/ server"), none)
	if err != nil {
		t.Fatal(err)
	}
	for what, ok := range map[string]bool{
		"provider":    v.String("cloud-provider") == "aws-s3",
		"compression": v.Chosen("compression") == "lz4" && v.Bool("lz4") && !v.Bool("gzip"),
		"jobs":        v.Int("jobs") == 4 && v.Set("jobs"),
		"size":        v.Size("max-archive-size") == 5<<30,
		"checkpoint":  v.Bool("immediate-checkpoint"),
		"name":        v.String("name") == "test-20261123T000000",
		"URL":         v.Arg("URL") == "s3://bucket/barman/",
		"server":      v.Arg("SERVER") == "server",
		"defaults":    v.String("dbname") == "postgres" && !v.Set("dbname") && v.String("lock-mode") == "compliance",
		"unset":       !v.Set("wait") && v.String("finalizer") == "" && v.Duration("retention") == 0 && v.Time("retain-until").IsZero(),
	} {
		if !ok {
			t.Errorf("%s is wrong", what)
		}
	}
}

func TestWaysToWriteTheSame(t *testing.T) {
	for _, tt := range []struct {
		name  string
		args  []string
		check func(*Values) bool
	}{
		{"a short option with its value apart", []string{"-J", "4"}, func(v *Values) bool { return v.Int("jobs") == 4 }},
		{"a short option with its value attached", []string{"-J4"}, func(v *Values) bool { return v.Int("jobs") == 4 }},
		{"a short option with an equals sign", []string{"-J=4"}, func(v *Values) bool { return v.Int("jobs") == 4 }},
		{"a long option with its value apart", []string{"--jobs", "4"}, func(v *Values) bool { return v.Int("jobs") == 4 }},
		{"a long option with an equals sign", []string{"--jobs=4"}, func(v *Values) bool { return v.Int("jobs") == 4 }},
		{"a value with an equals sign in it", []string{"-d=host=/tmp port=1"}, func(v *Values) bool { return v.String("dbname") == "host=/tmp port=1" }},
		{"an empty value", []string{"--endpoint-url="}, func(v *Values) bool { return v.Set("endpoint-url") && v.String("endpoint-url") == "" }},
		{"grouped short options", []string{"-zvt"}, func(v *Values) bool { return v.Bool("gzip") && v.Count("verbose") == 1 && v.Bool("test") }},
		{"a group that ends in a value", []string{"-zvJ4"}, func(v *Values) bool { return v.Bool("gzip") && v.Int("jobs") == 4 }},
		{"a group whose value stands apart", []string{"-zJ", "4"}, func(v *Values) bool { return v.Bool("gzip") && v.Int("jobs") == 4 }},
		{"a repeated count", []string{"-v", "-vv", "--verbose"}, func(v *Values) bool { return v.Count("verbose") == 4 }},
		{"the same compression twice", []string{"-z", "--gzip"}, func(v *Values) bool { return v.Chosen("compression") == "gzip" }},
		{"the last of two values", []string{"-J", "3", "-J", "5"}, func(v *Values) bool { return v.Int("jobs") == 5 }},
		{"a shortened long option", []string{"--immediate"}, func(v *Values) bool { return v.Bool("immediate-checkpoint") }},
		{"a shortened option with a value", []string{"--max-arch=1GB"}, func(v *Values) bool { return v.Size("max-archive-size") == 1<<30 }},
		{"an old name", []string{"--profile", "x"}, func(v *Values) bool { return v.String("aws-profile") == "x" }},
		{"a shortened old name", []string{"--cred", "azure-cli"}, func(v *Values) bool { return v.String("azure-credential") == "azure-cli" }},
		{"a name that begins another one", []string{"--tag", "a,b"}, func(v *Values) bool { return len(v.Tags("tags")) == 1 }},
		{"a shortening that was barman's before ours", []string{"--re", "30"}, func(v *Values) bool { return v.Int("read-timeout") == 30 }},
		{"a value that looks like a negative number", []string{"-p", "-5"}, func(v *Values) bool { return v.String("port") == "-5" }},
		{"a value with a dash and a blank", []string{"-d", "-c x=y"}, func(v *Values) bool { return v.String("dbname") == "-c x=y" }},
		{"a value that is one dash", []string{"-d", "-"}, func(v *Values) bool { return v.String("dbname") == "-" }},
		{"no waiting", []string{"--no-wait"}, func(v *Values) bool { return v.Set("wait") && !v.Bool("wait") }},
		{"the last word on waiting", []string{"--no-wait", "--wait"}, func(v *Values) bool { return v.Set("wait") && v.Bool("wait") }},
		{"a retention", []string{"--retention", "30d"}, func(v *Values) bool {
			return v.Duration("retention") == 720*time.Hour && v.Chosen("retention") == "retention"
		}},
		{"a date", []string{"--retain-until=2027-01-31"}, func(v *Values) bool {
			return v.Time("retain-until").Equal(time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC))
		}},
		{"an archive size above the limit", []string{"-S", "2TB"}, func(v *Values) bool {
			return v.Size("max-archive-size") == 1<<40 && len(v.Notes) == 1
		}},
		{"tags in a row", []string{"--tags", "k,v", "k2,v2"}, func(v *Values) bool {
			return reflect.DeepEqual(v.Tags("tags"), []Tag{{"k", "v"}, {"k2", "v2"}})
		}},
		{"tags one by one", []string{"--tag", "a,b", "--tag=c,d", "--tags=e,f"}, func(v *Values) bool { return len(v.Tags("tags")) == 3 }},
		{"tags up to the next option", []string{"--tags", "k,v", "-z"}, func(v *Values) bool { return len(v.Tags("tags")) == 1 && v.Bool("gzip") }},
		{"no tags at all", []string{"--tags"}, func(v *Values) bool { return len(v.Tags("tags")) == 0 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !tt.check(backupArgs(t, tt.args...)) {
				t.Errorf("%q was misunderstood", tt.args)
			}
		})
	}
}

func TestPositionalArguments(t *testing.T) {
	for _, tt := range []struct {
		name, command, line string
		url, server, last   string
	}{
		{"in front", "wal-archive", "u s w -z", "u", "s", "w"},
		{"behind", "wal-archive", "-z u s w", "u", "s", "w"},
		{"in between", "wal-archive", "-z u -v s -P x w", "u", "s", "w"},
		{"after the end of options", "wal-archive", "-z -- u -s -w", "u", "-s", "-w"},
		{"without the optional one", "wal-archive", "u s", "u", "s", ""},
		{"a path with a negative number", "wal-archive", "u s -1", "u", "s", "-1"},
		{"an id", "finalize", "u s 20261123T000000", "u", "s", "20261123T000000"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := command(t, tt.command)
			v, err := c.Parse(strings.Fields(tt.line), none)
			if err != nil {
				t.Fatal(err)
			}
			if v.Arg("URL") != tt.url || v.Arg("SERVER") != tt.server || v.Arg(c.Args[2].Name) != tt.last {
				t.Errorf("%q gives %q", tt.line, v.args)
			}
		})
	}
}

func TestMistakesAreNamed(t *testing.T) {
	for _, tt := range []struct{ name, command, line, want string }{
		{"nothing", "backup", "", "the following arguments are required: URL, SERVER"},
		{"a missing server", "backup", "s3://b", "the following arguments are required: SERVER"},
		{"one argument too many", "backup", "u s x y", "unrecognized arguments: x y"},
		{"an unknown option", "backup", "u s --nope", "unrecognized arguments: --nope"},
		{"an unknown short option", "backup", "u s -X5", "unrecognized arguments: -X5"},
		{"two compressions", "backup", "u s -z -j", "argument -j/--bzip2: not allowed with argument -z/--gzip"},
		{"two compressions in a group", "backup", "u s -jz", "argument -z/--gzip: not allowed with argument -j/--bzip2"},
		{"loud and quiet", "status", "u s -v --quiet", "argument -q/--quiet: not allowed with argument -v/--verbose"},
		{"two retentions", "backup", "u s --retention 1d --retain-until 2027-01-01", "argument --retain-until: not allowed with argument --retention"},
		{"an ambiguous shortening", "backup", "u s --max", "ambiguous option: --max could match --max-archive-size, --max-bandwidth"},
		{"an ambiguous shortening of ours", "backup", "u s --ret 1d", "ambiguous option: --ret could match --retention, --retain-until"},
		{"no value at the end", "backup", "u s -J", "argument -J/--jobs: expected one argument"},
		{"an option in place of a value", "backup", "u s -J -z", "argument -J/--jobs: expected one argument"},
		{"the end of options in place of a value", "backup", "-J -- u s", "argument -J/--jobs: expected one argument"},
		{"a value for an option without", "backup", "u s --gzip=9", "argument -z/--gzip: ignored explicit argument '9'"},
		{"a group with a stranger", "backup", "u s -zX", "argument -z/--gzip: ignored explicit argument 'X'"},
		{"an unknown choice", "backup", "u s --cloud-provider ftp", "argument --cloud-provider: invalid choice: 'ftp' (choose from 'aws-s3', 'azure-blob-storage', 'google-cloud-storage')"},
		{"a word for a number", "backup", "u s --read-timeout soon", "argument --read-timeout: invalid int value: 'soon'"},
		{"no jobs", "backup", "u s -J 0", "argument -J/--jobs: '0' is too small: at least 1"},
		{"a bad size", "backup", "u s -S huge", "argument -S/--max-archive-size: 'huge' is not a valid size string"},
		{"a name like an id", "backup", "u s -n 20261123T000000", "argument -n/--name: backup name '20261123T000000' is not allowed: it looks like a backup id"},
		{"a reserved name", "backup", "u s -n latest", "argument -n/--name: backup name 'latest' is not allowed: reserved word"},
		{"a bad level", "backup", "u s --compression-level best", `argument --compression-level: no such compression level: "best" is not low, medium, high or a whole number`},
		{"tags that swallow the URL", "backup", "--tags k,v s3://b srv", "argument --tags: 's3://b' is not a tag: write key,value"},
		{"a tag twice", "backup", "u s --tag k,v --tag k,w", "argument --tag: tag key 'k' is given twice"},
		{"a disk snapshot", "backup", "u s --snapshot-disk d", "argument --snapshot-disk: disk snapshots are not part of pgseal: use barman-cloud-backup for them"},
		{"a shortened disk snapshot", "backup", "u s --snapshot-inst=i", "argument --snapshot-instance: disk snapshots are not part of pgseal: use barman-cloud-backup for them"},
		{"a WAL compression for a base backup", "backup", "u s --xz", "unrecognized arguments: --xz"},
		{"a duration without a unit", "backup", "u s --retention 30", "argument --retention: '30' is not a valid duration: write 90s, 5m, 26h, 30d or 2w"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := command(t, tt.command).Parse(strings.Fields(tt.line), none)
			var mistake *Error
			if !errors.As(err, &mistake) || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestHelpAndVersion(t *testing.T) {
	for line, want := range map[string]error{"--help": ErrHelp, "-z --he --nope": ErrHelp, "-zV": ErrVersion, "--vers": ErrVersion} {
		if _, err := command(t, "backup").Parse(strings.Fields(line), none); !errors.Is(err, want) {
			t.Errorf("%q gives %v", line, err)
		}
	}
	if _, err := command(t, "status").Parse([]string{"-h"}, none); !errors.Is(err, ErrHelp) {
		t.Errorf("status -h gives %v", err)
	}
}

func TestEnvironment(t *testing.T) {
	c := command(t, "backup")
	parse := func(env map[string]string, line string) (*Values, error) {
		return c.Parse(strings.Fields("u s "+line), environ(env))
	}
	t.Run("it stands in for what was not typed", func(t *testing.T) {
		v, err := parse(map[string]string{"PGSEAL_STAGING_URL": "s3://st", "PGSEAL_REQUIRE_LOCK": "yes", "PGSEAL_WAIT_TIMEOUT": "5m"}, "")
		if err != nil || v.String("staging-url") != "s3://st" || !v.Bool("require-lock") || v.Duration("wait-timeout") != 5*time.Minute || !v.Set("wait-timeout") {
			t.Error(v, err)
		}
	})
	t.Run("what was typed wins", func(t *testing.T) {
		v, err := parse(map[string]string{"PGSEAL_STAGING_URL": "s3://st"}, "--staging-url s3://typed")
		if err != nil || v.String("staging-url") != "s3://typed" {
			t.Error(v, err)
		}
	})
	t.Run("what was typed wins over what it excludes", func(t *testing.T) {
		v, err := parse(map[string]string{"PGSEAL_RETENTION": "30d"}, "--retain-until 2027-01-01")
		if err != nil || v.Chosen("retention") != "retain-until" || v.Set("retention") {
			t.Error(v, err)
		}
	})
	t.Run("an empty variable is not set", func(t *testing.T) {
		v, err := parse(map[string]string{"PGSEAL_FINALIZER": ""}, "")
		if err != nil || v.Set("finalizer") {
			t.Error(v, err)
		}
	})
	t.Run("a mistake names the variable", func(t *testing.T) {
		_, err := parse(map[string]string{"PGSEAL_FINALIZER": "lambda"}, "")
		if err == nil || err.Error() != "environment variable PGSEAL_FINALIZER: invalid choice: 'lambda' (choose from 'embedded', 'cloud')" {
			t.Error(err)
		}
	})
}

func TestFind(t *testing.T) {
	for _, tt := range []struct {
		line, command, prog, rest string
	}{
		{"/usr/bin/pgseal backup -z u s", "backup", "pgseal backup", "-z u s"},
		{"/usr/bin/barman-cloud-backup -z u s", "backup", "barman-cloud-backup", "-z u s"},
		{"barman-cloud-wal-archive u s w", "wal-archive", "barman-cloud-wal-archive", "u s w"},
		{"./pgseal status", "status", "pgseal status", ""},
	} {
		c, prog, rest, err := Find(strings.Fields(tt.line))
		if err != nil || c.Name != tt.command || prog != tt.prog || strings.Join(rest, " ") != tt.rest {
			t.Errorf("%q: %v %q %q %v", tt.line, c, prog, rest, err)
		}
	}
	for line, want := range map[string]string{
		"pgseal":       "which command? " + commandNames(),
		"pgseal seal":  `"seal" is not a command; there are ` + commandNames(),
		"pgseal --nop": `"--nop" is not a command; there are ` + commandNames(),
	} {
		if _, _, _, err := Find(strings.Fields(line)); err == nil || err.Error() != want {
			t.Errorf("%q: %v", line, err)
		}
	}
	if _, _, _, err := Find([]string{"pgseal", "--help"}); !errors.Is(err, ErrHelp) {
		t.Error(err)
	}
	if _, _, _, err := Find([]string{"pgseal", "-V"}); !errors.Is(err, ErrVersion) {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(byte(0), "--cloud-provider=aws-s3\x00-zJ4\x00--\x00u\x00s")
	f.Add(byte(1), "--tags\x00a,b\x00-\x00--no-w\x00-5")
	f.Fuzz(func(t *testing.T, which byte, line string) {
		args := strings.Split(line, "\x00")
		v, err := Commands[int(which)%len(Commands)].Parse(args, none)
		var mistake *Error
		if err != nil && !errors.Is(err, ErrHelp) && !errors.Is(err, ErrVersion) && !errors.As(err, &mistake) {
			t.Fatalf("%q gives %v", args, err)
		}
		if err == nil && (v.Arg("URL") != args[0] && len(args) == 2 && !strings.HasPrefix(args[0], "-")) {
			t.Fatalf("%q has the URL %q", args, v.Arg("URL"))
		}
	})
}
