// Package netrange reads ranges of IP addresses as people write them.
package netrange

import (
	"fmt"
	"net/netip"
	"strings"
)

// Parse parses address ranges in CIDR notation; a bare address is a range of one.
func Parse(ranges []string) ([]netip.Prefix, error) {
	out := make([]netip.Prefix, 0, len(ranges))
	for _, text := range ranges {
		prefix, err := parseOne(text)
		if err != nil {
			return nil, fmt.Errorf("%q is not an address range; write it like 203.0.113.0/24", text)
		}
		out = append(out, prefix)
	}
	return out, nil
}

func parseOne(text string) (netip.Prefix, error) {
	if !strings.Contains(text, "/") {
		address, err := netip.ParseAddr(text)
		if err != nil {
			return netip.Prefix{}, fmt.Errorf("parse address: %w", err)
		}
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("parse prefix: %w", err)
	}
	return prefix.Masked(), nil
}

// Contain reports whether one of the ranges contains an address.
func Contain(prefixes []netip.Prefix, address netip.Addr) bool {
	for _, p := range prefixes {
		if p.Contains(address) {
			return true
		}
	}
	return false
}
