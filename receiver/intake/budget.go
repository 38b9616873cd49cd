package intake

import (
	"net/netip"
	"sync"

	"github.com/mailvane/mailvane/receiver/metrics"
)

// budget bounds the bytes in flight of one handler: of all requests, of those of each endpoint, and of the bodies that are just
// arriving from each client. What counts is what is there, never what was announced.
type budget struct {
	max     int64
	metrics *metrics.Metrics

	mu      sync.Mutex
	all     account
	clients map[netip.Addr]account // of those that hold something
}

func newBudget(limit int64, m *metrics.Metrics) budget {
	return budget{max: limit, metrics: m, clients: map[netip.Addr]account{}}
}

// account is the bytes that requests hold of one share, small requests and large ones told apart.
type account struct{ small, large int64 } //nolint:recvcheck // lane points into the account, all else takes a value

// holding is the part of an account that one request has.
type holding struct {
	bytes int64
	large bool
}

func (a *account) lane(h holding) *int64 {
	if h.large {
		return &a.large
	}
	return &a.small
}

// moved returns the account after a request goes from one holding to another.
func (a account) moved(from, to holding) account {
	*a.lane(from) -= from.bytes
	*a.lane(to) += to.bytes
	return a
}

// admits reports whether a request may go from one holding to another, of a share of limit bytes. A request is admitted however large
// it is while it is the only one in its lane: its own bound is the endpoint's maxBodySize.
func (a account) admits(from, to holding, limit int64) bool {
	after := a.moved(from, to)
	lane, total, kept := *after.lane(to), after.small+after.large, limit/laneDivisor
	if to.large {
		return lane == to.bytes || total <= limit-kept
	}
	return lane == to.bytes || lane <= kept || total <= limit
}

// admission is the outcome of asking a budget for bytes.
type admission int

const (
	admitted admission = iota
	clientBusy
	endpointBusy
	receiverBusy
)

// problem returns the answer to what was not admitted.
func (a admission) problem() *problem {
	switch a {
	case clientBusy, endpointBusy:
		return busyEndpoint()
	default:
		return unavailable("receiver-busy", "Too many bytes are in flight. Retry later.", retryAfterBusy)
	}
}

// reservation is the part of a budget that one request holds: its body as it arrives, and what is made of it.
type reservation struct {
	budget   *budget
	endpoint *site
	held     holding
	// client is who sends the body, while it arrives and where clients can be told apart.
	client netip.Addr
	// whole says that the body is there.
	whole bool
}

// grow makes the reservation n bytes large; it never becomes smaller. What is refused changes nothing.
func (r *reservation) grow(n int64) admission {
	if n <= r.held.bytes {
		return admitted
	}
	b, to := r.budget, r.holding(n)
	b.mu.Lock()
	defer b.mu.Unlock()
	if a := r.judge(to); a != admitted {
		return a
	}
	r.move(to)
	return admitted
}

// holding returns what a reservation of n bytes is.
func (r *reservation) holding(n int64) holding {
	small := int64(smallBytes)
	if r.whole {
		small *= copiesOfSmall
	}
	return holding{bytes: n, large: r.held.large || n > small}
}

// judge reports whether the reservation may become to, and counts a refusal. The budget is locked.
func (r *reservation) judge(to holding) admission {
	b, m := r.budget, r.endpoint.metrics
	switch {
	case r.client.IsValid() && !b.clients[r.client].admits(r.held, to, b.max/clientShareDivisor):
		m.Limit(metrics.LimitClientShare)
		return clientBusy
	case !r.endpoint.inFlight.admits(r.held, to, b.max/endpointShareDivisor):
		m.Limit(metrics.LimitEndpointShare)
		return endpointBusy
	case !b.all.admits(r.held, to, b.max):
		m.Limit(metrics.LimitInFlightBytes)
		return receiverBusy
	default:
		return admitted
	}
}

// move makes the reservation to. The budget is locked.
func (r *reservation) move(to holding) {
	b := r.budget
	b.all, r.endpoint.inFlight = b.all.moved(r.held, to), r.endpoint.inFlight.moved(r.held, to)
	if r.client.IsValid() {
		b.count(r.client, r.held, to)
	}
	r.held = to
	b.metrics.SetInFlightBytes(b.all.small + b.all.large)
}

// count counts what a client holds. The budget is locked.
func (b *budget) count(client netip.Addr, from, to holding) {
	if after := b.clients[client].moved(from, to); after != (account{}) {
		b.clients[client] = after
	} else {
		delete(b.clients, client)
	}
}

// arrived says that the body is there. It is no longer the client's: how long it takes to store it is not the client's to answer
// for. And a small request may hold copies of its body.
func (r *reservation) arrived() {
	r.whole = true
	if !r.client.IsValid() {
		return
	}
	r.budget.mu.Lock()
	defer r.budget.mu.Unlock()
	r.budget.count(r.client, r.held, holding{})
	r.client = netip.Addr{}
}

// release gives all of the reservation back.
func (r *reservation) release() {
	r.budget.mu.Lock()
	defer r.budget.mu.Unlock()
	r.move(holding{})
}
