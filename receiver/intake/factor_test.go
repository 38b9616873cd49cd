package intake_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/intake"
)

const trackOpen = `{"account":"a","date":"2022-03-24T08:28:32.992Z","event":"trackOpen","data":{"messageId":"<a@example.com>"}}`

func TestFurtherFactors(t *testing.T) {
	t.Parallel()
	token := config.Authentication{PathToken: config.PathToken{Secrets: []string{"old-token", "new-token"}}}
	basic := config.Authentication{Basic: config.Basic{Secrets: []config.BasicCredential{{Username: "u", Password: "old"}, {Username: "u", Password: "p:w"}}}}
	header := config.Authentication{Header: config.HeaderFactor{Name: "X-Api-Key", Secrets: []string{"k1", "k2"}}}
	cidr := config.Authentication{AllowedCIDRs: []string{"203.0.113.0/24", "2001:db8::/32"}}
	both := config.Authentication{Header: header.Header, AllowedCIDRs: cidr.AllowedCIDRs}
	with := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	from := func(address string) func(*http.Request) { return func(r *http.Request) { r.RemoteAddr = address } }
	cases := map[string]struct {
		factors config.Authentication
		path    string
		change  func(*http.Request)
		status  int
	}{
		"token":                      {token, path + "/new-token", nil, 200},
		"token before a rotation":    {token, path + "/old-token", nil, 200},
		"token wrong":                {token, path + "/new-tokem", nil, 401},
		"token missing":              {token, path, nil, 401},
		"token empty":                {token, path + "/", nil, 401},
		"token deeper":               {token, path + "/x/new-token", nil, 404},
		"basic":                      {basic, path, func(r *http.Request) { r.SetBasicAuth("u", "p:w") }, 200},
		"basic before a rotation":    {basic, path, func(r *http.Request) { r.SetBasicAuth("u", "old") }, 200},
		"basic wrong password":       {basic, path, func(r *http.Request) { r.SetBasicAuth("u", "p") }, 401},
		"basic missing":              {basic, path, nil, 401},
		"header":                     {header, path, with("x-api-key", "k2"), 200},
		"header wrong":               {header, path, with("X-Api-Key", "k3"), 401},
		"header missing":             {header, path, nil, 401},
		"address inside":             {cidr, path, from("203.0.113.9:1234"), 200},
		"address outside":            {cidr, path, from("203.0.114.9:1234"), 401},
		"IPv6 inside":                {cidr, path, from("[2001:db8::1]:1234"), 200},
		"IPv4 in IPv6 form":          {cidr, path, from("[::ffff:203.0.113.9]:1234"), 200},
		"address unreadable":         {cidr, path, from("unix"), 401},
		"forged forwarded address":   {cidr, path, func(r *http.Request) { r.RemoteAddr = "198.51.100.1:1"; r.Header.Set("X-Forwarded-For", "203.0.113.9") }, 401},
		"one of two factors":         {both, path, with("X-Api-Key", "k1"), 401},
		"both factors":               {both, path, func(r *http.Request) { r.RemoteAddr = "203.0.113.9:1"; r.Header.Set("X-Api-Key", "k1") }, 200},
		"factor without a signature": {header, path, func(r *http.Request) { r.Header.Set("X-Api-Key", "k1"); r.Header.Del("X-EE-Wh-Signature") }, 401},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFront(t, emailEngine(func(e *config.Endpoint) { e.Authentication = tc.factors }))
			r := signed(t, tc.path, trackOpen)
			if tc.change != nil {
				tc.change(r)
			}
			if a := f.do(r); a.status != tc.status {
				t.Errorf("%d %s, want %d", a.status, a.body, tc.status)
			}
		})
	}
}

