package intake

import (
	"github.com/mailvane/mailvane/receiver/endpoint"
	"github.com/mailvane/mailvane/receiver/metrics"
)

// site is an endpoint with what only HTTP asks of it.
type site struct {
	*endpoint.Endpoint

	metrics     *metrics.Endpoint
	inFlight    account // of the budget, and locked with it
	undecided   sparing // what is logged of requests whose authenticity could not be decided
	unstored    sparing // and of those that could not be stored
	unconfirmed sparing // and of those that ask for a call that failed, or that a person must make
	confirmed   sparing
}

// sites are the endpoints of one table.
type sites struct {
	table *endpoint.Table
	all   map[*endpoint.Endpoint]*site
}

func newSites(t *endpoint.Table) *sites {
	s := &sites{table: t, all: map[*endpoint.Endpoint]*site{}}
	for e := range t.All() {
		s.all[e] = &site{Endpoint: e, metrics: e.Metrics()}
	}
	return s
}

// lookup finds the endpoint of a URL path; see [endpoint.Table.Lookup].
func (s *sites) lookup(path string) (e *site, token string) {
	found, token := s.table.Lookup(path)
	return s.all[found], token
}
