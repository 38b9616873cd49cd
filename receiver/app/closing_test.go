package app_test

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/app"
	"github.com/mailvane/mailvane/receiver/journal/embedded"
)

// TestConnectionsEndBeforeTheReceiverDoes sends over one connection until the receiver is gone. No request may be cut.
func TestConnectionsEndBeforeTheReceiverDoes(t *testing.T) {
	t.Parallel()
	j, err := embedded.Open(embedded.Options{Dir: "journal", FS: vfs.NewMem(), MinFreeBytes: -1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	r, err := app.New(app.Options{Journal: j, Logger: slog.New(slog.DiscardHandler), ShutdownDelay: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Apply(t.Context(), configuration()); err != nil {
		t.Fatal(err)
	}
	webhooks := listen(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Serve(ctx, app.Listeners{Webhooks: webhooks}) }()
	client := &http.Client{Timeout: time.Minute}
	get := func() (closes bool) {
		t.Helper()
		q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+webhooks.Addr().String()+hook, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("answer %d", response.StatusCode)
		}
		return response.Close
	}
	if get() {
		t.Error("a connection is closed although nobody has asked the receiver to stop")
	}
	stop()
	eventually(t, "the receiver is no longer ready", func() bool { return !r.Ready() })
	if !get() {
		t.Error("a connection is kept although the receiver is about to stop")
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
