package scalewaytem_test

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/simulate/scalewaytem"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
	tem "github.com/mailvane/mailvane/receiver/provider/scalewaytem"
	"github.com/mailvane/mailvane/receiver/provider/sns/snstest"
)

const (
	topicARN       = "arn:scw:sns:fr-par:project-a1b2c3d4-0000-4000-8000-0000000000bb:tem-events"
	certificateURL = "https://messaging.s3.fr-par.scw.cloud/fr-par/sns/0123456789abcdef.pem"
)

// received is when requests arrive.
func received() time.Time { return time.Date(2026, time.January, 2, 3, 4, 6, 0, time.UTC) }

// settingsOf returns settings that trust certificates.
func settingsOf(t testing.TB, certificates ...string) string {
	t.Helper()
	trusted, err := json.Marshal(certificates)
	if err != nil {
		t.Fatal(err)
	}
	return `{"topicARNs": ["` + topicARN + `"], "certificateAuthorities": ` + string(trusted) + `}`
}

func suite(t testing.TB) providertest.Suite {
	t.Helper()
	text, err := fs.ReadFile(scalewaytem.Files(), "settings.json")
	if err != nil {
		t.Fatal(err)
	}
	var demo struct{ CertificateAuthorities []string }
	if err := json.Unmarshal(text, &demo); err != nil {
		t.Fatal(err)
	}
	other := snstest.NewKey(t, snstest.Named("other"), nil)
	return providertest.Suite{
		Kind:             tem.Kind(),
		OtherSettings:    settingsOf(t, string(other.CertificatePEM)),
		RotationSettings: settingsOf(t, demo.CertificateAuthorities[0], string(other.CertificatePEM)),
		SigningKey:       snstest.DemoKey(),
		OtherSigningKey:  other.PEM,
		SignedBytes:      snstest.SignedBytes,
		Open:             snstest.Open,
	}
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	providertest.Run(t, suite(t))
}

func FuzzWebhook(f *testing.F) { providertest.Fuzz(f, suite(f)) }

func BenchmarkWebhook(b *testing.B) { providertest.Benchmark(b, suite(b), "email-delivered") }

// authority returns a template of a certificate that issues others.
func authority(name string) *x509.Certificate {
	template := snstest.Named(name)
	template.IsCA, template.KeyUsage = true, x509.KeyUsageCertSign
	return template
}

// files answers each request with the file of its URL, and takes note of the URLs.
type files struct {
	texts map[string][]byte
	asked []string
}

// RoundTrip stands for every host.
func (f *files) RoundTrip(r *http.Request) (*http.Response, error) {
	f.asked = append(f.asked, r.URL.String())
	text, found := f.texts[r.URL.String()]
	status := http.StatusOK
	if !found {
		status = http.StatusNotFound
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(string(text))), Request: r}, nil
}

