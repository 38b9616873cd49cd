package redissink_test

import (
	"fmt"
	"testing"

	"github.com/mailvane/mailvane/receiver/sink/redissink"
	"github.com/mailvane/mailvane/receiver/sink/sinktest"
	"github.com/mailvane/mailvane/test/authority"
)

func TestCertificates(t *testing.T) {
	t.Parallel()
	const name = "redis.internal"
	a, err := authority.New()
	must(t, err)
	server, err := a.Issue(name)
	must(t, err)
	me, err := a.Issue("mailvane")
	must(t, err)
	dir := t.TempDir()
	must(t, a.Write(dir, server))
	d := start(t, fmt.Sprintf("port 0\ntls-port @port@\ntls-cert-file %[1]s/server.crt\ntls-key-file %[1]s/server.key\ntls-ca-cert-file %[1]s/ca.crt\ntls-auth-clients yes\n", dir))
	sinktest.Trusts(t, sinktest.Trust{
		Kind: redissink.Kind(), Authority: a, ServerName: name, Client: me,
		Settings: func(tls string) string {
			return fmt.Sprintf(`{"addresses":[%q],"stream":%q,"tls":%s}`, d.server.Address, key, tls)
		},
	})
}
