package natssink_test

import (
	"fmt"
	"testing"

	client "github.com/nats-io/nats.go"

	"github.com/mailvane/mailvane/receiver/sink/natssink"
	"github.com/mailvane/mailvane/receiver/sink/sinktest"
	"github.com/mailvane/mailvane/test/authority"
)

func TestCertificates(t *testing.T) {
	t.Parallel()
	const name = "nats.internal"
	a, err := authority.New()
	must(t, err)
	server, err := a.Issue(name)
	must(t, err)
	me, err := a.Issue("mailvane")
	must(t, err)
	dir := t.TempDir()
	must(t, a.Write(dir, server))
	config, err := a.Client(me, name)
	must(t, err)
	d := start(t, fmt.Sprintf("tls {cert_file: \"%[1]s/server.crt\", key_file: \"%[1]s/server.key\", ca_file: \"%[1]s/ca.crt\", verify: true}\n", dir), client.Secure(config))
	sinktest.Trusts(t, sinktest.Trust{
		Kind: natssink.Kind(), Authority: a, ServerName: name, Client: me,
		Settings: func(tls string) string { return d.settings(`"tls":` + tls) },
	})
}
