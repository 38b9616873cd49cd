package endpoint_test

import (
	"encoding/base64"
	"net/http"
	"net/netip"
	"testing"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/endpoint"
)

// TestCheck asks all factors at once: each must pass, and each refuses under a name of its own.
func TestCheck(t *testing.T) {
	t.Parallel()
	e := only(t, compile(t, lines{}, spec(func(e *config.Endpoint) {
		e.Authentication = config.Authentication{
			PathToken:    config.PathToken{Secrets: []string{"old-token-0123456", "new-token-0123456"}},
			Basic:        config.Basic{Secrets: []config.BasicCredential{{Username: "user", Password: "pass:word"}}},
			Header:       config.HeaderFactor{Name: "X-Key", Secrets: []string{"a-value-of-16-bytes"}},
			AllowedCIDRs: []string{"203.0.113.0/24", "2001:db8::1"},
		}
	})))
	good := func() *endpoint.Caller {
		return &endpoint.Caller{
			Header:  http.Header{"X-Key": {"a-value-of-16-bytes"}, "Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte("user:pass:word"))}},
			Address: netip.MustParseAddr("203.0.113.9"), Token: "new-token-0123456", Now: now(),
		}
	}
	for name, c := range map[string]struct {
		change func(*endpoint.Caller)
		want   string
	}{
		"all pass":                  {func(*endpoint.Caller) {}, ""},
		"the old token":             {func(c *endpoint.Caller) { c.Token = "old-token-0123456" }, ""},
		"another address":           {func(c *endpoint.Caller) { c.Address = netip.MustParseAddr("2001:db8::1") }, ""},
		"no token":                  {func(c *endpoint.Caller) { c.Token = "" }, "path_token"},
		"part of a token":           {func(c *endpoint.Caller) { c.Token = "new-token" }, "path_token"},
		"another password":          {func(c *endpoint.Caller) { c.Header.Set("Authorization", "Basic dXNlcjpwYXNz") }, "basic"},
		"no user":                   {func(c *endpoint.Caller) { c.Header.Del("Authorization") }, "basic"},
		"a bearer token":            {func(c *endpoint.Caller) { c.Header.Set("Authorization", "Bearer dXNlcjpwYXNzOndvcmQ=") }, "basic"},
		"another value":             {func(c *endpoint.Caller) { c.Header.Set("X-Key", "x") }, "header"},
		"no value":                  {func(c *endpoint.Caller) { c.Header.Del("X-Key") }, "header"},
		"an address out of range":   {func(c *endpoint.Caller) { c.Address = netip.MustParseAddr("203.0.114.1") }, "address"},
		"an address that is none":   {func(c *endpoint.Caller) { c.Address = netip.Addr{} }, "address"},
		"a neighbour of an address": {func(c *endpoint.Caller) { c.Address = netip.MustParseAddr("2001:db8::2") }, "address"},
	} {
		caller := good()
		c.change(caller)
		if got, err := e.Check(t.Context(), caller); err != nil || got != c.want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, c.want)
		}
	}
	if open := only(t, compile(t, lines{signs: true}, spec(nil))); open.HasFactors() || !e.HasFactors() {
		t.Error("an endpoint has factors that were not set, or none that were")
	}
}