// TestChain shows which certificates are trusted that stand where those of Scaleway do, and others' files as well.
func TestChain(t *testing.T) {
	t.Parallel()
	trusted := snstest.NewKey(t, authority("Scaleway CA"), nil)
	foreign := snstest.NewKey(t, authority("Scaleway CA"), nil) // the same name
	between := snstest.NewKey(t, authority("Scaleway CA 2"), trusted)
	expired := snstest.Named("signer")
	expired.NotAfter = received().Add(-time.Second)
	const elsewhere = "https://messaging.s3.fr-par.scw.cloud"
	for name, c := range map[string]struct {
		signer  *snstest.Key
		address string
		trust   []*snstest.Key
		want    string
		why     string
	}{
		"of the authority":      {snstest.NewKey(t, snstest.Named("signer"), trusted), certificateURL, []*snstest.Key{trusted}, "", "the chain ends at it"},
		"of the next authority": {snstest.NewKey(t, snstest.Named("signer"), between), certificateURL, []*snstest.Key{trusted, between}, "", "a file may hold more than the root"},
		"of a foreign one":      {snstest.NewKey(t, snstest.Named("signer"), foreign), certificateURL, []*snstest.Key{trusted}, "unknown_key", "anybody can put a file onto an S3 host"},
		"of nobody":             {snstest.NewKey(t, snstest.Named("signer"), nil), certificateURL, []*snstest.Key{trusted}, "unknown_key", "anybody can put a file onto an S3 host"},
		"expired":               {snstest.NewKey(t, expired, trusted), certificateURL, []*snstest.Key{trusted}, "unknown_key", "it was valid until a second ago"},
		"on another host":       {snstest.NewKey(t, snstest.Named("signer"), trusted), "https://evil.s3.fr-par.scw.cloud/fr-par/sns/a.pem", []*snstest.Key{trusted}, "unknown_key", "it is somebody else's store"},
		"of another region":     {snstest.NewKey(t, snstest.Named("signer"), trusted), elsewhere + "/nl-ams/sns/a.pem", []*snstest.Key{trusted}, "unknown_key", "the topic is in fr-par"},
		"in another folder":     {snstest.NewKey(t, snstest.Named("signer"), trusted), elsewhere + "/fr-par/sns/../../evil/a.pem", []*snstest.Key{trusted}, "unknown_key", "the path leads elsewhere"},
		"in a hidden folder":    {snstest.NewKey(t, snstest.Named("signer"), trusted), elsewhere + "/fr-par/sns/%2e%2e/a.pem", []*snstest.Key{trusted}, "unknown_key", "the path leads elsewhere"},
		"no certificate":        {snstest.NewKey(t, snstest.Named("signer"), trusted), elsewhere + "/fr-par/sns/a.key", []*snstest.Key{trusted}, "unknown_key", "it is another file"},
		"http":                  {snstest.NewKey(t, snstest.Named("signer"), trusted), "http://messaging.s3.fr-par.scw.cloud/fr-par/sns/a.pem", []*snstest.Key{trusted}, "unknown_key", "anybody could answer"},
	} {
		f := &files{texts: map[string][]byte{c.address: c.signer.CertificatePEM}}
		var trust []string
		for _, k := range c.trust {
			trust = append(trust, string(k.CertificatePEM))
		}
		w, err := tem.Kind().New([]byte(settingsOf(t, strings.Join(trust, ""))), provider.Environment{HTTPClient: &http.Client{Transport: f}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.Verify(t.Context(), signed(t, c.signer, c.address))
		got := ""
		if refused, ok := errors.AsType[*provider.VerifyError](err); ok {
			got = string(refused.Reason)
		} else if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q: %s", name, got, c.want, c.why)
		}
		if isOurs := strings.HasPrefix(c.address, certificateURL); (len(f.asked) == 1) != isOurs {
			t.Errorf("%s: fetched %v", name, f.asked)
		}
	}
}

// signed returns a sample, signed with a key whose certificate is said to be at a URL.
func signed(t testing.TB, key *snstest.Key, address string) *provider.Request {
	t.Helper()
	r := &provider.Request{Body: sample(t, "email-delivered"), ReceivedAt: received()}
	if err := scalewaytem.Sign([]byte(settingsOf(t, string(key.CertificatePEM))), key.PEM, r); err != nil {
		t.Fatal(err)
	}
	r.Body = snstest.Edit(r.Body, "/SigningCertURL", address)
	return r
}

// sample returns the body of a sample.
func sample(t testing.TB, name string) []byte {
	t.Helper()
	text, err := fs.ReadFile(scalewaytem.Files(), "samples/"+name+".http")
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(text), "\r\n\r\n")
	return []byte(body)
}

