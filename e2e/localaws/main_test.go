package localaws_test

import (
	"testing"

	"github.com/pgseal/pgseal/e2e/localaws"
)

func TestMain(m *testing.M) { localaws.Main(m) }
