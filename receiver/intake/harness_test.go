package intake_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/go-json-experiment/json"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/mailvane/mailvane/internal/simulate"
	"github.com/mailvane/mailvane/internal/simulate/emailengine"
	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/endpoint"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/event/filter"
	"github.com/mailvane/mailvane/receiver/intake"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded"
	"github.com/mailvane/mailvane/receiver/metrics"
	"github.com/mailvane/mailvane/receiver/netrange"
	"github.com/mailvane/mailvane/receiver/provider"
	providers "github.com/mailvane/mailvane/receiver/provider/builtin"
)

const secret = "0123456789abcdef0123456789abcdef"

// front is an intake with a real journal and one or more endpoints.
type front struct {
	t       *testing.T
	handler *intake.Handler
	journal *embedded.Journal
	table   *endpoint.Table
	metrics *metrics.Metrics
	// gathered is where the metrics are read.
	gathered *prometheus.Registry
}

// events returns how many events of an endpoint were counted with an outcome.
func (f *front) events(endpoint, outcome string) (count int) {
	f.t.Helper()
	families, err := f.gathered.Gather()
	if err != nil {
		f.t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if family.GetName() == "mailvane_events_total" && labels["endpoint"] == endpoint && labels["outcome"] == outcome {
				count += int(m.GetCounter().GetValue())
			}
		}
	}
	return count
}

// counts returns what was counted of an endpoint.
func (f *front) counts(name string) metrics.Counts {
	f.t.Helper()
	all, err := f.metrics.Counts()
	if err != nil {
		f.t.Fatal(err)
	}
	return all[name]
}

// emailEngine returns an EmailEngine endpoint at /hooks/mail/ee with one route that takes everything.
func emailEngine(change func(*config.Endpoint)) config.Endpoint {
	e := config.Endpoint{
		Namespace: "mail", Name: "ee", Path: "/hooks/mail/ee",
		Provider:     config.Plugin{Type: "EmailEngine", Settings: []byte(`{"serviceSecrets":["` + secret + `"]}`)},
		Verification: config.Enforce, State: config.Active, MaxBodyBytes: 1 << 20,
		Routes: []config.Route{{Name: "all", Sink: "crm"}},
	}
	if change != nil {
		change(&e)
	}
	return e
}

func newFront(t *testing.T, endpoints ...config.Endpoint) *front {
	t.Helper()
	return newFrontWith(t, intake.Options{}, endpoints...)
}

func newFrontWith(t *testing.T, o intake.Options, endpoints ...config.Endpoint) *front {
	t.Helper()
	j, err := embedded.Open(embedded.Options{Dir: "journal", FS: vfs.NewMem(), MinFreeBytes: -1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	f := &front{t: t, journal: j}
	f.gathered = prometheus.NewRegistry()
	f.metrics = metrics.New(f.gathered)
	o.Metrics = f.metrics
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Journal == nil {
		o.Journal = j
	}
	f.handler = intake.NewHandler(o)
	f.table = compile(t, o.Metrics, endpoints...)
	f.handler.Swap(f.table)
	return f
}

// swap makes the endpoints those of a configuration that is loaded now.
func (f *front) swap(endpoints ...config.Endpoint) {
	f.t.Helper()
	f.table = compile(f.t, metrics.New(prometheus.NewRegistry()), endpoints...)
	f.handler.Swap(f.table)
}

func compile(t testing.TB, m *metrics.Metrics, endpoints ...config.Endpoint) *endpoint.Table {
	t.Helper()
	table, err := newCompiler(t, m).Compile(&config.Config{Version: config.Version, Endpoints: endpoints})
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func tryCompile(t *testing.T, endpoints ...config.Endpoint) error {
	t.Helper()
	_, err := newCompiler(t, metrics.New(prometheus.NewRegistry())).Compile(&config.Config{Version: config.Version, Endpoints: endpoints})
	return err
}

func newCompiler(t testing.TB, m *metrics.Metrics) *endpoint.Compiler {
	t.Helper()
	filters, err := filter.NewCompiler()
	if err != nil {
		t.Fatal(err)
	}
	return &endpoint.Compiler{Lookup: providers.Lookup, Filters: filters, Metrics: m}
}

// sample returns a documented request of a provider, with its documented signature.
func sample(t testing.TB, providerType, name, path string) *http.Request {
	t.Helper()
	vendor, ok := simulate.Lookup(providerType)
	if !ok {
		t.Fatalf("no provider %s", providerType)
	}
	samples, err := vendor.Samples()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(samples, func(s simulate.Sample) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("no sample %s", name)
	}
	r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(samples[i].Body))
	r.Header = samples[i].Header
	return r
}

// signed returns a body signed as EmailEngine signs.
func signed(t *testing.T, path, body string) *http.Request {
	t.Helper()
	p := &provider.Request{Header: http.Header{}, Body: []byte(body), ReceivedAt: time.Now()}
	if err := emailengine.Sign([]byte(`{"serviceSecrets":["`+secret+`"]}`), nil, p); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header = p.Header
	return r
}

// answer is what the intake said.
type answer struct {
	status int
	header http.Header
	body   string

	Accepted, Duplicates, DeadLettered, Refused int
}

func (f *front) do(r *http.Request) answer {
	f.t.Helper()
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r)
	a := answer{status: w.Code, header: w.Header(), body: w.Body.String()}
	if a.status == http.StatusOK && r.Method == http.MethodPost {
		if err := json.Unmarshal(w.Body.Bytes(), &a, json.MatchCaseInsensitiveNames(true)); err != nil {
			f.t.Fatalf("answer %q: %v", a.body, err)
		}
	}
	return a
}

// owed returns the events that a sink of the namespace "mail" is owed.
func (f *front) owed(name string) []event.Event {
	f.t.Helper()
	var out []event.Event
	for f.journal.Stats().Pending["mail/"+name] > int64(len(out)) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		deliveries, err := f.journal.Queue("mail/"+name).Fetch(ctx, journal.Limit{Events: 20_000})
		cancel()
		if err != nil {
			f.t.Fatal(err)
		}
		for _, d := range deliveries {
			envelope, err := event.ParseEnvelope(d.Payload)
			if err != nil {
				f.t.Fatal(err)
			}
			ev, err := envelope.Event()
			if err != nil {
				f.t.Fatal(err)
			}
			out = append(out, ev)
		}
	}
	return out
}

func (f *front) deadLetters() []journal.DeadLetter {
	f.t.Helper()
	listed, err := f.journal.DeadLetters().List(context.Background(), 0, 1000)
	if err != nil {
		f.t.Fatal(err)
	}
	for i := range listed {
		if listed[i], err = f.journal.DeadLetters().Get(context.Background(), listed[i].ID); err != nil {
			f.t.Fatal(err)
		}
	}
	return listed
}

func prefixes(t *testing.T, ranges ...string) []netip.Prefix {
	t.Helper()
	out, err := netrange.Parse(ranges)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
