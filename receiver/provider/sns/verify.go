package sns

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/scheme"
	"github.com/mailvane/mailvane/receiver/provider/sns/topic"
	"github.com/mailvane/mailvane/receiver/provider/wire"
	"github.com/mailvane/mailvane/receiver/signature"
)

// maxCertificateURL bounds the URL of a certificate, in bytes; those of AWS have some 110.
const maxCertificateURL = 512

// envelope is what SNS posts, read strictly: a name that occurs twice, or a text that is not UTF-8, could mean one thing to whoever checks
// it and another to whoever reads it.
type envelope struct {
	Type             string
	MessageID        string `json:"MessageId"`
	TopicARN         string `json:"TopicArn"`
	Subject          *string
	Message          string
	Timestamp        string
	Token            string
	SubscribeURL     string
	SignatureVersion string
	Signature        string
	SigningCertURL   string
}

// Verify checks that a listed topic signed a body: first what costs nothing, then the certificate, which may have to be fetched, then the
// signature. With raw delivery, a body without an envelope passes: the endpoint's further factors are what was checked of it.
func (e *Endpoint) Verify(ctx context.Context, r *provider.Request) (provider.Proof, error) {
	if e.RawDelivery && !isEnvelope(r.Body) {
		return provider.Proof{}, nil
	}
	key, err := e.verify(ctx, r)
	if err != nil {
		return provider.Proof{}, provider.RefuseSignature(err)
	}
	return provider.Proof{Key: key}, nil
}

// isEnvelope reports whether a body is one, or pretends to be.
func isEnvelope(body []byte) bool {
	found := false
	_ = wire.Single(body, func(item wire.Item) error { // what cannot be read is none
		found = item.JSON(typeMember) != ""
		return nil
	})
	return found
}

func (e *Endpoint) verify(ctx context.Context, r *provider.Request) (key string, err error) {
	var env envelope
	if json.Unmarshal(wire.Trim(r.Body), &env) != nil {
		return "", signature.ErrMalformed
	}
	check, err := e.check(&env)
	if err != nil {
		return "", err
	}
	t, listed := e.Topics[env.TopicARN]
	if !listed {
		return "", provider.Refuse(provider.ReasonSender)
	}
	if !e.isCertificate(&t, env.SigningCertURL) {
		return "", signature.ErrUnknownKey
	}
	for _, pinned := range e.Pinned {
		if check(pinned) == nil {
			return fingerprint(pinned), nil
		}
	}
	fetched, err := e.fetch(ctx, &t, env.SigningCertURL, r.ReceivedAt)
	if err != nil {
		return "", err
	}
	return fingerprint(fetched), check(fetched)
}

// check returns what checks the signature of an envelope with a certificate.
func (e *Endpoint) check(env *envelope) (func(*x509.Certificate) error, error) {
	if env.Signature == "" {
		return nil, signature.ErrMissing
	}
	value, err := base64.StdEncoding.DecodeString(env.Signature)
	if err != nil {
		return nil, signature.ErrMalformed
	}
	text, err := env.signed()
	if err != nil {
		return nil, err
	}
	var hash crypto.Hash
	var digest []byte
	switch {
	case env.SignatureVersion == "2":
		sum := sha256.Sum256(text)
		hash, digest = crypto.SHA256, sum[:]
	case env.SignatureVersion == "1" && !e.OnlyVersion2:
		sum := sha1.Sum(text)
		hash, digest = crypto.SHA1, sum[:]
	default:
		return nil, signature.ErrMalformed
	}
	return func(c *x509.Certificate) error {
		key, ok := c.PublicKey.(*rsa.PublicKey)
		if !ok {
			return signature.ErrUnknownKey
		}
		return scheme.VerifyRSA(key, hash, digest, value)
	}, nil
}

// signed returns what is signed: names and values in the order of the names, each followed by a line feed. Only a message may hold one:
// with a line feed in its MessageId, an envelope with a Subject could be sent again as one without, under another id.
func (env *envelope) signed() ([]byte, error) {
	lines := []string{messageIDMember, env.MessageID}
	switch env.Type {
	case notification:
		if env.Subject != nil {
			lines = append(lines, subjectMember, *env.Subject)
		}
		lines = append(lines, timestampMember, env.Timestamp)
	case subscriptionConfirmation, unsubscribeConfirmation:
		lines = append(lines, subscribeMember, env.SubscribeURL, timestampMember, env.Timestamp, tokenMember, env.Token)
	default:
		return nil, signature.ErrMalformed
	}
	text := []byte(messageMember + "\n" + env.Message + "\n")
	for _, line := range append(lines, topicMember, env.TopicARN, typeMember, env.Type) {
		if strings.Contains(line, "\n") {
			return nil, signature.ErrMalformed
		}
		text = append(append(text, line...), '\n')
	}
	return text, nil
}

// isCertificate reports whether a certificate that signs for a topic may stand at a URL. The URL is not signed.
func (e *Endpoint) isCertificate(t *topic.Topic, address string) bool {
	if len(address) > maxCertificateURL {
		return false
	}
	u, ok := plainURL(address)
	return ok && u.RawQuery == "" && !u.ForceQuery && e.Service.Signs(t, u)
}

// plainURL reads an https URL without user name, port and fragment.
func plainURL(address string) (*url.URL, bool) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.User != nil || u.Host != u.Hostname() || u.Fragment != "" || u.Opaque != "" {
		return nil, false
	}
	return u, true
}

// fetch returns the certificate at a URL that was checked.
func (e *Endpoint) fetch(ctx context.Context, t *topic.Topic, address string, now time.Time) (*x509.Certificate, error) {
	c, err := e.Certificates.Key(ctx, address, now)
	if err != nil {
		return nil, err
	}
	if !e.Service.Trusts(t, c, now) {
		return nil, signature.ErrUnknownKey
	}
	return c, nil
}

// fingerprint names a certificate: it is the first eight bytes of its SHA-256 in hexadecimal, whatever URL it came from.
func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:8])
}
