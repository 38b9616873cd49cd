// Package checks asks the parts of the receiver whether they can work with a configuration, so that what passes here can be
// loaded there.
package checks

import (
	"fmt"
	"io"
	"time"

	"github.com/mailvane/mailvane/controllers/render"
	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/event/filter"
	"github.com/mailvane/mailvane/receiver/provider"
	providers "github.com/mailvane/mailvane/receiver/provider/builtin"
	"github.com/mailvane/mailvane/receiver/sink"
	sinks "github.com/mailvane/mailvane/receiver/sink/builtin"
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
			kind, ok := providers.Lookup(p.Type)
			if !ok {
				return fmt.Errorf("this release knows no provider %q", p.Type)
			}
			_, err := kind.New(p.Settings, provider.Environment{})
			return err
		},
		Sink: func(p config.Plugin) error {
			return checkSink(p, sink.Environment{Stdout: io.Discard, Files: files, Now: time.Now()})
		},
	}, nil
}

func providerTypes() []string {
	kinds := providers.Kinds()
	types := make([]string, 0, len(kinds))
	for _, kind := range kinds {
		types = append(types, kind.Type)
	}
	return types
}

func checkSink(p config.Plugin, env sink.Environment) error {
	kind, ok := sinks.Lookup(p.Type)
	if !ok {
		return fmt.Errorf("this release knows no sink %q", p.Type)
	}
	destination, err := kind.New(p.Settings, env)
	if err != nil {
		return err
	}
	return destination.Close()
}
