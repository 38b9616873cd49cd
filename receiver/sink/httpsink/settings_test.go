package httpsink

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/sinktest"
)

func TestAddresses(t *testing.T) {
	t.Parallel()
	linkLocal := []netip.Prefix{netip.MustParsePrefix("169.254.0.0/16")}
	tests := map[string]struct {
		address string
		allowed []netip.Prefix
		refused bool
	}{
		"public":              {"192.0.2.1:443", nil, false},
		"loopback":            {"127.0.0.1:80", nil, false},
		"private":             {"10.1.2.3:80", nil, false},
		"metadata":            {"169.254.169.254:80", nil, true},
		"link-local":          {"169.254.1.1:80", nil, true},
		"link-local IPv6":     {"[fe80::1%eth0]:80", nil, true},
		"IPv4-mapped":         {"[::ffff:169.254.169.254]:80", nil, true},
		"NAT64":               {"[64:ff9b::a9fe:a9fe]:80", nil, true},
		"EC2 IPv6":            {"[fd00:ec2::254]:80", nil, true},
		"EKS IPv6":            {"[fd00:ec2::23]:80", nil, true},
		"Google Cloud IPv6":   {"[fd20:ce::254]:80", nil, true},
		"Alibaba":             {"100.100.100.200:80", nil, true},
		"Azure":               {"168.63.129.16:80", nil, true},
		"allowed":             {"169.254.1.1:80", linkLocal, false},
		"allowed mapped":      {"[::ffff:169.254.1.1]:80", linkLocal, false},
		"not what is allowed": {"100.100.100.200:80", linkLocal, true},
		"not an address":      {"example.com:80", nil, true},
	}
	for name, test := range tests {
		if err := checkAddress(test.address, test.allowed); (err != nil) != test.refused {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := send(t, "http://169.254.169.254/latest/meta-data", modeStructured, sinktest.Message(1)); err == nil || !strings.Contains(err.Error(), "not allowed") {
		t.Errorf("Send to a metadata service = %v", err)
	}
}

func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ reason, settings, want string }{
		"relative URL":    {"there is no base", `{"url":"/events"}`, "url"},
		"other scheme":    {"only HTTP is spoken", `{"url":"ftp://example.com"}`, "url"},
		"no URL":          {"it is required", `{}`, "url"},
		"bad mode":        {"modes are spelled one way", `{"url":"http://example.com","contentMode":"Batch"}`, "contentMode"},
		"bad secret":      {"it must be base64", `{"url":"http://example.com","signingSecrets":["whsec_?"]}`, "signingSecrets[0]"},
		"empty secret":    {"an empty key signs nothing", `{"url":"http://example.com","signingSecrets":["whsec_"]}`, "signingSecrets[0]"},
		"bad header":      {"names are tokens", `{"url":"http://example.com","headers":[{"name":"a b","value":"c"}]}`, "headers[0].name"},
		"reserved header": {"it is the content mode's", `{"url":"http://example.com","headers":[{"name":"content-type","value":"c"}]}`, "Content-Type"},
		"CloudEvents":     {"they are the event's", `{"url":"http://example.com","headers":[{"name":"ce-id","value":"c"}]}`, "Ce-Id"},
		"signature":       {"it is computed", `{"url":"http://example.com","headers":[{"name":"webhook-signature","value":"c"}]}`, "Webhook-Signature"},
		"header injection": {
			"a value is one line", `{"url":"http://example.com","headers":[{"name":"X-A","secret":"a\r\nX-B: c"}]}`, "headers[0]",
		},
		"empty header": {"an empty secret is a missing secret", `{"url":"http://example.com","headers":[{"name":"X-A"}]}`, "headers[0]"},
	}
	for name, test := range tests {
		if _, err := Kind().New([]byte(test.settings), sink.Environment{}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want an error with %q: %s", name, err, test.want, test.reason)
		}
	}
}
