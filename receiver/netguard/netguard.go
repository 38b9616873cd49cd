// Package netguard keeps connections of the receiver away from addresses that nobody outside may make it ask: link-local ones and
// the metadata services of clouds, which hand out credentials.
package netguard

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

// metadataAddresses are those of cloud metadata services that are not link-local.
func metadataAddresses() []netip.Addr {
	return []netip.Addr{
		netip.MustParseAddr("fd00:ec2::254"),   // Amazon EC2, https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
		netip.MustParseAddr("fd00:ec2::23"),    // Amazon EKS Pod Identity, https://docs.aws.amazon.com/eks/latest/userguide/pod-id-agent-setup.html
		netip.MustParseAddr("fd20:ce::254"),    // Google Cloud, https://cloud.google.com/compute/docs/metadata/querying-metadata
		netip.MustParseAddr("100.100.100.200"), // Alibaba Cloud, https://www.alibabacloud.com/help/en/ecs/user-guide/view-instance-metadata
		netip.MustParseAddr("168.63.129.16"),   // Azure, https://learn.microsoft.com/en-us/azure/virtual-network/what-is-ip-address-168-63-129-16
	}
}

// nat64 is the well-known prefix whose addresses end in an IPv4 address (RFC 6052 section 2.1).
func nat64() netip.Prefix { return netip.MustParsePrefix("64:ff9b::/96") }

// Dialer returns a dialer that refuses what is guarded and in none of the allowed ranges. Nothing but the address that is
// connected to is looked at, after its name was resolved; so a proxy must not be asked to resolve and connect in its place.
func Dialer(timeout time.Duration, allowed []netip.Prefix) *net.Dialer {
	return &net.Dialer{Timeout: timeout, Control: func(_, address string, _ syscall.RawConn) error {
		return check(address, allowed)
	}}
}

// check refuses link-local and metadata addresses that are not allowed. It is asked after the name was resolved,
// for each address that is about to be connected to.
func check(address string, allowed []netip.Prefix) error {
	parsed, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("address to connect to is not an IP address: %w", err)
	}
	ip := embeddedIPv4(parsed.Addr().WithZone("").Unmap())
	for _, prefix := range allowed {
		if prefix.Contains(ip) {
			return nil
		}
	}
	if ip.IsLinkLocalUnicast() || slices.Contains(metadataAddresses(), ip) {
		return fmt.Errorf("address %s is link-local or a metadata service and is not allowed", ip)
	}
	return nil
}

func embeddedIPv4(ip netip.Addr) netip.Addr {
	if !nat64().Contains(ip) {
		return ip
	}
	bytes := ip.As16()
	return netip.AddrFrom4([4]byte(bytes[12:]))
}
