package intake

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mailvane/mailvane/receiver/metrics"
)

func TestAccountAdmits(t *testing.T) {
	t.Parallel()
	const limit = 800
	small := func(n int64) holding { return holding{bytes: n} }
	large := func(n int64) holding { return holding{bytes: n, large: true} }
	for name, c := range map[string]struct {
		held     account
		from, to holding
		want     bool
	}{
		"the first":            {account{}, holding{}, large(100), true},
		"alone, however large": {account{large: 700}, large(700), large(9000), true},
		"alone among large ones, beside small ones":       {account{small: 300}, holding{}, large(9000), true},
		"large, within seven eighths":                     {account{large: 600}, holding{}, large(100), true},
		"large, into the last eighth":                     {account{large: 600}, holding{}, large(101), false},
		"large, into what small ones hold":                {account{small: 500, large: 100}, holding{}, large(101), false},
		"small, into the last eighth":                     {account{large: 700}, holding{}, small(100), true},
		"small, where a large one holds more than all":    {account{large: 9000}, holding{}, small(100), true},
		"small, within the lane, where all is taken":      {account{small: 50, large: 9000}, holding{}, small(50), true},
		"small, beyond the lane, where all is taken":      {account{small: 51, large: 9000}, holding{}, small(50), false},
		"small, beyond the lane, where there is room":     {account{small: 500, large: 200}, holding{}, small(100), true},
		"small, larger than the lane, alone in it":        {account{large: 700}, holding{}, small(500), true},
		"small, grows within all":                         {account{small: 700, large: 50}, small(100), small(150), true},
		"small that becomes large, within seven eighths":  {account{small: 100, large: 500}, small(100), large(200), true},
		"small that becomes large, into the last eighth":  {account{small: 100, large: 500}, small(100), large(201), false},
		"large that stays alone, beside what it was once": {account{small: 700}, small(100), large(9000), true},
	} {
		if got := c.held.admits(c.from, c.to, limit); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestABudgetBalances makes, grows and releases reservations at random. What is held is what they hold, and nothing in the end.
func TestABudgetBalances(t *testing.T) {
	t.Parallel()
	m := metrics.New(prometheus.NewRegistry())
	b := newBudget(1<<20, m)
	endpoints := []*site{{metrics: m.Endpoint("mail/a")}, {metrics: m.Endpoint("mail/b")}}
	clients := []netip.Addr{{}, netip.MustParseAddr("203.0.113.1"), netip.MustParseAddr("203.0.113.2")}
	random := rand.New(rand.NewPCG(1, 2))
	var live []*reservation
	for range 20_000 {
		i := random.IntN(len(live) + 1)
		switch {
		case i == len(live) && i < 50:
			live = append(live, &reservation{budget: &b, endpoint: endpoints[random.IntN(2)], client: clients[random.IntN(3)]})
		case i == len(live):
		case random.IntN(4) == 0:
			live[i].release()
			live[i] = live[len(live)-1]
			live = live[:len(live)-1]
		case random.IntN(8) == 0:
			live[i].arrived()
		default:
			live[i].grow(random.Int64N(300 << 10))
		}
		balanced(t, &b, endpoints, live)
	}
	for _, r := range live {
		r.release()
	}
	if b.all != (account{}) || endpoints[0].inFlight != (account{}) || endpoints[1].inFlight != (account{}) || len(b.clients) != 0 {
		t.Errorf("in the end %+v, %+v, %+v and %v are held", b.all, endpoints[0].inFlight, endpoints[1].inFlight, b.clients)
	}
}

func balanced(t *testing.T, b *budget, endpoints []*site, live []*reservation) {
	t.Helper()
	var all account
	byEndpoint, byClient := map[*site]account{}, map[netip.Addr]account{}
	for _, r := range live {
		all = all.moved(holding{}, r.held)
		byEndpoint[r.endpoint] = byEndpoint[r.endpoint].moved(holding{}, r.held)
		if r.client.IsValid() {
			byClient[r.client] = byClient[r.client].moved(holding{}, r.held)
		}
	}
	if all != b.all {
		t.Fatalf("%+v are counted, %+v are held", b.all, all)
	}
	for _, e := range endpoints {
		if e.inFlight != byEndpoint[e] {
			t.Fatalf("of an endpoint %+v are counted, %+v are held", e.inFlight, byEndpoint[e])
		}
	}
	for client, held := range byClient {
		if b.clients[client] != held {
			t.Fatalf("of %v %+v are counted, %+v are held", client, b.clients[client], held)
		}
	}
}
