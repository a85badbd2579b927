// Package clouds has the three local clouds with the built function of each, so that a story can be told once and holds
// everywhere:
//
//	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
//		c := k.Start(t, cloud.Config{VaultRetention: 24 * time.Hour})
//		fn := c.Deploy(t)
//		...
//	})
package clouds

import (
	"context"
	"testing"
	"time"

	"github.com/pgseal/pgseal/e2e/cloud"
)

// Kind is one of the clouds.
type Kind struct {
	Name string
	// Provider is barman's name for it, of --cloud-provider.
	Provider string
	// Versions tells whether an overwrite in the locked vault makes a version, or is refused.
	Versions bool
	// Ways are those by which an event reaches the function; the first is the plainest, the last the one that a
	// deployment uses.
	Ways []cloud.Way
	// ObjectLocks tells whether an object can be locked for longer than its neighbours.
	ObjectLocks bool
	// Memory is what the function is given, in bytes.
	Memory int64
	// Tries is how often the driver sends a request before it gives up.
	Tries int
	// Wrong is what an environment needs besides to have credentials that the store does not know.
	Wrong func(s cloud.Store) []string
	// Address is the store's host and port, as they stand in URLs and environments.
	Address func(s cloud.Store) string
	// Stock are the flags with which stock barman-cloud reads this store; nil where no such barman can be had.
	Stock func(s cloud.Store) []string

	start   func(t testing.TB, c cloud.Config) cloud.Store
	deploy  func(t testing.TB, wrap Wrap, env []string) cloud.Function
	connect func(t testing.TB, s cloud.Store, fn cloud.Function, again time.Duration) Trigger
}

// Wrap makes, of the path of a program, a shell script that starts it.
type Wrap func(program string) (script string)

// Trigger brings markers to a function as a deployment does: through a queue that delivers again what failed.
type Trigger interface {
	// Settle waits until nothing is waiting or under way.
	Settle(ctx context.Context) error
	// Dead counts what was given up.
	Dead() int
}

// All are the clouds.
func All() []Kind { return []Kind{AWS, GCP, Azure} }

// Each runs a test for every cloud, all at the same time.
func Each(t *testing.T, run func(t *testing.T, k Kind)) {
	t.Parallel()
	for _, k := range All() {
		t.Run(k.Name, func(t *testing.T) {
			t.Parallel()
			run(t, k)
		})
	}
}

// EachVersioned is Each for the clouds where an overwrite makes a version: of versions and delete markers.
func EachVersioned(t *testing.T, run func(t *testing.T, k Kind)) {
	Each(t, func(t *testing.T, k Kind) {
		if k.Versions {
			run(t, k)
		}
	})
}

// Cloud is a local cloud that has been started.
type Cloud struct {
	Kind
	cloud.Store
}

// Start starts one that ends with the test.
func (k Kind) Start(t testing.TB, c cloud.Config) *Cloud {
	t.Helper()
	return &Cloud{k, k.start(t, c)}
}

// In is a store of this kind that somebody else has started.
func (k Kind) In(store cloud.Store) *Cloud { return &Cloud{k, store} }

// Settings are the environment of a finalizer there; more comes after its two places, and overrides.
func (c *Cloud) Settings(more ...string) []string {
	env := append(c.Env(cloud.Finalizer), "PGSEAL_VAULT_URL="+c.VaultURL(), "PGSEAL_STAGING_URL="+c.StagingURL())
	return append(env, more...)
}

// Deploy deploys the built function with those settings until the test ends.
func (c *Cloud) Deploy(t testing.TB, more ...string) cloud.Function {
	t.Helper()
	return c.deploy(t, nil, c.Settings(more...))
}

// DeployProgram deploys a script in the function's place, which starts the built function.
func (c *Cloud) DeployProgram(t testing.TB, wrap Wrap, more ...string) cloud.Function {
	t.Helper()
	return c.deploy(t, wrap, c.Settings(more...))
}

// Connect lets markers wake the function until the test ends; what fails is delivered again after a while.
func (c *Cloud) Connect(t testing.TB, fn cloud.Function, again time.Duration) Trigger {
	t.Helper()
	return c.connect(t, c.Store, fn, again)
}
