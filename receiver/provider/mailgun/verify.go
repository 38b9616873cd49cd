package mailgun

import (
	"context"
	"crypto/sha256"
	"strconv"
	"strings"
	"time"

	"github.com/mailvane/mailvane/receiver/body/form"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/scheme"
	"github.com/mailvane/mailvane/receiver/provider/wire"
	"github.com/mailvane/mailvane/receiver/signature"
)

// The members of the signature, and the fields of a form, that hold it.
const (
	timestampName = "timestamp"
	tokenName     = "token"
	signatureName = "signature"
	parentName    = "parent-signature"
)

// signed is what a body says of its signature.
type signed struct {
	timestamp, token string
	// values are the signatures of the account and, of a subaccount's event, of its parent; "" = there is none.
	values [2]string
}

// Verify checks that one of the keys signed the time and the token, which are in the body and say nothing of the rest of it: whoever has
// seen a request can send another body with them. So an endpoint should have a further factor.
func (w *webhook) Verify(_ context.Context, r *provider.Request) (provider.Proof, error) {
	s, err := signatureOf(r)
	if err != nil {
		return provider.Proof{}, provider.RefuseSignature(err)
	}
	proof, err := scheme.Proved(w.verify(s, r.ReceivedAt))
	if err == nil {
		proof.Bearer = s.timestamp + s.token // what is signed: where one ends and the other begins is not
	}
	return proof, err
}

func (w *webhook) verify(s signed, now time.Time) (key int, err error) {
	err = signature.ErrMismatch
	for _, text := range s.values {
		var mac [sha256.Size]byte
		if text == "" {
			continue
		}
		if malformed := signature.DecodeHex(mac[:], text); malformed != nil {
			err = malformed
			continue
		}
		if key, ok := w.macs.Match(mac[:], []byte(s.timestamp), []byte(s.token)); ok {
			return key, w.checkTime(s.timestamp, now)
		}
	}
	return 0, err
}

func (w *webhook) checkTime(timestamp string, now time.Time) error {
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return signature.ErrMalformed
	}
	return signature.CheckTime(time.Unix(seconds, 0), now, w.tolerance)
}

// signatureOf reads the signature of a body, which is not trusted yet.
func signatureOf(r *provider.Request) (signed, error) {
	s, err := signed{}, signature.ErrMalformed
	if isJSON(r.Body) {
		err = wire.Single(r.Body, func(i wire.Item) error {
			o := i.Object.Object(signatureName)
			s = signed{o.Text(timestampName), textOf(o, tokenName), [2]string{textOf(o, signatureName), textOf(o, parentName)}}
			return nil
		})
	} else if f, malformed := form.Parse(r.Header.Get(contentType), r.Body); malformed == nil {
		s, err = signed{last(&f, timestampName), last(&f, tokenName), [2]string{last(&f, signatureName)}}, nil
	}
	switch {
	case err != nil:
		return s, signature.ErrMalformed
	case s.timestamp == "" || s.token == "" || s.values[0] == "":
		return s, signature.ErrMissing
	default:
		return s, nil
	}
}

// textOf returns a member that is a text, and "" for anything else: no digits of a number are a token.
func textOf(o wire.Object, name string) string {
	if !strings.HasPrefix(o.JSON(name), `"`) {
		return ""
	}
	return o.Text(name)
}

// last returns the last value of a field. Mailgun's own come last: the sender's variables, of which one may have their name, before them.
func last(f *form.Form, name string) string {
	values := f.All(name)
	if len(values) == 0 {
		return ""
	}
	return string(values[len(values)-1])
}

// isJSON reports whether a body is no form.
func isJSON(body []byte) bool {
	body = wire.Trim(body)
	return len(body) > 0 && body[0] == '{'
}