func TestTheClientBehindTrustedProxies(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		peer      string
		forwarded []string
		status    int
	}{
		"client behind one proxy":           {"10.0.0.1:1", []string{"203.0.113.9"}, 200},
		"client behind two proxies":         {"10.0.0.1:1", []string{"203.0.113.9, 10.0.0.2"}, 200},
		"two headers":                       {"10.0.0.1:1", []string{"203.0.113.9", "10.0.0.2"}, 200},
		"what the client wrote is ignored":  {"10.0.0.1:1", []string{"203.0.113.9, 198.51.100.7"}, 401},
		"client outside":                    {"10.0.0.1:1", []string{"198.51.100.7"}, 401},
		"no header: the proxy itself":       {"10.0.0.1:1", nil, 401},
		"garbage from a trusted proxy":      {"10.0.0.1:1", []string{"203.0.113.9, unknown"}, 401},
		"peer is not a proxy":               {"192.0.2.1:1", []string{"203.0.113.9"}, 401},
		"a port":                            {"10.0.0.1:1", []string{"203.0.113.9:17085"}, 200},
		"a port, outside":                   {"10.0.0.1:1", []string{"198.51.100.7:17085"}, 401},
		"ports of proxies, too":             {"10.0.0.1:1", []string{"203.0.113.9:17085, 10.0.0.2:443"}, 200},
		"a port, behind what was written":   {"10.0.0.1:1", []string{"203.0.113.9:1, 198.51.100.7:1"}, 401},
		"IPv6":                              {"10.0.0.1:1", []string{"2001:db8::9"}, 200},
		"IPv6 in brackets":                  {"10.0.0.1:1", []string{"[2001:db8::9]"}, 200},
		"IPv6 with a port":                  {"10.0.0.1:1", []string{"[2001:db8::9]:443"}, 200},
		"IPv6 with a zone and a port":       {"10.0.0.1:1", []string{"[2001:db8::9%eth0]:443"}, 200},
		"IPv6 in quotes":                    {"10.0.0.1:1", []string{`"[2001:db8::9]:443"`}, 200},
		"IPv4 in quotes":                    {"10.0.0.1:1", []string{`"203.0.113.9"`}, 200},
		"IPv4 in IPv6 form":                 {"10.0.0.1:1", []string{"::ffff:203.0.113.9"}, 200},
		"IPv4 in IPv6 form, with a port":    {"10.0.0.1:1", []string{"[::ffff:203.0.113.9]:80"}, 200},
		"a proxy in IPv6 form, with a port": {"10.0.0.1:1", []string{"203.0.113.9, [::ffff:10.0.0.2]:80"}, 200},
		"an element that is empty":          {"10.0.0.1:1", []string{"203.0.113.9,"}, 200},
		"a line that is empty":              {"10.0.0.1:1", []string{"203.0.113.9", ""}, 200},
		"tabs":                              {"10.0.0.1:1", []string{"\t203.0.113.9:1\t,\t10.0.0.2"}, 200},
		"unknown":                           {"10.0.0.1:1", []string{"unknown"}, 401},
		"an obfuscated name":                {"10.0.0.1:1", []string{"203.0.113.9, _hidden"}, 401},
		"unknown between":                   {"10.0.0.1:1", []string{"203.0.113.9, unknown, 10.0.0.2"}, 401},
		"a port that is none":               {"10.0.0.1:1", []string{"203.0.113.9:x"}, 401},
		"a port that is too large":          {"10.0.0.1:1", []string{"203.0.113.9:70000"}, 401},
		"a port that is missing":            {"10.0.0.1:1", []string{"203.0.113.9:"}, 401},
		"half a quote":                      {"10.0.0.1:1", []string{`"203.0.113.9`}, 401},
		"half a bracket":                    {"10.0.0.1:1", []string{"[2001:db8::9"}, 401},
		"IPv4 in brackets":                  {"10.0.0.1:1", []string{"[203.0.113.9]"}, 401},
		"a pair of Forwarded":               {"10.0.0.1:1", []string{"for=203.0.113.9"}, 401},
		"a range":                           {"10.0.0.1:1", []string{"203.0.113.9/32"}, 401},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFrontWith(t, intake.Options{TrustedProxies: prefixes(t, "10.0.0.0/8")}, emailEngine(func(e *config.Endpoint) {
				e.Authentication.AllowedCIDRs = []string{"203.0.113.0/24", "2001:db8::/32"}
			}))
			r := signed(t, path, trackOpen)
			r.RemoteAddr = tc.peer
			r.Header["X-Forwarded-For"] = tc.forwarded
			if a := f.do(r); a.status != tc.status {
				t.Errorf("%d, want %d", a.status, tc.status)
			}
		})
	}
}

func TestShadowAcceptsAndMarks(t *testing.T) {
	t.Parallel()
	f := newFront(t, emailEngine(func(e *config.Endpoint) {
		e.Verification = config.Shadow
		e.Authentication.Header = config.HeaderFactor{Name: "X-Api-Key", Secrets: []string{"k"}}
		e.Routes = append(e.Routes, config.Route{Name: "forged", Sink: "watch", Filter: "event.unverified"})
	}))
	forged := signed(t, path, trackOpen)
	forged.Header.Set("X-EE-Wh-Signature", "AAAA")
	if a := f.do(forged); a.status != 200 || a.Accepted != 1 {
		t.Fatalf("forged: %d %s", a.status, a.body)
	}
	noFactor := signed(t, path, `{"event":"trackOpen","account":"b"}`)
	if a := f.do(noFactor); a.status != 200 || a.Accepted != 1 {
		t.Fatalf("without the factor: %d %s", a.status, a.body)
	}
	genuine := signed(t, path, trackOpen)
	genuine.Header.Set("X-Api-Key", "k")
	if a := f.do(genuine); a.Accepted != 1 {
		t.Fatalf("what was forged took the place of the genuine event: %s", a.body)
	}
	watched, owed := f.owed("watch"), f.owed("crm")
	if len(watched) != 2 || !watched[0].Unverified || !watched[1].Unverified || len(owed) != 1 || owed[0].Unverified {
		t.Errorf("watched: %+v, owed: %+v", watched, owed)
	}
}

