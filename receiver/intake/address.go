package intake

import (
	"net/http"
	"net/netip"
	"strings"

	"github.com/mailvane/mailvane/receiver/netrange"
)

// clientAddress returns the address of the client: the connection's peer, or, while the nearest hop is a trusted proxy,
// the address that it reports in X-Forwarded-For. What lies behind the first untrusted hop is ignored: anybody can write it.
// An address that cannot be read is the zero Addr, which no range contains.
func clientAddress(r *http.Request, trusted []netip.Prefix) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	address := peer.Addr().Unmap().WithZone("")
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && netrange.Contain(trusted, address); i-- {
		hop := strings.TrimSpace(hops[i])
		if hop == "" {
			continue
		}
		if address = parseHop(hop); !address.IsValid() {
			return address
		}
	}
	return address
}

// parseHop reads one entry of X-Forwarded-For, which no standard defines: an address, with a port as some load balancers add it
// (Azure Application Gateway, AWS with client ports preserved), in brackets or in quotes as RFC 7239 section 6 writes them in
// Forwarded. Anything else, such as "unknown", is the zero Addr.
func parseHop(hop string) netip.Addr {
	if inner, ok := strings.CutPrefix(hop, `"`); ok {
		if hop, ok = strings.CutSuffix(inner, `"`); !ok {
			return netip.Addr{}
		}
	}
	address, err := netip.ParseAddr(hop)
	if err != nil {
		if strings.HasSuffix(hop, "]") {
			hop += ":0" // brackets without a port
		}
		withPort, err := netip.ParseAddrPort(hop)
		if err != nil {
			return netip.Addr{}
		}
		address = withPort.Addr()
	}
	return address.Unmap().WithZone("")
}

// sharePrefix is the length of the IPv6 prefix that counts as one client: whoever has one address has all of a /64 (RFC 4291
// section 2.5.1).
const sharePrefix = 64

// shareOf returns the address that stands for a client. Those whose address cannot be read are one client.
func shareOf(address netip.Addr) netip.Addr {
	if !address.IsValid() {
		return netip.IPv4Unspecified()
	}
	if address.Is4() {
		return address
	}
	prefix, err := address.Prefix(sharePrefix)
	if err != nil { // there is none shorter than that
		return address
	}
	return prefix.Addr()
}
