package httpsink

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/sinktest"
)

// TestTheStatusLineDecides has destinations that answer and do not stop, or stop too early. Nobody waits for what follows the
// status line.
func TestTheStatusLineDecides(t *testing.T) {
	t.Parallel()
	bodies := map[string]func(http.ResponseWriter){
		"a length that never comes": func(w http.ResponseWriter) { w.Header().Set("Content-Length", "1000") },
		"no end, slowly":            func(http.ResponseWriter) {},
		"no end, fast":              func(http.ResponseWriter) {},
	}
	for name, prepare := range bodies {
		for _, status := range []int{200, 202, 400, 429, 503} {
			t.Run(fmt.Sprintf("%d, %s", status, name), func(t *testing.T) {
				t.Parallel()
				d := newDestination(t)
				ended := make(chan struct{})
				t.Cleanup(func() { close(ended) })
				d.answer(func(w http.ResponseWriter, r *http.Request) {
					prepare(w)
					w.WriteHeader(status)
					fmt.Fprint(w, "because")
					_ = http.NewResponseController(w).Flush()
					if !strings.HasSuffix(name, "fast") {
						select { // the connection goes when nobody reads on
						case <-r.Context().Done():
						case <-ended:
						}
						return
					}
					for r.Context().Err() == nil {
						if _, err := fmt.Fprint(w, strings.Repeat(".", 1<<10)); err != nil {
							return
						}
					}
				})
				s, err := newSink([]byte(settingsFor(d.URL, modeStructured)), sink.Environment{}, clock)
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close() //nolint:errcheck // it returns nil
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				err = s.Send(ctx, sinktest.Batch(0, 1))
				switch {
				case ctx.Err() != nil:
					t.Errorf("Send waited for the rest: %v", err)
				case (err == nil) != (status < 300) || sink.IsPermanent(err) != (status == 400):
					t.Errorf("Send = %v after %d", err, status)
				case err != nil && !strings.Contains(err.Error(), "because"):
					t.Errorf("error %q has nothing of the reason", err)
				}
			})
		}
	}
}

// TestARedirectSaysWhereItLeads has the host told, and nothing that may be a credential.
func TestARedirectSaysWhereItLeads(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ location, want string }{
		"elsewhere":     {"https://user:secret@new.example.com:8443/events/secret?key=secret#secret", "this one leads to https://new.example.com:8443"},
		"other scheme":  {"//other.example.com/secret", "this one leads to http://other.example.com"},
		"same host":     {"/events/secret", "this one leads to http://127.0.0.1"},
		"no location":   {"", "redirects are not followed"},
		"not a URL":     {"http://[secret", "redirects are not followed"},
		"other address": {"mailto:secret@example.com", "redirects are not followed"},
		"long":          {"http://" + strings.Repeat("a", 1000) + ".example.com", strings.Repeat("a", 100)},
	} {
		d := newDestination(t)
		d.answer(func(w http.ResponseWriter, _ *http.Request) {
			if tc.location != "" {
				w.Header().Set("Location", tc.location)
			}
			w.WriteHeader(http.StatusPermanentRedirect)
		})
		err := send(t, d.URL, modeStructured, sinktest.Message(0))
		if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "secret") || len(err.Error()) > 400 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOnlyWithoutAConnectionIsTheDestinationAway tells failures that the events may be the cause of from others.
func TestOnlyWithoutAConnectionIsTheDestinationAway(t *testing.T) {
	t.Parallel()
	closed := newDestination(t)
	closed.Close()
	resets := newDestination(t)
	resets.answer(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	hangs := newDestination(t)
	hangs.answer(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	failing := newDestination(t)
	failing.answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	for name, tc := range map[string]struct {
		url  string
		away bool
	}{
		"refused":             {closed.URL, true},
		"no such name":        {"http://no-such-host.invalid", true},
		"guarded":             {"http://169.254.169.254", true},
		"no TLS there":        {strings.Replace(failing.URL, "http:", "https:", 1), true},
		"reset after sending": {resets.URL, false},
		"no answer in time":   {hangs.URL, false},
		"an answer":           {failing.URL, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := newSink([]byte(settingsFor(tc.url, modeStructured)), sink.Environment{}, clock)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close() //nolint:errcheck // it returns nil
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			if err := s.Send(ctx, sinktest.Batch(0, 1)); err == nil || sink.IsUnreachable(err) != tc.away || sink.IsPermanent(err) {
				t.Errorf("Send = %v, away %t, want %t", err, sink.IsUnreachable(err), tc.away)
			} else if name == "no answer in time" && !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Send = %v", err)
			}
		})
	}
}
