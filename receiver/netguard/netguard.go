// Package netguard keeps connections of the receiver away from addresses that nobody outside may make it ask: link-local ones, the
// metadata services of clouds, which hand out credentials, and the receiver's own.
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
		netip.MustParseAddr("192.0.0.192"),     // Oracle Cloud Infrastructure, https://docs.oracle.com/en-us/iaas/Content/Compute/Tasks/gettingmetadata.htm
		netip.MustParseAddr("168.63.129.16"),   // Azure, https://learn.microsoft.com/en-us/azure/virtual-network/what-is-ip-address-168-63-129-16
	}
}

// embedding is a range of IPv6 addresses that hold an IPv4 address, and where it may be in their 16 bytes.
type embedding struct {
	prefix netip.Prefix
	places [][4]int
}

// embeddings are what a gateway may turn into IPv4. A NAT64 prefix of a network's own is not known here.
func embeddings() []embedding {
	last := [4]int{12, 13, 14, 15}
	return []embedding{
		{netip.MustParsePrefix("64:ff9b::/96"), [][4]int{last}}, // NAT64 (RFC 6052 section 2.1)
		// NAT64 within a network (RFC 8215), whose prefix may have 48, 56, 64 or 96 bits; byte 8 is none of the address (RFC 6052 section 2.2).
		{netip.MustParsePrefix("64:ff9b:1::/48"), [][4]int{{6, 7, 9, 10}, {7, 9, 10, 11}, {9, 10, 11, 12}, last}},
		{netip.MustParsePrefix("2002::/16"), [][4]int{{2, 3, 4, 5}}}, // 6to4 (RFC 3056 section 2)
		{netip.MustParsePrefix("::/96"), [][4]int{last}},             // IPv4-compatible (RFC 4291 section 2.5.5.1)
	}
}

// Guard says what is refused beside link-local addresses and metadata services, and what is not.
type Guard struct {
	// Allowed are ranges of which nothing is refused.
	Allowed []netip.Prefix
	// Own has loopback refused, and the addresses of this machine: what listens there may trust whoever reaches it.
	Own bool
}

// Dialer returns a dialer that refuses what is guarded and in none of the allowed ranges. Nothing but the address that is
// connected to is looked at, after its name was resolved; so a proxy must not be asked to resolve and connect in its place.
func (g Guard) Dialer(timeout time.Duration) *net.Dialer {
	return &net.Dialer{Timeout: timeout, Control: func(_, address string, _ syscall.RawConn) error {
		return g.check(address, net.InterfaceAddrs)
	}}
}

// check refuses an address that is guarded and not allowed. It is asked after the name was resolved, for each address that is about
// to be connected to. own returns the addresses of this machine.
func (g Guard) check(address string, own func() ([]net.Addr, error)) error {
	parsed, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("address to connect to is not an IP address: %w", err)
	}
	ip := parsed.Addr().WithZone("").Unmap()
	isAllowed := func(ip netip.Addr) bool {
		return slices.ContainsFunc(g.Allowed, func(p netip.Prefix) bool { return p.Contains(ip) })
	}
	if isAllowed(ip) {
		return nil
	}
	for _, ip := range append(embeddedIPv4(ip), ip) {
		if isAllowed(ip) {
			continue
		}
		if ip.IsLinkLocalUnicast() || slices.Contains(metadataAddresses(), ip) {
			return fmt.Errorf("address %s is link-local or a metadata service and is not allowed", ip)
		}
		if g.Own {
			if err := refuseOwn(ip, own); err != nil {
				return err
			}
		}
	}
	return nil
}

// refuseOwn refuses an address that leads to this machine: the unspecified one does, too.
func refuseOwn(ip netip.Addr, own func() ([]net.Addr, error)) error {
	mine := ip.IsLoopback() || ip.IsUnspecified()
	if !mine {
		addresses, err := own()
		if err != nil {
			return fmt.Errorf("the addresses of this machine cannot be told from others: %w", err)
		}
		mine = slices.ContainsFunc(addresses, func(a net.Addr) bool {
			network, ok := a.(*net.IPNet)
			if !ok {
				return false
			}
			address, _ := netip.AddrFromSlice(network.IP)
			return address.Unmap() == ip
		})
	}
	if mine {
		return fmt.Errorf("address %s is the receiver's own and is not allowed", ip)
	}
	return nil
}

// embeddedIPv4 returns what may be meant by an address.
func embeddedIPv4(ip netip.Addr) (meant []netip.Addr) {
	if ip.Is4() {
		return nil
	}
	bytes := ip.As16()
	for _, e := range embeddings() {
		if !e.prefix.Contains(ip) {
			continue
		}
		for _, p := range e.places {
			meant = append(meant, netip.AddrFrom4([4]byte{bytes[p[0]], bytes[p[1]], bytes[p[2]], bytes[p[3]]}))
		}
	}
	return meant
}
