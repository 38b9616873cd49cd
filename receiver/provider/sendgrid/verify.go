package sendgrid

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/scheme"
	"github.com/mailvane/mailvane/receiver/signature"
)

// The headers of a signed request, in the form that net/http keeps them in and otherwise makes at each look.
const (
	signatureHeader = "X-Twilio-Email-Event-Webhook-Signature"
	timestampHeader = "X-Twilio-Email-Event-Webhook-Timestamp"
)

// maxSignature is above the length of a signature in base64: DER of two numbers of 32 bytes.
const maxSignature = 128

// Authenticates reports whether there are keys.
func (w *webhook) Authenticates() bool { return len(w.keys) > 0 }

// Verify checks that one of the keys signed the time and the body. Without keys there is nothing to check and every request passes:
// such an endpoint is let in only with another factor.
func (w *webhook) Verify(_ context.Context, r *provider.Request) (provider.Proof, error) {
	if !w.Authenticates() {
		return provider.Proof{}, nil
	}
	return scheme.Proved(w.verify(r))
}

func (w *webhook) verify(r *provider.Request) (key int, err error) {
	text, err := signature.Header(r.Header, signatureHeader)
	if err != nil {
		return 0, err
	}
	timestamp, err := signature.Header(r.Header, timestampHeader)
	if err != nil {
		return 0, err
	}
	if len(text) > maxSignature || !endsApart(timestamp, r.Body) {
		return 0, signature.ErrMalformed
	}
	value, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return 0, signature.ErrMalformed
	}
	hash := sha256.New()
	hash.Write([]byte(timestamp))
	hash.Write(r.Body)
	digest := hash.Sum(nil)
	key = -1
	for i, k := range w.keys {
		if scheme.VerifyECDSA(k, digest, value) == nil {
			key = i
		}
	}
	if key < 0 {
		return 0, signature.ErrMismatch
	}
	return key, w.checkTime(timestamp, r.ReceivedAt)
}

// endsApart reports whether it is clear where the time ends and the body begins. Nothing that is signed separates them, so that whoever
// holds a request could move bytes from one to the other, and take the first part of a mail away. No body of SendGrid begins with a digit.
func endsApart(timestamp string, body []byte) bool {
	isDigit := func(c rune) bool { return '0' <= c && c <= '9' }
	return strings.TrimFunc(timestamp, isDigit) == "" && (len(body) == 0 || !isDigit(rune(body[0])))
}

func (w *webhook) checkTime(timestamp string, now time.Time) error {
	if w.tolerance == 0 {
		return nil
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return signature.ErrMalformed
	}
	return signature.CheckTime(time.Unix(seconds, 0), now, w.tolerance)
}
