package sinktest

import (
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/test/authority"
)

// Trust is a destination that has a certificate of a private authority, and asks for one.
type Trust struct {
	Kind sink.Kind
	// Settings returns complete settings with a member tls.
	Settings func(tls string) string
	// Authority issued the certificate of the destination, for ServerName, and that of Client.
	Authority  *authority.Authority
	ServerName string
	Client     *authority.Identity
}

// Trusts checks whom a sink believes, and that it shows who it is.
func Trusts(t *testing.T, d Trust) {
	t.Helper()
	other, err := authority.New()
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := other.Issue("stranger")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, reason string
		cas          []string
		secret       *authority.Identity
		serverName   string
		delivered    bool
	}{
		{"all that is needed", "the authority, the name and the certificate fit", []string{other.PEM, d.Authority.PEM}, d.Client, d.ServerName, true},
		{"another authority", "it did not sign the destination's", []string{other.PEM}, d.Client, d.ServerName, false},
		{"the machine's authorities", "none of them signed it", nil, d.Client, d.ServerName, false},
		{"another name", "the certificate is somebody else's", []string{d.Authority.PEM}, d.Client, "other.internal", false},
		{"the address", "the certificate has none", []string{d.Authority.PEM}, d.Client, "", false},
		{"no certificate", "the destination asks for one", []string{d.Authority.PEM}, nil, d.ServerName, false},
		{"a stranger's", "the destination does not know who signed it", []string{d.Authority.PEM}, stranger, d.ServerName, false},
	} {
		tls, err := json.Marshal(map[string]any{"cas": tc.cas, "secret": tc.secret, "serverName": tc.serverName})
		if err != nil {
			t.Fatal(err)
		}
		s, err := d.Kind.New([]byte(d.Settings(string(tls))), sink.Environment{})
		if err != nil {
			t.Fatalf("%s: %v", tc.name, err)
		}
		err = s.Send(t.Context(), Batch(0, 1))
		if (err == nil) != tc.delivered || sink.IsPermanent(err) {
			t.Errorf("%s: Send = %v: %s", tc.name, err, tc.reason)
		}
		if prober, ok := s.(sink.Prober); ok {
			if err := prober.Probe(t.Context()); (err == nil) != tc.delivered || err != nil && sink.CauseOf(err) == sink.DeliveryFailing {
				t.Errorf("%s: Probe = %v: %s", tc.name, err, tc.reason)
			}
		}
		_ = s.Close() // it has a test of its own
	}
}
