package microsoftgraph_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider/microsoftgraph"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

const (
	state      = "0123456789abcdef0123456789abcdef"
	otherState = "other-state-0123456789abcdef0000"
)

// withStates returns the settings of the samples with other values of clientState.
func withStates(t testing.TB, states ...string) string {
	t.Helper()
	text, err := os.ReadFile("../../../internal/simulate/microsoftgraph/settings.json")
	if err != nil {
		t.Fatal(err)
	}
	list, err := json.Marshal(states)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Replace(string(text), `["`+state+`"]`, strings.ReplaceAll(string(list), `","`, `", "`), 1)
}

// inContent are the members of a message, which samples have encrypted.
func inContent() []string {
	return []string{
		"createdDateTime", "lastModifiedDateTime", "receivedDateTime", "sentDateTime", "from", "toRecipients", "ccRecipients", "bccRecipients", "replyTo", "emailAddress",
		"address", "name", "subject", "internetMessageId", "conversationId", "parentFolderId", "isRead", "isDraft", "importance", "hasAttachments", "bodyPreview", "categories",
		"internetMessageHeaders", "value", "body", "contentType", "content",
	}
}

func suite(t testing.TB) providertest.Suite {
	t.Helper()
	s := providertest.Suite{
		Retyped:          map[string]string{"@odata.type": "a message: nobody says of what else it is"},
		Kind:             microsoftgraph.Kind(),
		OtherSettings:    withStates(t, otherState),
		RotationSettings: withStates(t, state, otherState),
		Credentials:      []string{state, otherState},
		SignedBytes:      onlyState,
		Redacts:          true,
		Unsampled:        map[string]string{"decrypted": "an event keeps what was encrypted so"},
		Volatile:         map[string]string{},
		// Nothing rests on tokens, on a notification for somebody else, nor on the thumbprint of what it is encrypted for.
		Identifies: func(at jsontext.Pointer) bool {
			return !strings.HasPrefix(string(at), "/validationTokens") && at.LastToken() != "encryptionCertificateThumbprint"
		},
	}
	for _, name := range inContent() {
		s.Unsampled[name] = "it is in the message, which is encrypted"
	}
	delete(s.Unsampled, "value") // the list of notifications has the name, too
	for _, sample := range []string{"created", "updated", "deleted", "created-rich", "updated-rich", "event", "batch"} {
		s.Volatile[sample+".http/value/0/subscriptionExpirationDateTime"] = "a renewal moves it"
	}
	s.Volatile["batch.http/value/2/subscriptionExpirationDateTime"] = "a renewal moves it"
	for _, name := range []string{"id", "subscriptionId", "subscriptionExpirationDateTime", "changeType", "resource", "tenantId", "resourceData/@odata.type", "resourceData/@odata.id", "resourceData/@odata.etag", "resourceData/id"} {
		s.Volatile["batch.http/value/1/"+name] = "it is for somebody else"
	}
	return s
}

// onlyState says of each byte whether it is part of the only clientState of a body.
func onlyState(body []byte) []bool {
	signed := make([]bool, len(body))
	if bytes.Count(body, []byte(state)) == 1 {
		begin := bytes.Index(body, []byte(state))
		for i := range state {
			signed[begin+i] = true
		}
	}
	return signed
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	providertest.Run(t, suite(t))
}

func FuzzWebhook(f *testing.F) { providertest.Fuzz(f, suite(f)) }

func BenchmarkWebhook(b *testing.B) { providertest.Benchmark(b, suite(b), "created", "created-rich") }

// TestEveryMemberOfAMessageIsSampled: those that are looked up in what is encrypted are in the message of the samples.
func TestEveryMemberOfAMessageIsSampled(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../internal/simulate/microsoftgraph/message.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range inContent() {
		if !bytes.Contains(text, []byte(`"`+name+`":`)) {
			t.Errorf("the message has no %s", name)
		}
	}
}
