// Package checks asks the parts of the receiver whether they can work with a configuration, so that what passes here can be
// loaded there.
package checks

import (
	"fmt"
	"time"

	"github.com/mailvane/mailvane/controllers/render"
	"github.com/mailvane/mailvane/internal/catalogue"
	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/event/filter"
	"github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/settings/builtin"
)

// New returns the checks of this release. files is the folder for File sinks, "" = there is none, and such sinks are refused.
func New(files string) (render.Checks, error) {
	filters, err := filter.NewCompiler()
	if err != nil {
		return render.Checks{}, err
	}
	return render.Checks{
		Filter: func(expression string) error { return filters.Check(expression, providerTypes()) },
		Provider: func(p config.Plugin) error {
			return check("provider", builtin.Providers(), p, settings.Environment{})
		},
		Sink: func(p config.Plugin) error {
			return check("sink", builtin.Sinks(), p, settings.Environment{Now: time.Now(), FileSinks: files != ""})
		},
	}, nil
}

func providerTypes() []string {
	known := catalogue.Providers()
	types := make([]string, 0, len(known))
	for i := range known {
		types = append(types, known[i].Type)
	}
	return types
}

// check checks the settings of a provider or sink.
func check(what string, known []builtin.Check, p config.Plugin, env settings.Environment) error {
	c, ok := builtin.Lookup(known, p.Type)
	if !ok {
		return fmt.Errorf("this release knows no %s %q", what, p.Type)
	}
	return c.Validate(p.Settings, env)
}
