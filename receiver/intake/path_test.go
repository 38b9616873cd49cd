package intake_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/mailvane/mailvane/receiver/config"
)

func TestPaths(t *testing.T) {
	t.Parallel()
	withToken := emailEngine(func(e *config.Endpoint) {
		e.Name, e.Path = "token", "/hooks/mail/token"
		e.Authentication.PathToken.Secrets = []string{"a-secret-token"}
	})
	slashed := emailEngine(func(e *config.Endpoint) { e.Name, e.Path = "slashed", "/hooks/mail/slashed/" })
	both := emailEngine(func(e *config.Endpoint) { e.Name, e.Path = "both", "/hooks/mail/ee/both" })
	for name, c := range map[string]struct {
		path        string
		post, probe int
	}{
		"exact":                             {"/hooks/mail/ee", 200, 200},
		"a slash":                           {"/hooks/mail/ee/", 200, 200},
		"a slash and a query":               {"/hooks/mail/ee/?a=b", 200, 200},
		"an escaped letter and a slash":     {"/hooks/mail/%65e/", 200, 200},
		"two slashes":                       {"/hooks/mail/ee//", 404, 404},
		"two slashes within":                {"/hooks//mail/ee", 404, 404},
		"two slashes before":                {"//hooks/mail/ee", 404, 404},
		"a dot":                             {"/hooks/mail/ee/.", 404, 404},
		"two dots":                          {"/hooks/mail/ee/..", 404, 404},
		"something behind":                  {"/hooks/mail/ee/x/", 404, 404},
		"another endpoint below":            {"/hooks/mail/ee/both/", 200, 200},
		"a token":                           {"/hooks/mail/token/a-secret-token", 200, 200},
		"a token and a slash":               {"/hooks/mail/token/a-secret-token/", 200, 200},
		"a token and two slashes":           {"/hooks/mail/token/a-secret-token//", 404, 404},
		"a slash in place of a token":       {"/hooks/mail/token/", 401, 200},
		"two slashes in place of a token":   {"/hooks/mail/token//", 404, 404},
		"two slashes before a token":        {"/hooks/mail/token//a-secret-token", 404, 404},
		"another token and a slash":         {"/hooks/mail/token/another/", 401, 200},
		"a path that has a slash":           {"/hooks/mail/slashed/", 200, 200},
		"without the slash that a path has": {"/hooks/mail/slashed", 404, 404},
		"the root":                          {"/", 404, 404},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFront(t, emailEngine(nil), withToken, slashed, both)
			if a := f.do(signed(t, c.path, trackOpen)); a.status != c.post {
				t.Errorf("POST: %d %s, want %d", a.status, a.body, c.post)
			}
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				if a := f.do(httptest.NewRequest(method, c.path, nil)); a.status != c.probe || a.header.Get("Location") != "" {
					t.Errorf("%s: %d %s, want %d", method, a.status, a.body, c.probe)
				}
			}
		})
	}
}
