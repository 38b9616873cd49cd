package access

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Why a request is refused, as metrics count it.
const (
	RefusedHost   = "host"
	RefusedOrigin = "origin"
	RefusedToken  = "token"
	RefusedRight  = "right"
)

// Guard stands in front of an admin API.
type Guard struct {
	// Keyring knows the tokens.
	Keyring *Keyring
	// Host is the host that the API listens on as it was configured; empty = every address of this machine.
	Host string
	// Refused is told of each request that is refused, by one of the Refused constants. Nothing is logged: anybody could fill a log.
	Refused func(reason string)
}

// Handler answers a request of a caller who has a right.
type Handler func(w http.ResponseWriter, r *http.Request, has Right)

// Require returns what calls next for callers whose token gives the right, and answers 401 to those without a token that is known
// and 403 to those whose right is another.
func (g *Guard) Require(right Right, next Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		has := g.Keyring.Right(bearer(r))
		switch {
		case has == 0:
			g.refuse(w, RefusedToken, unauthorized())
		case !has.Includes(right):
			g.refuse(w, RefusedRight, NotAllowed(right, has))
		default:
			w.Header().Set("Cache-Control", "no-store")
			next(w, r, has)
		}
	})
}

// FromHere returns what calls next for requests that name this receiver as their host, and that no page of another site has made. A
// browser would otherwise send what a page asks it to, to whatever address the page's own name has meanwhile (DNS rebinding).
func (g *Guard) FromHere(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origins := r.Header.Values("Origin")
		switch {
		case !g.isOwn(r):
			g.refuse(w, RefusedHost, foreignHost())
		case len(origins) > 1 || (len(origins) == 1 && !strings.EqualFold(origins[0], "http://"+r.Host)):
			g.refuse(w, RefusedOrigin, foreignOrigin())
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func (g *Guard) refuse(w http.ResponseWriter, reason string, p *problem) {
	g.Refused(reason)
	p.Write(w)
}

// bearer returns the token of a request (RFC 6750 section 2.1); empty = none, or more than one.
func bearer(r *http.Request) string {
	values := r.Header.Values("Authorization")
	if len(values) != 1 {
		return ""
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// isOwn says whether a request names this receiver as its host: localhost, the host that it listens on, or an address. Over loopback,
// which is also where a port-forward ends, the address must be one of loopback. A name that somebody else owns is none of these.
func (g *Guard) isOwn(r *http.Request) bool {
	host := hostOf(r.Host)
	if host == "localhost" || (g.Host != "" && strings.EqualFold(host, g.Host)) {
		return true
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	return address.Unmap().IsLoopback() || !overLoopback(r)
}

// hostOf returns a host without its port and brackets, in lower case, and without the dot at the end of a full name.
func hostOf(hostPort string) string {
	host := hostPort
	if h, _, err := net.SplitHostPort(hostPort); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

func overLoopback(r *http.Request) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return !ok || local.IP.IsLoopback()
}
