package console

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
)

const (
	loginPath = "/login"
	// cookieName is that of the session. Cookies know no ports: two consoles on one machine would take each other's, so each has its own.
	cookieName = "mailvane-console-"
	// maxForm bounds the body of a form, in bytes.
	maxForm = 1 << 20
)

// session is the one of whoever opens the link.
type session struct {
	name, secret string

	mu   sync.Mutex
	once string // opens the link; empty = it was opened
}

func newSession() *session {
	return &session{name: cookieName + rand.Text()[:8], secret: rand.Text(), once: rand.Text()}
}

func (s *session) link() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return loginPath + "?" + url.Values{"token": {s.once}}.Encode()
}

// login opens the link: who has it gets the session, once.
func (s *session) login(w http.ResponseWriter, r *http.Request) {
	if s.has(r) {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	if !s.use(r.URL.Query().Get("token")) {
		plain(w, http.StatusForbidden, "This link was opened before, or is not of this console. Start the command again, which prints a new one.")
		return
	}
	http.SetCookie(w, &http.Cookie{Name: s.name, Value: s.secret, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode}) //nolint:gosec // It is served on loopback, without TLS.
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (s *session) use(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.once == "" || subtle.ConstantTimeCompare([]byte(token), []byte(s.once)) != 1 {
		return false
	}
	s.once = ""
	return true
}

func (s *session) has(r *http.Request) bool {
	cookie, err := r.Cookie(s.name)
	return err == nil && subtle.ConstantTimeCompare([]byte(cookie.Value), []byte(s.secret)) == 1
}

// token is what every form carries, which another site cannot know.
func (s *session) token() string {
	mac := hmac.New(sha256.New, []byte(s.secret))
	mac.Write([]byte("form")) // it returns no error
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// require lets in whoever has the session, and takes forms of its own pages alone.
func (s *session) require(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.has(r) {
			plain(w, http.StatusUnauthorized, "Open the link that the command has printed.")
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			r.Body = http.MaxBytesReader(w, r.Body, maxForm)
			if subtle.ConstantTimeCompare([]byte(r.PostFormValue("token")), []byte(s.token())) != 1 {
				plain(w, http.StatusForbidden, "The form is not of this page. Go back, load the page again, and send it from there.")
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// guarded answers what comes from this machine and from no other site, and has browsers run nothing that is not ours.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'")
		h.Set("X-Frame-Options", "DENY")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if !isLoopback(r.Host) {
			plain(w, http.StatusForbidden, "The console answers under localhost and addresses of loopback alone.")
			return
		}
		if origin := r.Header.Get("Origin"); origin != "" && origin != "http://"+r.Host {
			plain(w, http.StatusForbidden, "The request comes from another site.")
			return
		}
		if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" && (r.Method != http.MethodGet || r.URL.Path != loginPath) {
			plain(w, http.StatusForbidden, "The request comes from another site.")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isLoopback reports whether a Host is this machine under a name that nobody else can point here.
func isLoopback(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	if name == "localhost" {
		return true
	}
	address, err := netip.ParseAddr(name)
	return err == nil && address.IsLoopback()
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n")) // the browser is gone
}
