package tryout

import (
	"fmt"
	"slices"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/endpoint"
)

// Find finds the endpoint that a request is for, and the token behind its path: that of a name, NAME or NAMESPACE/NAME, or, where name is
// empty, that of the request's path, or the only one.
func Find(cfg *config.Config, table *endpoint.Table, name, path string) (*config.Endpoint, *endpoint.Endpoint, string, error) {
	e, token := table.Lookup(path)
	wanted := name
	if name == "" && e != nil {
		wanted = e.Name()
	}
	if wanted == "" && len(cfg.Endpoints) == 1 {
		wanted = fullName(&cfg.Endpoints[0])
	}
	spec, err := named(cfg, wanted)
	if err != nil {
		return nil, nil, "", err
	}
	if e != nil && e.Name() == fullName(spec) {
		return spec, e, token, nil
	}
	for other := range table.All() {
		if other.Name() == fullName(spec) {
			return spec, other, "", nil
		}
	}
	return nil, nil, "", fmt.Errorf("endpoint %q cannot work", wanted)
}

// named finds the one endpoint of a name; no name is that of none.
func named(cfg *config.Config, name string) (*config.Endpoint, error) {
	var known []string
	var found []*config.Endpoint
	for i := range cfg.Endpoints {
		e := &cfg.Endpoints[i]
		known = append(known, fullName(e))
		if name == fullName(e) || name == e.Name {
			found = append(found, e)
		}
	}
	slices.Sort(known)
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return nil, fmt.Errorf("there are several endpoints %q: say NAMESPACE/NAME", name)
	case name == "":
		return nil, fmt.Errorf("no endpoint has the path of the request; name one with --endpoint: %v", known)
	default:
		return nil, fmt.Errorf("no endpoint %q; there are: %v", name, known)
	}
}

func fullName(e *config.Endpoint) string { return config.QualifiedName(e.Namespace, e.Name) }
