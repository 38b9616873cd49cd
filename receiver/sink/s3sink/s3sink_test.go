package s3sink

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/sinktest"
	"github.com/mailvane/mailvane/test/authority"
	"github.com/mailvane/mailvane/test/storage"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	sinktest.Run(t, func(t *testing.T) sinktest.Harness { return start(t).harness() })
}

// mixed are messages of two types and two days.
func mixed() []sink.Message {
	messages := sinktest.Messages(0, 5)
	messages[1].Type = "dev.mailvane.email.bounced.v1"
	messages[3].Type = "dev.mailvane.email.bounced.v1"
	messages[4].Time = messages[4].Time.Add(24 * time.Hour)
	return messages
}

// TestObjects looks at what a reader of the bucket finds, for each compression.
func TestObjects(t *testing.T) {
	t.Parallel()
	d := start(t)
	for compression, suffix := range map[string]string{"Zstd": "zst", "Gzip": "gz", "None": ""} {
		d.empty(t)
		batch := sink.NewBatch(mixed())
		must(t, d.open(t, fmt.Sprintf(`,"prefix":"%s/type={type}/date={date}/{endpoint}-","compression":%q`, compression, compression)).Send(t.Context(), batch))
		name := "in-" + batch.ID + strings.TrimSuffix(".jsonl."+suffix, ".")
		want := []string{
			compression + "/type=email.bounced/date=2026-01-02/" + name,
			compression + "/type=email.sent/date=2026-01-02/" + name,
			compression + "/type=email.sent/date=2026-01-03/" + name,
		}
		got := d.stored(t)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", compression, diff)
			continue
		}
		if lines, want := string(d.read(t, want[0])), string(sink.JoinLines([]sink.Message{batch.Messages[1], batch.Messages[3]})); lines != want {
			t.Errorf("%s: %s, want %s", compression, lines, want)
		}
	}
}

// TestWhatIsSentAgainOverwritesItself also by another receiver, and leaves what others have written.
func TestWhatIsSentAgainOverwritesItself(t *testing.T) {
	t.Parallel()
	d := start(t)
	first, second := d.open(t, ""), d.open(t, "")
	for _, s := range []sink.Sink{first, first, second} {
		must(t, s.Send(t.Context(), sink.NewBatch(mixed())))
	}
	must(t, second.Send(t.Context(), sinktest.Batch(9, 2)))
	if got := d.received(t); len(got) != 7 {
		t.Errorf("%v, want seven", got)
	}
}

// TestHalfOfABatch has storage fail behind the first object: what it has is not sent again.
func TestHalfOfABatch(t *testing.T) {
	t.Parallel()
	d := start(t)
	s := d.open(t, "")
	refuse := saying(http.StatusServiceUnavailable, "SlowDown")
	d.set(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "email.sent") {
			d.set(refuse)
		}
		refuse(w, r)
	})
	if err := s.Send(t.Context(), sink.NewBatch(mixed())); sink.RetryAfter(err) == 0 || sink.FailedOf(err, 5) != nil {
		t.Errorf("all of it: %v", err)
	}
	d.set(nil)
	messages := mixed()
	messages[0].Type = "dev.mailvane.email.bounced.v1" // its object comes first
	stop := d.front.Config.Handler
	d.front.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "email.sent") {
			refuse(w, r)
			return
		}
		stop.ServeHTTP(w, r)
	})
	failed := sink.FailedOf(s.Send(t.Context(), sink.NewBatch(messages)), 5)
	if len(failed) != 2 || sink.RetryAfter(failed[2]) == 0 || failed[4] == nil {
		t.Errorf("failed: %v, want the third and the last", failed)
	}
	if diff := cmp.Diff([]string{sinktest.ID(0), sinktest.ID(1), sinktest.ID(3)}, d.received(t)); diff != "" {
		t.Error(diff)
	}
}

// TestWhatStorageSays has it refuse in each way that an operator mends.
func TestWhatStorageSays(t *testing.T) {
	t.Parallel()
	d := start(t)
	for name, tc := range map[string]struct {
		status int
		code   string
		want   sink.Cause
		say    string
	}{
		"no right":        {http.StatusForbidden, "AccessDenied", sink.CredentialRefused, "the right s3:PutObject"},
		"no key":          {http.StatusForbidden, "InvalidAccessKeyId", sink.CredentialRefused, "InvalidAccessKeyId"},
		"expired":         {http.StatusBadRequest, "ExpiredToken", sink.CredentialRefused, "ExpiredToken"},
		"a wrong clock":   {http.StatusForbidden, "RequestTimeTooSkewed", sink.CredentialRefused, "RequestTimeTooSkewed"},
		"another region":  {http.StatusMovedPermanently, "PermanentRedirect", sink.DestinationNotFound, "name the region"},
		"no such key":     {http.StatusBadRequest, "KMS.NotFoundException", sink.DeliveryFailing, "KMS.NotFoundException"},
		"full":            {http.StatusInsufficientStorage, "XMinioStorageFull", sink.DeliveryFailing, "XMinioStorageFull"},
		"damaged":         {http.StatusBadRequest, "BadDigest", sink.DeliveryFailing, "BadDigest"},
		"no code":         {http.StatusBadGateway, "", sink.DeliveryFailing, "the storage"},
		"not implemented": {http.StatusNotImplemented, "NotImplemented", sink.DeliveryFailing, "NotImplemented"},
	} {
		d.set(saying(tc.status, tc.code))
		err := d.open(t, "").Send(t.Context(), sinktest.Batch(0, 2))
		if sink.CauseOf(err) != tc.want || sink.IsPermanent(err) || !strings.Contains(err.Error(), tc.say) || strings.Contains(err.Error(), storage.SigningKey) {
			t.Errorf("%s: %v, want %s with %q", name, err, tc.want, tc.say)
		}
	}
}

