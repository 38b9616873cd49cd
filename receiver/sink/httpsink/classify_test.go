package httpsink

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/sinktest"
)

func TestStatusClasses(t *testing.T) {
	t.Parallel()
	permanent := map[int]bool{
		400: true, 405: true, 406: true, 409: true, 410: true, 411: true, 412: true, 413: true, 414: true, 415: true, 416: true,
		417: true, 418: true, 422: true, 424: true, 426: true, 428: true, 431: true, 451: true, 501: true, 505: true,
	}
	d := newDestination(t)
	for status := 200; status < 600; status++ {
		if status != 304 && http.StatusText(status) == "" {
			continue
		}
		d.answer(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		})
		err := send(t, d.URL, modeStructured, sinktest.Message(1))
		switch {
		case status < 300 && err != nil:
			t.Errorf("%d: %v", status, err)
		case status >= 300 && err == nil:
			t.Errorf("%d is taken for success", status)
		case sink.IsPermanent(err) != permanent[status]:
			t.Errorf("%d: permanent = %t, want %t", status, sink.IsPermanent(err), permanent[status])
		case err != nil && !strings.Contains(err.Error(), fmt.Sprint(status)):
			t.Errorf("%d: error %q does not name the status", status, err)
		case status >= 300 && status < 400 && !strings.Contains(err.Error(), "redirects are not followed"):
			t.Errorf("%d: error %q does not say that redirects are not followed", status, err)
		}
	}
	for _, r := range d.requests {
		if r.URL.Path != "/" {
			t.Errorf("a redirect to %s was followed", r.URL)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		value string
		want  time.Duration
	}{
		"seconds":         {"120", 2 * time.Minute},
		"fraction":        {"1.5", 2 * time.Second},
		"no fraction":     {"9.0", 9 * time.Second},
		"list":            {"9, 9", 9 * time.Second},
		"unequal list":    {"1,20 , soon", 20 * time.Second},
		"RFC 850":         {clock().Add(time.Hour).Format("Monday, 02-Jan-06 15:04:05 GMT"), time.Hour},
		"asctime":         {clock().Add(time.Hour).Format(time.ANSIC), time.Hour},
		"zone in digits":  {clock().Add(time.Hour).In(time.FixedZone("", 7200)).Format(time.RFC1123Z), time.Hour},
		"plus":            {"+9", 0},
		"hexadecimal":     {"0x9", 0},
		"exponent":        {"9e0", 0},
		"two points":      {"1.2.3", 0},
		"other digits":    {"９", 0},
		"date":            {clock().Add(time.Hour).Format(http.TimeFormat), time.Hour},
		"past date":       {clock().Add(-time.Hour).Format(http.TimeFormat), 0},
		"none":            {"", 0},
		"zero":            {"0", 0},
		"negative":        {"-5", 0},
		"words":           {"soon", 0},
		"largest int64":   {"9223372036854775807", 1<<63 - 1},
		"beyond int64":    {"99999999999999999999999999", 1<<63 - 1},
		"just too large":  {"9223372037", 1<<63 - 1},
		"far future date": {"Fri, 31 Dec 9999 23:59:59 GMT", 1<<63 - 1},
	}
	d := newDestination(t)
	for name, test := range tests {
		for _, status := range []int{429, 503} {
			d.answer(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", test.value)
				w.WriteHeader(status)
			})
			err := send(t, d.URL, modeStructured, sinktest.Message(1))
			if got := sink.RetryAfter(err); got != test.want || sink.IsPermanent(err) {
				t.Errorf("%s after %d: wait %v, want %v (%v)", name, status, got, test.want, err)
			}
		}
	}
}

// TestTheLongestRetryAfterCounts has a proxy add its own header.
func TestTheLongestRetryAfterCounts(t *testing.T) {
	t.Parallel()
	d := newDestination(t)
	d.answer(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Retry-After"] = []string{"1", "9"}
		w.WriteHeader(http.StatusTooManyRequests)
	})
	if got := sink.RetryAfter(send(t, d.URL, modeStructured, sinktest.Message(1))); got != 9*time.Second {
		t.Errorf("wait %v, want 9s", got)
	}
}

func TestReasonIsShortAndPrintable(t *testing.T) {
	t.Parallel()
	d := newDestination(t)
	d.answer(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnprocessableEntity)
		fmt.Fprint(w, "no such\r\n\tfield \x1b[31mred\x00 \xff ", strings.Repeat("é", 300))
	})
	err := send(t, d.URL, modeStructured, sinktest.Message(1))
	_, reason, _ := strings.Cut(err.Error(), "Unprocessable Entity: ")
	if !strings.HasPrefix(reason, "no such field [31mred é") || len(reason) > maxReasonBytes {
		t.Errorf("reason = %q of %d bytes", reason, len(reason))
	}
}

func TestConnectionsAreReused(t *testing.T) {
	t.Parallel()
	d := newDestination(t)
	s, err := newSink([]byte(settingsFor(d.URL, modeStructured)), sink.Environment{}, clock)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // it returns nil
	for n, status := range []int{200, 202, 500, 429, 301, 400, 200} {
		d.answer(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			fmt.Fprint(w, strings.Repeat("x", 10_000))
		})
		_ = s.Send(t.Context(), sinktest.Batch(n, 1)) // the class is not what is tested
	}
	if conns := d.conns.Load(); conns != 1 {
		t.Errorf("%d connections, want 1", conns)
	}
}
