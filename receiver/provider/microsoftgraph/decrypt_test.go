package microsoftgraph_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/microsoftgraph"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

const secretSubject = "secret-subject"

// TestDamageCostsOneNotification has everything that can be wrong with what is encrypted: it costs that notification, with a reason, and
// not its neighbours; nothing of it is decrypted.
func TestDamageCostsOneNotification(t *testing.T) {
	t.Parallel()
	key, settings := newKey(t)
	stranger, _ := newKey(t)
	message := `{"subject": "` + secretSubject + `"}`
	good := sealing{to: &key.PublicKey, certificate: "c1", key: []byte(strings.Repeat("k", 32)), plain: padded(message)}
	flip := func(b []byte) []byte { c := slices.Clone(b); c[0] ^= 1; return c }
	for name, c := range map[string]struct {
		damage func(s *sealing)
		reason string
	}{
		"nothing":                {func(*sealing) {}, ""},
		"data":                   {func(s *sealing) { s.change = func(d, k, m []byte) (_, _, _ []byte) { return flip(d), k, m } }, "dataSignature does not match"},
		"signature":              {func(s *sealing) { s.change = func(d, k, m []byte) (_, _, _ []byte) { return d, k, flip(m) } }, "dataSignature does not match"},
		"no signature":           {func(s *sealing) { s.change = func(d, k, _ []byte) (_, _, _ []byte) { return d, k, nil } }, "dataSignature does not match"},
		"half of the signature":  {func(s *sealing) { s.change = func(d, k, m []byte) (_, _, _ []byte) { return d, k, m[:16] } }, "dataSignature does not match"},
		"key of the data":        {func(s *sealing) { s.change = func(d, k, m []byte) (_, _, _ []byte) { return d, flip(k), m } }, "not the one that dataKey was encrypted for"},
		"no key":                 {func(s *sealing) { s.change = func(d, _, m []byte) (_, _, _ []byte) { return d, nil, m } }, "not the one that dataKey was encrypted for"},
		"another's key":          {func(s *sealing) { s.to = &stranger.PublicKey }, "not the one that dataKey was encrypted for"},
		"a key of AES-128":       {func(s *sealing) { s.key = s.key[:16] }, "not the one that dataKey was encrypted for"},
		"another certificate":    {func(s *sealing) { s.certificate = "c2" }, "does not name by its certificateID"},
		"no certificate":         {func(s *sealing) { s.certificate = "" }, "does not name by its certificateID"},
		"no data":                {func(s *sealing) { s.plain = nil }, "no text that was encrypted"},
		"padding of zero":        {func(s *sealing) { s.plain = make([]byte, 16) }, "no text that was encrypted"},
		"padding of seventeen":   {func(s *sealing) { s.plain = []byte(strings.Repeat("\x11", 32)) }, "no text that was encrypted"},
		"a padding that differs": {func(s *sealing) { s.plain = append([]byte(strings.Repeat("a", 13)), 2, 3, 3) }, "no text that was encrypted"},
		"a text that is no JSON": {func(s *sealing) { s.plain = padded("hello " + secretSubject) }, "no JSON object"},
		"an array":               {func(s *sealing) { s.plain = padded("[" + message + "]") }, "no JSON object"},
		"two subjects":           {func(s *sealing) { s.plain = padded(`{"subject": "a", "subject": "b"}`) }, "no JSON object"},
	} {
		s := good
		c.damage(&s)
		b := decode(t, settings, list(item("created", ""), item("created", s.sealed(t)), item("deleted", "")))
		if c.reason == "" {
			if len(b.Events) != 3 || b.Events[1].Subject != secretSubject {
				t.Errorf("%s: %+v", name, b)
			}
			continue
		}
		if len(b.Events) != 2 || len(b.Undecodable) != 1 || b.Refused != 0 {
			t.Errorf("%s: %d events, %+v; its neighbours are to survive", name, len(b.Events), b.Undecodable)
			continue
		}
		u := b.Undecodable[0]
		if !strings.Contains(u.Reason, c.reason) || strings.Contains(u.Reason, secretSubject) || strings.Contains(string(u.Raw), state) {
			t.Errorf("%s: %q, want %q; kept as %s", name, u.Reason, c.reason, u.Raw)
		}
	}
}

// TestContentThatIsNoContent has members of other kinds.
func TestContentThatIsNoContent(t *testing.T) {
	t.Parallel()
	_, settings := newKey(t)
	for content, want := range map[string]int{`null`: 0, `{}`: 1, `"x"`: 1, `5`: 1, `[]`: 1, `{"encryptionCertificateId": "c1", "data": "%"}`: 1, `{"encryptionCertificateId": "c1", "data": 5, "dataKey": {}}`: 1, `{"decrypted": {"subject": "forged"}}`: 1} {
		b := decode(t, settings, list(item("created", `, "encryptedContent": `+content)))
		if len(b.Undecodable) != want || len(b.Events) != 1-want {
			t.Errorf("%s: %+v", content, b)
		}
	}
}