func decode(t testing.TB, message string) provider.Batch {
	t.Helper()
	w, err := tem.Kind().New([]byte(settingsOf(t, string(snstest.NewKey(t, snstest.Named("signer"), nil).CertificatePEM))), provider.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	return w.Decode(&provider.Request{Body: snstest.Edit(sample(t, "email-delivered"), "/Message", message), ReceivedAt: received()})
}

// TestOddities shows what is read of messages in odd forms, and what becomes a dead letter.
func TestOddities(t *testing.T) {
	t.Parallel()
	type facts struct {
		Type                 event.Type
		Bounce               event.Bounce
		SMTPCode             int
		MessageID, Recipient string
	}
	for name, c := range map[string]struct {
		why, message string
		want         facts
		undecodable  string
	}{
		"a type that is new": {"Scaleway adds some", `{"id": "e", "type": "email_teleported", "email_to": "a@example.com"}`, facts{Type: event.Unknown, Recipient: "a@example.com"}, ""},
		"a code as a text":   {"an odd member costs no event", `{"id": "e", "type": "email_delivered", "email_response_code": "250"}`, facts{Type: event.Delivered, SMTPCode: 250}, ""},
		"a code that is none": {
			"0 is what a program has before it knows", `{"id": "e", "type": "email_dropped", "email_response_code": 0, "email_response_message": "550 5.1.1 unknown"}`,
			facts{Type: event.Bounced, Bounce: event.Bounce{Type: event.Hard, Category: event.CategoryUserUnknown}, SMTPCode: 550},
			"",
		},
		"headers that are none":     {"an odd member costs no event", `{"id": "e", "type": "email_queued", "email_headers": null}`, facts{Type: event.Accepted}, ""},
		"a Message-ID":              {"in any letter case", `{"id": "e", "type": "email_queued", "email_headers": [{"key": "message-id", "value": "<x@example.com>"}]}`, facts{Type: event.Accepted, MessageID: "x@example.com"}, ""},
		"a sentence":                {"nothing is documented", `hello`, facts{}, "the message is a text, and no event"},
		"of somebody else":          {"other programs post to topics", `{"alarm": 1}`, facts{}, "type is missing"},
		"a type twice":              {"nobody knows which", `{"type": "email_queued", "type": "email_spam"}`, facts{}, `the member "type" occurs twice, with different values`},
		"of Amazon's event dialect": {"it is another provider's", `{"eventType": "Open"}`, facts{}, "type is missing"},
	} {
		b := decode(t, c.message)
		if c.undecodable != "" {
			if len(b.Events) != 0 || len(b.Undecodable) != 1 || b.Undecodable[0].Reason != c.undecodable {
				t.Errorf("%s: %d events, undecodable %v, want %s: %s", name, len(b.Events), b.Undecodable, c.undecodable, c.why)
			}
			continue
		}
		if len(b.Events) != 1 {
			t.Errorf("%s: %d events, undecodable %v: %s", name, len(b.Events), b.Undecodable, c.why)
			continue
		}
		e := b.Events[0]
		if diff := cmp.Diff(c.want, facts{e.Type, e.Bounce, e.SMTPCode, e.MessageID, e.Recipient}); diff != "" {
			t.Errorf("%s, %s: -want +got:\n%s", name, c.why, diff)
		}
	}
}

// TestIdentity has events told again in another message.
func TestIdentity(t *testing.T) {
	t.Parallel()
	const event1, event2, nameless = `{"id": "e-1", "type": "email_queued"}`, `{"id": "e-1", "type": "email_delivered"}`, `{"type": "email_queued"}`
	id := func(message, in string) string {
		w, err := tem.Kind().New([]byte(settingsOf(t, string(snstest.NewKey(t, snstest.Named("signer"), nil).CertificatePEM))), provider.Environment{})
		if err != nil {
			t.Fatal(err)
		}
		body := snstest.Edit(snstest.Edit(sample(t, "email-delivered"), "/Message", message), "/MessageId", in)
		return w.Decode(&provider.Request{Body: body, ReceivedAt: received()}).Events[0].ID
	}
	for name, c := range map[string]struct {
		a, b string
		same bool
	}{
		"told in two messages":              {id(event1, "m-1"), id(event1, "m-2"), true},
		"two events of one id":              {id(event1, "m-1"), id(event2, "m-1"), false},
		"without an id, sent again":         {id(nameless, "m-1"), id(nameless, "m-1"), true},
		"without an id, in another message": {id(nameless, "m-1"), id(nameless, "m-2"), false},
	} {
		if (c.a == c.b) != c.same {
			t.Errorf("%s: one event: %v, want %v", name, c.a == c.b, c.same)
		}
	}
}

// TestConfirmation shows which calls are made.
func TestConfirmation(t *testing.T) {
	t.Parallel()
	const query = "?Action=ConfirmSubscription&TopicArn=" + topicARN + "&Token=t"
	for address, confirms := range map[string]bool{
		"https://sns.mnq.fr-par.scaleway.com/" + query:              true,
		"https://sns.mnq.fr-par.scaleway.com" + query:               true,
		"https://sns.mnq.nl-ams.scaleway.com/" + query:              false,
		"https://sns.fr-par.amazonaws.com/" + query:                 false,
		"https://sns.mnq.fr-par.scaleway.com.evil.example/" + query: false,
	} {
		w, err := tem.Kind().New([]byte(settingsOf(t, string(snstest.NewKey(t, snstest.Named("signer"), nil).CertificatePEM))), provider.Environment{})
		if err != nil {
			t.Fatal(err)
		}
		b := w.Decode(&provider.Request{Body: []byte(`{"Type": "SubscriptionConfirmation", "MessageId": "m", "Token": "t", "TopicArn": "` + topicARN + `", "SubscribeURL": "` + address + `"}`)})
		if (len(b.Confirm) == 1) != confirms || (len(b.Undecodable) == 0) != confirms {
			t.Errorf("%s: %d calls, want one: %v", address, len(b.Confirm), confirms)
		}
	}
}

// TestSettings shows what cannot work.
func TestSettings(t *testing.T) {
	t.Parallel()
	certificate := string(snstest.NewKey(t, snstest.Named("signer"), nil).CertificatePEM)
	for want, settings := range map[string]string{
		"topicARNs: must hold at least one":                 strings.Replace(settingsOf(t, certificate), topicARN, "", 1),
		"certificateAuthorities: must hold at least one":    settingsOf(t),
		"certificateAuthorities[1]: holds no certificate":   settingsOf(t, certificate, "a"),
		"confirmSubscriptions: must be Automatic or Manual": strings.Replace(settingsOf(t, certificate), "{", `{"confirmSubscriptions": "Never", `, 1),
		"topicARNs[0]: the partition of the ARN":            strings.Replace(settingsOf(t, certificate), "scw", "aws", 1),
	} {
		if want == "topicARNs: must hold at least one" {
			settings = strings.Replace(settings, `[""]`, "[]", 1)
		}
		if _, err := tem.Kind().New([]byte(settings), provider.Environment{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestBodies decodes the examples of the pages.
func TestBodies(t *testing.T) {
	t.Parallel()
	for _, path := range providertest.Facts(t, "samples/scaleway/*.message.json") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b := decode(t, string(text))
		if len(b.Events) != 1 || b.Events[0].Type == event.Unknown || b.Events[0].Recipient != "recipient@example.com" || b.Events[0].Metadata["X-Metadata"] != "v" {
			t.Errorf("%s: %d events, undecodable %v", path, len(b.Events), b.Undecodable)
		}
	}
}
