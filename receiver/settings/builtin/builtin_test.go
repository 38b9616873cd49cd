package builtin_test

import (
	"testing"

	"github.com/mailvane/mailvane/internal/catalogue"
	"github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/settings/builtin"
)

func TestEverySinkIsChecked(t *testing.T) {
	t.Parallel()
	for _, s := range catalogue.Sinks() {
		check, ok := builtin.Lookup(builtin.Sinks(), s.Type)
		if !ok || check.Validate == nil {
			t.Errorf("the settings of %s are not checked", s.Type)
			continue
		}
		if err := check.Validate([]byte(`{"nobodyKnowsThis":1}`), settings.Environment{FileSinks: true}); err == nil {
			t.Errorf("%s accepts what is none of its settings", s.Type)
		}
		if err := check.Validate([]byte(`{}`), settings.Environment{FileSinks: true}); (err == nil) != s.Bare {
			t.Errorf("%s without settings: %v", s.Type, err)
		}
	}
	if _, ok := builtin.Lookup(builtin.Sinks(), "Nowhere"); ok {
		t.Error("Lookup finds what is not there")
	}
}
