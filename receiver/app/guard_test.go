package app_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/app"
)

// TestASinkReachesNothingOnItsReceiversMachine has a sink that names a service on the machine of the receiver, with the flags of a receiver in a
// cluster and with those that allow it. Whoever may write an EventSink has no business there: such services may trust their neighbours.
func TestASinkReachesNothingOnItsReceiversMachine(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		flags  []string
		arrive bool
	}{
		"as in a cluster": {nil, false},
		"by the word":     {[]string{"--allow-sink-addresses=192.0.2.0/24," + app.OwnAddresses}, true},
		"by its range":    {[]string{"--allow-sink-addresses=127.0.0.0/8"}, true},
		"another range":   {[]string{"--allow-sink-addresses=10.0.0.0/8"}, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			neighbour := newDestination(t)
			r := startFlagged(t, append(tc.flags, "--admin-listen=127.0.0.1:0", "--admin-tokens="+tokens(t), "--flush-timeout=0")...)
			r.apply(configuration(httpSink("crm", neighbour.URL)))
			if status := r.post("a@example.com"); status != http.StatusOK {
				t.Fatalf("answer %d", status)
			}
			eventually(t, "the sink has been tried", func() bool {
				s := r.onlySink()
				return s.LastError != "" || s.Pending == 0
			})
			if arrived := neighbour.has("a@example.com"); arrived != tc.arrive {
				t.Errorf("arrived: %v", arrived)
			}
			if text := r.onlySink().LastError; !tc.arrive && !strings.Contains(text, "127.0.0.1 is the receiver's own and is not allowed") {
				t.Errorf("the sink says %q", text)
			}
		})
	}
}

// startFlagged starts a receiver with a journal of its own, as a program with these flags does.
func startFlagged(t *testing.T, flags ...string) *receiver {
	t.Helper()
	instance, err := openOnly(t, parse(t, flags...))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- instance.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return &receiver{
		Receiver: instance.Receiver, t: t, url: "http://" + instance.Address(), back: instance.AdminAddress(),
		client: adminOf(instance.AdminAddress()), httpClient: &http.Client{Timeout: time.Minute},
	}
}

// onlySink returns what the admin API says of the one sink.
func (r *receiver) onlySink() admin.Sink {
	r.t.Helper()
	sinks, err := r.client.Sinks(r.t.Context())
	if err != nil || len(sinks) != 1 {
		r.t.Fatalf("%v, %v", sinks, err)
	}
	return sinks[0]
}