// TestWhatIsNotVerifiedIsStoredForNobody posts to an endpoint in shadow mode whose routes do not ask for what is not verified: events,
// and what cannot be read, are counted and take no space, however they are called and whatever fails.
func TestWhatIsNotVerifiedIsStoredForNobody(t *testing.T) {
	t.Parallel()
	f := newFront(t, emailEngine(func(e *config.Endpoint) {
		e.Verification = config.Shadow
		e.Routes = append(e.Routes,
			config.Route{Name: "opens", Sink: "crm", Filter: `event.type == "email.opened"`},
			config.Route{Name: "gone", Sink: "gone", Problem: "no sink"},
			config.Route{Name: "fails", Sink: "crm", Filter: `event.unverified && {"a": 1}[event.id] == 1`},
		)
	}))
	for name, body := range map[string]string{
		"an event": trackOpen, "no JSON": "hello", "no event": `{"a":1}`, "no object": `[1,2,3]`, "a year that has no form": `{"event":"trackOpen","account":"b","date":"9999-99"}`,
	} {
		r := signed(t, path, body)
		r.Header.Del("X-EE-Wh-Signature")
		if a := f.do(r); a.status != 200 || a.Accepted+a.DeadLettered != 0 {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if stats := f.journal.Stats(); stats.DeadLetters != 0 || len(stats.Pending) != 0 && stats.Pending["mail/crm"] != 0 {
		t.Errorf("stored: %+v", stats)
	}
	if a := f.do(signed(t, path, "hello")); a.DeadLettered != 1 {
		t.Errorf("what is verified and cannot be read: %d %s", a.status, a.body)
	}
}

func TestAnEndpointThatChecksNothingIsRefused(t *testing.T) {
	t.Parallel()
	unsigned := config.Plugin{Type: "EmailEngine", Settings: []byte(`{}`)}
	cases := map[string]struct {
		change func(*config.Endpoint)
		say    string
	}{
		"no credential at all":               {func(e *config.Endpoint) { e.Provider = unsigned }, "nothing would be checked"},
		"a header without a secret":          {func(e *config.Endpoint) { e.Authentication.Header.Name = "X-Api-Key" }, "has no secret"},
		"secrets of a header without a name": {func(e *config.Endpoint) { e.Authentication.Header.Secrets = []string{"s"} }, "has no secret, or no name"},
		"an empty token":                     {func(e *config.Endpoint) { e.Authentication.PathToken.Secrets = []string{""} }, "pathToken has an empty secret"},
		"an empty token beside another":      {func(e *config.Endpoint) { e.Authentication.PathToken.Secrets = []string{"t", ""} }, "pathToken has an empty secret"},
		"a token of blanks":                  {func(e *config.Endpoint) { e.Authentication.PathToken.Secrets = []string{" \t\r\n"} }, "pathToken has an empty secret"},
		"an empty header value": {func(e *config.Endpoint) {
			e.Authentication.Header = config.HeaderFactor{Name: "X", Secrets: []string{""}}
		}, "header has an empty secret"},
		"a header value of blanks": {func(e *config.Endpoint) {
			e.Authentication.Header = config.HeaderFactor{Name: "X", Secrets: []string{"\u00a0"}}
		}, "header has an empty secret"},
		"no password":                      {func(e *config.Endpoint) { e.Authentication.Basic.Secrets = []config.BasicCredential{{Username: "u"}} }, "basic has an empty secret"},
		"neither name nor password":        {func(e *config.Endpoint) { e.Authentication.Basic.Secrets = []config.BasicCredential{{}} }, "basic has an empty secret"},
		"an empty secret of the provider":  {func(e *config.Endpoint) { e.Provider.Settings = []byte(`{"serviceSecrets":[""]}`) }, "EmailEngine"},
		"a provider's secret of blanks":    {func(e *config.Endpoint) { e.Provider.Settings = []byte(`{"serviceSecrets":[" \n"]}`) }, "EmailEngine"},
		"a range that is none":             {func(e *config.Endpoint) { e.Authentication.AllowedCIDRs = []string{"x"} }, "allowedCIDRs"},
		"an unknown provider":              {func(e *config.Endpoint) { e.Provider.Type = "Nobody" }, `unknown provider "Nobody"`},
		"settings that are not the kind's": {func(e *config.Endpoint) { e.Provider.Settings = []byte(`{"appKeys":["x"]}`) }, "EmailEngine"},
		"a relative path":                  {func(e *config.Endpoint) { e.Path = "hooks" }, "slash"},
		"no bound":                         {func(e *config.Endpoint) { e.MaxBodyBytes = 0 }, "maxBodyBytes"},
		"a filter that does not compile":   {func(e *config.Endpoint) { e.Routes[0].Filter = "1" }, `route "all"`},
		"another factor":                   {func(e *config.Endpoint) { e.Provider = unsigned; e.Authentication.PathToken.Secrets = []string{"t"} }, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := tryCompile(t, emailEngine(tc.change))
			if (err == nil) != (tc.say == "") || (err != nil && !strings.Contains(err.Error(), tc.say)) {
				t.Errorf("error: %v", err)
			}
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("the error tells the secret: %v", err)
			}
		})
	}
	twice := emailEngine(func(e *config.Endpoint) { e.Name = "other" })
	if err := tryCompile(t, emailEngine(nil), twice); err == nil || !strings.Contains(err.Error(), "belongs to mail/ee already") {
		t.Errorf("two endpoints with one path: %v", err)
	}
}
