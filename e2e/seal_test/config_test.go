package seal_test

import (
	"testing"

	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
)

// A function that is set up wrongly finalizes nothing, and its log names the variable.
func TestSettingsThatCannotBe(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		s := begin(t, k, locked)
		e := s.backup("main").mark(t)
		for _, env := range [][2]string{
			{"PGSEAL_VAULT_URL", ""}, {"PGSEAL_STAGING_URL", ""},
			{"PGSEAL_VAULT_URL", "file:///vault"}, {"PGSEAL_VAULT_URL", s.VaultURL() + "/../x"}, {"PGSEAL_STAGING_URL", s.StagingURL() + "/../x"},
			{"PGSEAL_STAGING_URL", s.VaultURL()}, {"PGSEAL_STAGING_URL", s.VaultURL() + "/staging"},
			{"PGSEAL_WAL_CHECK", "sometimes"}, {"PGSEAL_WAL_CHECK", "off,x y=require"},
			{"PGSEAL_WAL_DEADLINE", "soon"}, {"PGSEAL_WAL_DEADLINE", "0s"}, {"PGSEAL_MIN_RETENTION", "-1h"}, {"PGSEAL_MIN_RETENTION", "30"},
			{"PGSEAL_DEADLINE", "1s"},
		} {
			fn := s.Deploy(t, env[0]+"="+env[1])
			if err := fn.Deliver(t.Context(), s.direct(), e); err == nil {
				t.Errorf("%q: the function is content", env)
			}
			says(t, fn, "the function cannot start", env[0])
			fn.Close()
		}
	})
}

// Rights that are missing are told as what they are, and no verdict is made of them.
func TestRightsThatAreMissing(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		rights := []cloud.Right{cloud.ToRead, cloud.ToList, cloud.ToCreate}
		if k.Name == "AWS" { // the others know no rights of their own for versions
			rights = append(rights, cloud.ToListVersions, cloud.ToReadVersions)
		}
		for _, right := range rights {
			t.Run(string(right), func(t *testing.T) {
				t.Parallel()
				s := begin(t, k, locked)
				restore := s.deny(t, right, "*")
				b := s.uploaded(t, "main")
				e := b.mark(t)
				s.fails(t, s.wake(t, s.direct(), e), "AccessError")
				b.isNotSealed(t, want{})
				restore()
				if err := s.wake(t, s.direct(), e); err != nil {
					t.Fatal(err)
				}
				b.isSealed(t)
			})
		}
	})
}
