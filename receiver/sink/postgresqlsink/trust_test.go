package postgresqlsink

import (
	"fmt"
	"testing"

	"github.com/mailvane/mailvane/receiver/sink/sinktest"
	"github.com/mailvane/mailvane/test/authority"
	"github.com/mailvane/mailvane/test/postgres"
)

// TestCertificates has a user whom a certificate shows, who needs no password.
func TestCertificates(t *testing.T) {
	t.Parallel()
	const name = "db.internal"
	a, err := authority.New()
	must(t, err)
	identity, err := a.Issue(name)
	must(t, err)
	server, err := postgres.Start(t.Context(), postgres.Options{
		Config: "ssl = on\nssl_cert_file = 'server.crt'\nssl_key_file = 'server.key'\nssl_ca_file = 'ca.crt'",
		Access: "hostssl all all 127.0.0.1/32 cert",
		Files:  map[string][]byte{"server.crt": []byte(identity.Certificate), "server.key": []byte(identity.Key), "ca.crt": []byte(a.PEM)},
	})
	server = serve(t, server, err)
	t.Cleanup(func() { must(t, server.Close()) })
	d := newDestination(t, server)
	me, err := a.Issue(d.schema)
	must(t, err)
	sinktest.Trusts(t, sinktest.Trust{
		Kind: Kind(), Authority: a, ServerName: name, Client: me,
		Settings: func(tls string) string {
			return fmt.Sprintf(`{"hosts":[%q],"database":"postgres","table":%q,"username":%q,"tls":%s}`, d.line.Address(), d.table(), d.schema, tls)
		},
	})
}
