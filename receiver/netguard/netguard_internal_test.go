package netguard

import (
	"errors"
	"net"
	"net/netip"
	"testing"
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
		"local NAT64, /48":    {"[64:ff9b:1:a9fe:a9:fe00::]:80", nil, true},
		"local NAT64, /56":    {"[64:ff9b:1:a9:fe:a9fe::]:80", nil, true},
		"local NAT64, /64":    {"[64:ff9b:1:7:a9:fea9:fe00:0]:80", nil, true},
		"local NAT64, /96":    {"[64:ff9b:1:7::a9fe:a9fe]:80", nil, true},
		"local NAT64, public": {"[64:ff9b:1:7::c000:201]:80", nil, false},
		"IPv4-compatible":     {"[::169.254.169.254]:80", nil, true},
		"6to4":                {"[2002:a9fe:a9fe::1]:80", nil, true},
		"6to4, public":        {"[2002:c000:201::1]:80", nil, false},
		"6to4, Alibaba":       {"[2002:6464:64c8::]:80", nil, true},
		"Oracle":              {"192.0.0.192:80", nil, true},
		"Oracle by NAT64":     {"[64:ff9b::c000:c0]:80", nil, true},
		"allowed embedded":    {"[2002:a9fe:101::1]:80", linkLocal, false},
		"allowed range":       {"[64:ff9b:1::a9fe:a9fe]:80", []netip.Prefix{netip.MustParsePrefix("64:ff9b:1::/48")}, false},
		"loopback IPv6":       {"[::1]:80", nil, false},
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
		if err := (Guard{Allowed: test.allowed}).check(test.address, nil); (err != nil) != test.refused {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOwnAddresses asks for those of a machine with the addresses 10.1.2.3 and 2001:db8::3.
func TestOwnAddresses(t *testing.T) {
	t.Parallel()
	own := func() ([]net.Addr, error) {
		return []net.Addr{&net.IPNet{IP: net.ParseIP("10.1.2.3"), Mask: net.CIDRMask(24, 32)}, &net.IPNet{IP: net.ParseIP("2001:db8::3"), Mask: net.CIDRMask(64, 128)}}, nil
	}
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	for name, test := range map[string]struct {
		address string
		allowed []netip.Prefix
		refused bool
	}{
		"loopback":               {"127.0.0.1:9090", nil, true},
		"more loopback":          {"127.9.9.9:9090", nil, true},
		"loopback IPv6":          {"[::1]:9090", nil, true},
		"mapped loopback":        {"[::ffff:127.0.0.1]:9090", nil, true},
		"loopback by NAT64":      {"[64:ff9b::7f00:1]:9090", nil, true},
		"unspecified":            {"0.0.0.0:9090", nil, true},
		"unspecified IPv6":       {"[::]:9090", nil, true},
		"of an interface":        {"10.1.2.3:9090", nil, true},
		"of an interface, IPv6":  {"[2001:db8::3]:9090", nil, true},
		"mapped, of one":         {"[::ffff:10.1.2.3]:9090", nil, true},
		"of its network":         {"10.1.2.4:9090", nil, false},
		"of its network, IPv6":   {"[2001:db8::4]:9090", nil, false},
		"public":                 {"192.0.2.1:443", nil, false},
		"metadata":               {"169.254.169.254:80", nil, true},
		"allowed loopback":       {"127.0.0.1:9090", loopback, false},
		"allowed loopback IPv6":  {"[::1]:9090", loopback, false},
		"loopback alone allowed": {"10.1.2.3:9090", loopback, true},
	} {
		if err := (Guard{Allowed: test.allowed, Own: true}).check(test.address, own); (err != nil) != test.refused {
			t.Errorf("%s: %v", name, err)
		}
	}
	unknown := func() ([]net.Addr, error) { return nil, errors.New("no such system call") }
	if err := (Guard{Own: true}).check("192.0.2.1:443", unknown); err == nil {
		t.Error("an address passes that may be the machine's own")
	}
}
