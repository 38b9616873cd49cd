package simulate_test

import (
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/catalogue"
	"github.com/mailvane/mailvane/internal/simulate"
)

// TestVendorsAreThoseOfTheCatalogue makes sure that each provider can be simulated.
func TestVendorsAreThoseOfTheCatalogue(t *testing.T) {
	t.Parallel()
	var want, got []string
	for _, p := range catalogue.Providers() {
		want = append(want, p.Type)
	}
	for _, v := range simulate.Vendors() {
		got = append(got, v.Type)
		if found, ok := simulate.Lookup(v.Type); !ok || found.Type != v.Type {
			t.Errorf("Lookup(%q) = %q, %v", v.Type, found.Type, ok)
		}
		if samples, err := v.Samples(); err != nil || len(samples) == 0 {
			t.Errorf("%s: %d samples, %v", v.Type, len(samples), err)
		}
		if _, err := v.Settings(); err != nil {
			t.Errorf("%s: %v", v.Type, err)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-catalogue +vendors:\n%s", diff)
	}
	if _, ok := simulate.Lookup("Nobody"); ok {
		t.Error("a type that does not exist is found")
	}
}

// TestBrokenSamples shows what a sample must not be: a test that reads half of it would pass.
func TestBrokenSamples(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ reason, text string }{
		"no request":   {"every provider sends HTTP", "hello"},
		"cut off":      {"the body is shorter than it says", "POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 10\r\n\r\nshort"},
		"more than it": {"the rest would never be looked at", "POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 2\r\n\r\n{}{}"},
	} {
		v := simulate.Vendor{Files: fstest.MapFS{"samples/a.http": {Data: []byte(test.text)}}}
		if samples, err := v.Samples(); err == nil {
			t.Errorf("%s: %v is taken: %s", name, samples, test.reason)
		}
	}
	if _, err := (&simulate.Vendor{Files: fstest.MapFS{}}).Settings(); err == nil {
		t.Error("there are settings without a file")
	}
}
