package pubsubsink

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/content"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/sinktest"
	"github.com/mailvane/mailvane/test/authority"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	sinktest.Run(t, func(t *testing.T) sinktest.Harness { return newTopic(t).harness(t) })
}

func openSink(t *testing.T, settings string) *pubSubSink {
	t.Helper()
	s, err := newSink([]byte(settings), sink.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() }) //nolint:errcheck // it returns nil
	return s.(*pubSubSink)
}

// TestAMessage looks at what a subscriber gets in both modes.
func TestAMessage(t *testing.T) {
	t.Parallel()
	q := newTopic(t)
	for _, more := range []string{"", `,"contentMode":"Binary","orderingKey":"PartitionKey"`} {
		if err := openSink(t, q.settings(more)).Send(t.Context(), sinktest.Batch(0, 1)); err != nil {
			t.Fatal(err)
		}
	}
	got := q.taken()
	m := sinktest.Message(0)
	if string(got[0].GetData()) != string(m.Envelope) || got[0].GetOrderingKey() != "" {
		t.Errorf("%s", got[0])
	}
	if diff := cmp.Diff(map[string]string{"content-type": "application/cloudevents+json; charset=UTF-8", "type": "email.sent", "provider": "test", "endpoint": "mail/in"}, got[0].GetAttributes()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{
		"content-type": "application/json", "ce-specversion": "1.0", "ce-id": m.ID, "ce-source": m.Source, "ce-type": m.Type, "ce-subject": m.Subject,
	}, got[1].GetAttributes()); diff != "" {
		t.Error(diff)
	}
	if want := fmt.Sprintf(`{"id":%q,"big":12345678901234567890}`, m.ID); string(got[1].GetData()) != want || got[1].GetOrderingKey() != m.Key {
		t.Errorf("%s", got[1])
	}
}

// TestWhatIsTooLongForAnAttribute is left to the data, for one attribute that is too long would have the message refused.
func TestWhatIsTooLongForAnAttribute(t *testing.T) {
	t.Parallel()
	q := newTopic(t)
	m := sinktest.Message(0)
	m.Envelope = []byte(strings.Replace(string(m.Envelope), m.Subject, strings.Repeat("x", 1025), 1))
	m.Key = strings.Repeat("k", 1025)
	if err := openSink(t, q.settings(`,"contentMode":"Binary","orderingKey":"PartitionKey"`)).Send(t.Context(), sink.NewBatch([]sink.Message{m})); err != nil {
		t.Fatal(err)
	}
	got := q.taken()[0]
	if _, has := got.GetAttributes()["ce-subject"]; has || got.GetOrderingKey() != "" || got.GetAttributes()["ce-id"] != m.ID {
		t.Errorf("%v", got)
	}
}

// TestRequestsHaveNoMoreThanTheyMay sends what is too much for one request in several, and what is no event not at all.
func TestRequestsHaveNoMoreThanTheyMay(t *testing.T) {
	t.Parallel()
	q := newTopic(t)
	messages := sinktest.Messages(0, 1500)
	messages[1400] = sink.Message{Envelope: []byte("no event")}
	q.failing(func(r *pubsubpb.PublishRequest) error {
		if len(r.GetMessages()) > 1000 {
			return status.Error(codes.InvalidArgument, "too many messages")
		}
		return nil
	})
	failed := sink.FailedOf(openSink(t, q.settings("")).Send(t.Context(), sink.NewBatch(messages)), len(messages))
	if len(failed) != 1 || !sink.IsPermanent(failed[1400]) || len(q.taken()) != 1499 || q.requests != 2 {
		t.Errorf("%d requests, %d messages, %v", q.requests, len(q.taken()), failed)
	}
}

// TestOneThatIsRefusedCostsItselfAlone has a schema that one message does not fit.
func TestOneThatIsRefusedCostsItselfAlone(t *testing.T) {
	t.Parallel()
	q := newTopic(t)
	q.failing(func(r *pubsubpb.PublishRequest) error {
		for _, m := range r.GetMessages() {
			if strings.Contains(string(m.GetData()), sinktest.ID(7)) {
				return status.Error(codes.InvalidArgument, "Request contains a message that does not fit the schema.")
			}
		}
		return nil
	})
	failed := sink.FailedOf(openSink(t, q.settings("")).Send(t.Context(), sinktest.Batch(0, 10)), 10)
	if len(failed) != 1 || !sink.IsPermanent(failed[7]) || len(q.taken()) != 9 {
		t.Errorf("%v, %d arrived", failed, len(q.taken()))
	}
}