// TestALetterIsReadOnceTheKeyIsThere: what could not be decrypted is kept whole, and by itself, and is the event that it was.
func TestALetterIsReadOnceTheKeyIsThere(t *testing.T) {
	t.Parallel()
	key, settings := newKey(t)
	body := list(item("created", rich(t, key, `{"subject": "`+secretSubject+`"}`)))
	letters := decode(t, plain, body).Undecodable
	if len(letters) != 1 || !strings.Contains(letters[0].Reason, "has no decryptionKeys") {
		t.Fatalf("%+v", letters)
	}
	later, at := decodeOne(t, settings, string(letters[0].Raw)), decodeOne(t, settings, body)
	if later.ID != at.ID || later.Subject != secretSubject {
		t.Errorf("%+v, want %+v", later, at)
	}
}

// TestRotation has two certificates at once, and what an event keeps when the old one is gone.
func TestRotation(t *testing.T) {
	t.Parallel()
	first, _ := newKey(t)
	second, err := rsa.GenerateKey(rand.Reader, 3072)
	if err != nil {
		t.Fatal(err)
	}
	old := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(first)}))
	both := withKeys(t, map[string]string{"c1": old, "c2": inPEM(t, second)}, "")
	one := item("created", rich(t, first, `{"subject": "a"}`))
	other := item("updated", sealing{to: &second.PublicKey, certificate: "c2", key: []byte(strings.Repeat("j", 32)), plain: padded(`{"subject": "b"}`)}.sealed(t))
	b := decode(t, both, list(one, other))
	if len(b.Events) != 2 || b.Events[0].Subject != "a" || b.Events[1].Subject != "b" {
		t.Fatalf("%+v", b)
	}
	for _, e := range b.Events {
		again := decodeOne(t, plain, string(e.Raw))
		if again.ID != e.ID || again.Subject != e.Subject {
			t.Errorf("without its key %s is %+v", e.Raw, again)
		}
		for _, hidden := range []string{state, "clientState", "dataKey", "dataSignature"} {
			if strings.Contains(string(e.Raw), hidden) {
				t.Errorf("raw holds %s", hidden)
			}
		}
	}
}

// TestKeys has private keys that are none. No error holds anything of them.
func TestKeys(t *testing.T) {
	t.Parallel()
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Skip("this Go makes no small keys")
	}
	key, _ := newKey(t)
	good := inPEM(t, key)
	public := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&key.PublicKey)}))
	for name, text := range map[string]string{"": "", "a word": "very-secret-text", "cut off": good[:200], "too small": inPEM(t, small), "the public half": public} {
		_, err := microsoftgraph.Kind().New([]byte(withKeys(t, map[string]string{"c1": text}, "")), provider.Environment{})
		if err == nil || !strings.Contains(err.Error(), "decryptionKeys[0]: must be a private key") || strings.Contains(err.Error(), "very-secret-text") {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := microsoftgraph.Kind().New([]byte(withKeys(t, map[string]string{"": good}, "")), provider.Environment{}); err == nil {
		t.Error("a key without a certificate is taken")
	}
}

// TestVector decrypts what another implementation has encrypted.
func TestVector(t *testing.T) {
	t.Parallel()
	for _, path := range providertest.Facts(t, "vectors/graph/*.body.json") {
		stem := strings.TrimSuffix(path, ".body.json")
		settings := strings.Replace(withKeys(t, map[string]string{"mycert": read(t, stem+".privatekey.txt")}, `, "subscribedFolder": "Inbox"`), state, "secretClientValue", 1)
		body := read(t, path)
		e := decodeOne(t, settings, body)
		want := strings.TrimSpace(read(t, stem+".plaintext.txt"))
		if e.Type != event.Received || e.Subject != "Test subject" || e.MessageID != "m1@mail.example.org" || e.Recipient != "to@example.com" || !strings.Contains(string(e.Raw), want) {
			t.Errorf("%s: %+v", path, e)
		}
		begin := strings.Index(body, `"data":"`) + len(`"data":"`)
		for i := begin; i < begin+64; i++ {
			changed := []byte(body)
			if changed[i] = 'A'; body[i] == 'A' {
				changed[i] = 'B'
			}
			if b := decode(t, settings, string(changed)); len(b.Events) != 0 || len(b.Undecodable) != 1 {
				t.Errorf("%s: with another character %d it is an event", path, i)
			}
		}
	}
}
