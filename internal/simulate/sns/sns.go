// Package sns makes the requests that topics of Amazon SNS would send, and those of services that speak its protocol.
package sns

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/internal/simulate/signingkey"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// Topic is what is signed for.
type Topic struct {
	// ARN is that of a topic that may post to the endpoint.
	ARN string
	// CertificateURL is where its certificate would stand, and ConfirmHost the host of the URLs that confirm.
	CertificateURL, ConfirmHost string
	// Pinned are the certificates of the endpoint's settings.
	Pinned []*x509.Certificate
	// Version2 has SHA-256 signed whatever the request says.
	Version2 bool
}

// Sign has a request come from the topic, and signs it with a key in PKCS #8 PEM, whose certificate must be pinned.
func (t *Topic) Sign(signingKey []byte, r *provider.Request) error {
	key, err := t.key(signingKey)
	if err != nil {
		return err
	}
	r.Body = t.address(r.Body)
	var signed map[string]any
	if json.Unmarshal(r.Body, &signed) != nil {
		return errors.New("the body is no message of SNS")
	}
	var text bytes.Buffer
	for _, name := range names(signed["Type"]) {
		if value, ok := signed[name].(string); ok {
			text.WriteString(name + "\n" + value + "\n")
		}
	}
	hash, digest := crypto.SHA1, sha1Of(text.Bytes())
	if signed["SignatureVersion"] == "2" {
		sum := sha256.Sum256(text.Bytes())
		hash, digest = crypto.SHA256, sum[:]
	}
	value, err := rsa.SignPKCS1v15(rand.Reader, key, hash, digest)
	if err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	r.Body = edit(r.Body, map[string]string{"/Signature": base64.StdEncoding.EncodeToString(value)})
	t.headers(r, signed)
	return nil
}

func sha1Of(text []byte) []byte {
	sum := sha1.Sum(text)
	return sum[:]
}

// names are the members that are signed, in their order.
func names(kind any) []string {
	if kind == "Notification" {
		return []string{"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"}
	}
	return []string{"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"}
}

func (t *Topic) key(text []byte) (*rsa.PrivateKey, error) {
	key, err := signingkey.Parse[*rsa.PrivateKey]("RSA", text)
	if err != nil {
		return nil, err
	}
	for _, c := range t.Pinned {
		if key.PublicKey.Equal(c.PublicKey) {
			return key, nil
		}
	}
	return nil, errors.New("none of the endpoint's certificates is that of the signing key")
}

// address has a body name the topic.
func (t *Topic) address(body []byte) []byte {
	changes := map[string]string{"/TopicArn": t.ARN, "/SigningCertURL": t.CertificateURL}
	if t.Version2 {
		changes["/SignatureVersion"] = "2"
	}
	var message struct{ SubscribeURL string }
	if json.Unmarshal(body, &message) == nil && message.SubscribeURL != "" {
		if u, err := url.Parse(message.SubscribeURL); err == nil {
			query := u.Query()
			query.Set("TopicArn", t.ARN)
			u.Host, u.RawQuery = t.ConfirmHost, query.Encode()
			changes["/SubscribeURL"] = u.String()
		}
	}
	return edit(body, changes)
}

// headers sets those that SNS sends beside the body.
func (t *Topic) headers(r *provider.Request, signed map[string]any) {
	if r.Header == nil {
		r.Header = http.Header{}
	}
	for header, value := range map[string]any{
		"X-Amz-Sns-Message-Type": signed["Type"], "X-Amz-Sns-Message-Id": signed["MessageId"], "X-Amz-Sns-Topic-Arn": t.ARN,
	} {
		if text, ok := value.(string); ok {
			r.Header.Set(header, text)
		}
	}
}

// edit replaces texts that stand at JSON Pointers.
func edit(body []byte, changes map[string]string) []byte {
	return wire.Edit(body, func(at jsontext.Pointer, token jsontext.Token) string {
		text, ok := changes[string(at)]
		if !ok || token.Kind() != jsontext.KindString {
			return ""
		}
		return wire.Quote(text)
	})
}

// Freshen has a sample tell of a new event in a new message. Fresh returns the new value of a member of the message by its name and old
// value; "" keeps it.
func Freshen(r *provider.Request, unique string, fresh func(name, old string) string) {
	r.Body = wire.Edit(r.Body, func(at jsontext.Pointer, token jsontext.Token) string {
		if token.Kind() != jsontext.KindString {
			return ""
		}
		switch at {
		case "/MessageId":
			return wire.Quote(unique)
		case "/Timestamp":
			return wire.Quote(Time(r.ReceivedAt))
		case "/Message":
			return wire.Quote(message(token.String(), fresh))
		default:
			return ""
		}
	})
}

func message(text string, fresh func(name, old string) string) string {
	return string(wire.Edit([]byte(text), func(at jsontext.Pointer, token jsontext.Token) string {
		if token.Kind() != jsontext.KindString {
			return ""
		}
		if changed := fresh(at.LastToken(), token.String()); changed != "" {
			return wire.Quote(changed)
		}
		return ""
	}))
}

// Time writes a time as SNS does.
func Time(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