// TestProbes has a topic that is not there, nobody who listens, somebody who may publish alone, and one whom nobody knows.
func TestProbes(t *testing.T) {
	t.Parallel()
	q := newTopic(t)
	ctx, cancel := context.WithTimeout(t.Context(), short)
	t.Cleanup(cancel)
	for settings, want := range map[string]sink.Cause{
		strings.Replace(q.settings(""), "mail-events", "elsewhere", 1): sink.DestinationNotFound,
		strings.Replace(q.settings(""), q.Addr, "127.0.0.1:1", 1):      sink.DestinationUnreachable,
	} {
		if err := openSink(t, settings).Probe(ctx); sink.CauseOf(err) != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	s := openSink(t, q.settings(""))
	for code, want := range map[codes.Code]sink.Cause{codes.PermissionDenied: "", codes.Unauthenticated: sink.CredentialRefused} {
		q.mu.Lock()
		q.asked = status.Error(code, "who are you?")
		q.mu.Unlock()
		if err := s.Probe(ctx); (err == nil) != (want == "") || err != nil && sink.CauseOf(err) != want {
			t.Errorf("%s: %v", code, err)
		}
	}
	if len(q.taken()) != 0 {
		t.Error("a probe left something")
	}
}

// serviceAccount returns the key of one, and what checks its tokens.
func serviceAccount(t *testing.T) (file string, key *rsa.PublicKey) {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "mailvane@mail-1234.example.com", "private_key_id": "k1",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "token_uri": "http://127.0.0.1:1/never-asked",
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(text), &private.PublicKey
}

// TestServiceAccountsAndCertificates shows a token that the key has signed, to whom the authority vouches for and to nobody else.
func TestServiceAccountsAndCertificates(t *testing.T) {
	t.Parallel()
	a, err := authority.New()
	if err != nil {
		t.Fatal(err)
	}
	server, err := a.Issue("pubsub.internal")
	if err != nil {
		t.Fatal(err)
	}
	client, err := a.Issue("mailvane")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair([]byte(server.Certificate), []byte(server.Key))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(a.PEM))
	q := newTopic(t)
	s := q.secure(t, &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, MinVersion: tls.VersionTLS12})
	file, _ := serviceAccount(t)
	key, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	sinktest.Trusts(t, sinktest.Trust{
		Kind: Kind(), Authority: a, ServerName: "pubsub.internal", Client: client,
		Settings: func(tls string) string {
			return fmt.Sprintf(`{"topic":%q,"endpoint":"https://%s","serviceAccountKey":%s,"tls":%s}`, topicName, s.address, key, tls)
		},
	})
	shown := s.shown()
	if len(shown) == 0 || !strings.HasPrefix(shown[0], "Bearer ") {
		t.Fatalf("%d tokens", len(shown))
	}
	claims, err := base64.RawURLEncoding.DecodeString(strings.Split(shown[0], ".")[1])
	if err != nil || !strings.Contains(string(claims), `"aud":"https://pubsub.googleapis.com/"`) || !strings.Contains(string(claims), "mailvane@mail-1234.example.com") {
		t.Errorf("%s, %v", claims, err)
	}
}

// TestTheIdentityOfTheMachine asks the metadata service, if the sink may connect to it.
func TestTheIdentityOfTheMachine(t *testing.T) {
	t.Parallel()
	answer := `{"access_token":"t0ken","expires_in":3600,"token_type":"Bearer"}`
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Metadata-Flavor") != "Google" {
			w.WriteHeader(http.StatusForbidden)
		}
		fmt.Fprint(w, answer)
	}))
	t.Cleanup(service.Close)
	m := newMetadata((&sink.Environment{}).Dialer(short))
	m.url = service.URL + tokenPath
	if token, err := m.Token(); err != nil || token.AccessToken != "t0ken" || !token.Valid() {
		t.Errorf("%v %v", token, err)
	}
	answer = `<html>`
	if _, err := m.Token(); err == nil || !strings.Contains(err.Error(), "serviceAccountKeyRef") {
		t.Errorf("%v", err)
	}
	// By itself the dialer of a sink does not connect to it.
	s := openSink(t, fmt.Sprintf(`{"topic":%q}`, topicName))
	refused := newMetadata((&sink.Environment{}).Dialer(short))
	if _, err := refused.Token(); err == nil {
		t.Error("a sink took the identity of the machine")
	}
	_ = s.Close()
}

// TestContent has a topic that may not have recipients.
func TestContent(t *testing.T) {
	t.Parallel()
	c, err := content.New(&config.Content{Raw: config.ContentDrop, Fields: []config.ContentField{{Name: "recipient", As: config.ContentDrop}}})
	if err != nil {
		t.Fatal(err)
	}
	e := event.Event{ID: "1", Type: event.Sent, Provider: "Test", Recipient: "to@example.com", Raw: []byte(`{"to":"to@example.com"}`)}
	structured, err := event.Encode(&e, event.Source("mail", "in"))
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := c.Apply(structured)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := envelope.Encode()
	if err != nil {
		t.Fatal(err)
	}
	q := newTopic(t)
	message := sink.Message{ID: "1", Source: envelope.Source, Type: envelope.Type, Provider: envelope.Provider, Key: envelope.PartitionKey, Envelope: encoded}
	if err := openSink(t, q.settings(`,"contentMode":"Binary","orderingKey":"PartitionKey"`)).Send(t.Context(), sink.NewBatch([]sink.Message{message})); err != nil {
		t.Fatal(err)
	}
	if got := q.taken()[0].String(); strings.Contains(got, "to@example.com") {
		t.Error(got)
	}
}
