package microsoftgraph_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/microsoftgraph"
)

const (
	tenant      = "00000000-0000-0000-0000-0000000000aa"
	otherTenant = "00000000-0000-0000-0000-0000000000bb"
	plain       = `{"clientStates": ["` + state + `", "` + otherState + `"]}`
)

func received() time.Time { return time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC) }

func webhook(t testing.TB, settings string) provider.Webhook {
	t.Helper()
	w, err := microsoftgraph.Kind().New([]byte(settings), provider.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func decode(t testing.TB, settings, body string) provider.Batch {
	t.Helper()
	return webhook(t, settings).Decode(&provider.Request{Body: []byte(body), ReceivedAt: received()})
}

func decodeOne(t testing.TB, settings, body string) event.Event {
	t.Helper()
	b := decode(t, settings, body)
	if len(b.Events) != 1 || len(b.Undecodable) != 0 || b.Refused != 0 {
		t.Fatalf("%d events, undecodable %+v, %d refused; want one event", len(b.Events), b.Undecodable, b.Refused)
	}
	return b.Events[0]
}

// list is what Graph sends.
func list(items ...string) string { return `{"value": [` + strings.Join(items, ", ") + `]}` }

// item returns a notification of a change with more members.
func item(change, more string) string {
	return `{"subscriptionId": "s1", "subscriptionExpirationDateTime": "2026-01-07T00:00:00Z", "clientState": "` + state + `", "changeType": "` + change + `", "resource": "Users/u1/Messages/m1", "tenantId": "` + tenant +
		`", "resourceData": {"@odata.type": "#Microsoft.Graph.Message", "@odata.etag": "e1", "id": "m1"}` + more + `}`
}

// newKey returns a private key, and the settings in which it is that of the certificate "c1".
func newKey(t testing.TB) (key *rsa.PrivateKey, settings string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key, withKeys(t, map[string]string{"c1": inPEM(t, key)}, "")
}

func inPEM(t testing.TB, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// withKeys returns settings with private keys by their certificates, and more members.
func withKeys(t testing.TB, keys map[string]string, more string) string {
	t.Helper()
	var entries []map[string]string
	for id, text := range keys {
		entries = append(entries, map[string]string{"certificateID": id, "key": text})
	}
	text, err := json.Marshal(entries)
	if err != nil {
		t.Fatal(err)
	}
	return `{"clientStates": ["` + state + `"], "decryptionKeys": ` + string(text) + more + `}`
}

// sealing is how a message is encrypted; tests change one thing.
type sealing struct {
	to          *rsa.PublicKey
	certificate string
	key         []byte // of the data
	plain       []byte // with its padding
	change      func(data, dataKey, mac []byte) (d, k, m []byte)
}

// padded returns a text with its padding (PKCS #7).
func padded(text string) []byte {
	n := aes.BlockSize - len(text)%aes.BlockSize
	return append([]byte(text), strings.Repeat(string(rune(n)), n)...)
}

// sealed returns a member encryptedContent.
func (s sealing) sealed(t testing.TB) string {
	t.Helper()
	block, err := aes.NewCipher(s.key[:min(len(s.key), 32)])
	if err != nil {
		t.Fatal(err)
	}
	data := make([]byte, len(s.plain))
	cipher.NewCBCEncrypter(block, s.key[:aes.BlockSize]).CryptBlocks(data, s.plain)
	dataKey, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, s.to, s.key, nil)
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, s.key)
	mac.Write(data)
	sum := mac.Sum(nil)
	if s.change != nil {
		data, dataKey, sum = s.change(data, dataKey, sum)
	}
	b := base64.StdEncoding.EncodeToString
	return `, "encryptedContent": {"data": "` + b(data) + `", "dataKey": "` + b(dataKey) + `", "dataSignature": "` + b(sum) + `", "encryptionCertificateId": "` + s.certificate + `"}`
}

// rich returns a member encryptedContent with a resource, for the certificate "c1".
func rich(t testing.TB, to *rsa.PrivateKey, resource string) string {
	t.Helper()
	return sealing{to: &to.PublicKey, certificate: "c1", key: []byte(strings.Repeat("k", 32)), plain: padded(resource)}.sealed(t)
}
