package content

import (
	"net/netip"
	"strings"
	"unicode/utf8"
)

// masked stands for what may not be seen.
const masked = "***"

// What is left of a masked IP address is the network that a provider of access or a site has at least.
const (
	maskedBits4 = 24
	maskedBits6 = 48
)

// minLocal is the length of a local part from which its first letter is shown: of a shorter one that would be nearly all.
const minLocal = 3

// mask leaves of an address its first letter and its domain, of an IP address its network, and of other texts nothing.
func mask(value string) string {
	if value == "" {
		return ""
	}
	if ip, err := netip.ParseAddr(value); err == nil {
		bits := maskedBits6
		if ip = ip.Unmap().WithZone(""); ip.Is4() {
			bits = maskedBits4
		}
		network, err := ip.Prefix(bits)
		if err != nil {
			return masked
		}
		return network.Masked().Addr().String()
	}
	at := strings.LastIndexByte(value, '@')
	if at < 0 || !isAddress(value) {
		return masked
	}
	local, domain := value[:at], value[at:]
	if utf8.RuneCountInString(local) < minLocal {
		return masked + domain
	}
	_, size := utf8.DecodeRuneInString(local)
	return local[:size] + masked + domain
}

// isAddress reports whether a text is one address, or a message id, which looks like one.
func isAddress(value string) bool {
	at := strings.LastIndexByte(value, '@')
	return at > 0 && at < len(value)-1 && !strings.ContainsAny(value, " \t\r\n<>,;()") && !strings.Contains(value[at:], "/")
}
