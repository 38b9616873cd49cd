package httpsink

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

// Limits of connections. The time of a whole Send is bounded by its context.
const (
	dialTimeout         = 10 * time.Second
	tlsHandshakeTimeout = 10 * time.Second
	idleConnTimeout     = 90 * time.Second
	// maxIdleConns is as many as there are sends in flight at most.
	maxIdleConns           = 256
	maxResponseHeaderBytes = 64 << 10
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

// newTransport returns a transport that connects directly: a proxy of the environment would be what resolves and connects,
// and the address could not be checked.
func newTransport(allowed []netip.Prefix) *http.Transport {
	dialer := &net.Dialer{Timeout: dialTimeout, Control: func(_, address string, _ syscall.RawConn) error {
		return checkAddress(address, allowed)
	}}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    tlsHandshakeTimeout,
		IdleConnTimeout:        idleConnTimeout,
		MaxIdleConns:           maxIdleConns,
		MaxIdleConnsPerHost:    maxIdleConns,
		MaxResponseHeaderBytes: maxResponseHeaderBytes,
		DisableCompression:     true,
	}
}

// checkAddress refuses link-local and metadata addresses that are not allowed. It is asked after the name was resolved,
// for each address that is about to be connected to.
func checkAddress(address string, allowed []netip.Prefix) error {
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
