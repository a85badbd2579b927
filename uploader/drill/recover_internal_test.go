package drill

import (
	"errors"
	"testing"
)

// A connection that cannot be tried is no server that is still starting.
func TestAConnectionThatCannotBeTriedEndsTheDrill(t *testing.T) {
	t.Setenv("PGSERVICE", "nobody-knows")
	t.Setenv("PGSERVICEFILE", "/nonexistent")
	h := &held{Config: Config{User: "postgres"}, scratch: &scratch{dir: t.TempDir()}}
	if _, err := h.connect(t.Context(), "template1"); !errors.Is(err, ErrConnect) {
		t.Error(err)
	}
}
