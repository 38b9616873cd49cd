package registrationtest

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/mailvane/mailvane/controllers/registration"
	"github.com/mailvane/mailvane/controllers/registration/rest"
	"github.com/mailvane/mailvane/controllers/registration/standin"
)

// Open serves a stand-in and returns the API of the account, as the manager asks it. No key and no secret is in what it says.
func Open(t *testing.T, v *registration.Vendor, s *standin.StandIn, key string, secrets ...string) registration.API {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	doer := rest.New(server.Client().Transport, server.URL, rest.NewSecrets(append(secrets, standin.APIKey, key)...), time.Now)
	return v.Open(registration.Account{Key: key, Name: s.Account, BaseURL: server.URL}, doer)
}