// TestProbes has a bucket that is not there, a wrong key, and a user who may write alone.
func TestProbes(t *testing.T) {
	t.Parallel()
	d := start(t)
	probe := func(settings string) error {
		s, err := newSink([]byte(settings), sink.Environment{})
		must(t, err)
		defer s.Close() //nolint:errcheck // it returns nil
		return s.(*s3Sink).Probe(t.Context())
	}
	if err := probe(d.settings("")); err != nil {
		t.Errorf("all is well: %v", err)
	}
	for change, want := range map[[2]string]sink.Cause{
		{bucket, "elsewhere"}:                                  sink.DestinationNotFound,
		{storage.SigningKey, "another"}:                        sink.CredentialRefused,
		{`"accessKeyID":"mailvane"`, `"accessKeyID":"nobody"`}: sink.CredentialRefused,
		{d.front.URL, "http://127.0.0.1:1"}:                    sink.DestinationUnreachable,
	} {
		if err := probe(strings.ReplaceAll(d.settings(""), change[0], change[1])); sink.CauseOf(err) != want {
			t.Errorf("%s: %v, want %s", change[1], err, want)
		}
	}
	d.set(saying(http.StatusForbidden, "AccessDenied"))
	if err := probe(d.settings("")); err != nil {
		t.Errorf("who may not list may write: %v", err)
	}
}

// TestWhatIsAskedFor looks at the headers of a request.
func TestWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	d := start(t)
	var header http.Header
	d.set(func(w http.ResponseWriter, r *http.Request) {
		header = r.Header
		saying(http.StatusForbidden, "AccessDenied")(w, r)
	})
	for more, want := range map[string][2]string{
		"":                       {"", ""},
		`,"encryption":"AES256"`: {"AES256", ""},
		`,"encryption":"KMS"`:    {"aws:kms", ""},
		`,"encryption":"KMS","kmsKeyID":"alias/mail"`: {"aws:kms", "alias/mail"},
	} {
		_ = d.open(t, more).Send(t.Context(), sinktest.Batch(0, 1)) // it is refused
		got := [2]string{header.Get("X-Amz-Server-Side-Encryption"), header.Get("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id")}
		if got != want || !regexp.MustCompile(`^[A-Za-z0-9+/]{22}==$`).MatchString(header.Get("Content-Md5")) {
			t.Errorf("%s: %v, want %v", more, header, want)
		}
	}
}

// TestAnotherAtTheSameName has the storage replaced by one that is empty: the bucket is missed, and written to when it is made.
func TestAnotherAtTheSameName(t *testing.T) {
	t.Parallel()
	d := start(t)
	s := d.open(t, "")
	must(t, s.Send(t.Context(), sinktest.Batch(0, 1)))
	d.empty(t)
	_, err := d.client().DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: aws.String(bucket)})
	must(t, err)
	if err := s.Send(t.Context(), sinktest.Batch(1, 1)); sink.CauseOf(err) != sink.DestinationNotFound || !strings.Contains(err.Error(), "create the bucket events") {
		t.Errorf("Send = %v", err)
	}
	_, err = d.client().CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String(bucket)})
	must(t, err)
	must(t, s.Send(t.Context(), sinktest.Batch(1, 1)))
}

// TestCertificates has a server that has a certificate of its own authority, and asks for one.
func TestCertificates(t *testing.T) {
	t.Parallel()
	const name = "s3.internal"
	d := start(t)
	a, err := authority.New()
	must(t, err)
	identity, err := a.Issue(name)
	must(t, err)
	me, err := a.Issue("mailvane")
	must(t, err)
	config, err := a.Client(identity, "")
	must(t, err)
	front := httptest.NewUnstartedServer(d.front.Config.Handler)
	front.TLS = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: config.Certificates, ClientCAs: config.RootCAs, ClientAuth: tls.RequireAndVerifyClientCert}
	front.Config.ErrorLog = log.New(io.Discard, "", 0) // whom it does not let in is tested
	front.StartTLS()
	t.Cleanup(front.Close)
	sinktest.Trusts(t, sinktest.Trust{
		Kind: Kind(), Authority: a, ServerName: name, Client: me,
		Settings: func(tls string) string {
			return strings.Replace(d.settings(`,"tls":`+tls), d.front.URL, front.URL, 1)
		},
	})
}
