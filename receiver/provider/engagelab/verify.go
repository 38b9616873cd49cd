package engagelab

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/engagelab/settings"
	"github.com/mailvane/mailvane/receiver/provider/scheme"
	"github.com/mailvane/mailvane/receiver/provider/wire"
	"github.com/mailvane/mailvane/receiver/signature"
)

// The headers of a webhook, in the form that net/http keeps them in and otherwise makes at each look.
const (
	timestampHeader = "X-Webhook-Timestamp"
	appKeyHeader    = "X-Webhook-Appkey"
	signatureHeader = "X-Webhook-Signature"
)

// appKeyValue is the fixed value of the key header. Any other is refused: MD5 runs the timestamp and this value together,
// so a free value could be shifted against the timestamp.
const appKeyValue = "email"

// Verify checks that one of the app keys signed the timestamp. No variant of the signature covers the body: it is a
// password bound to a time, so an endpoint should have a further factor, and a tolerance where the sender's behaviour allows one.
func (w *webhook) Verify(_ context.Context, r *provider.Request) (provider.Proof, error) {
	proof, err := scheme.Proved(w.verify(r))
	if err == nil && w.algorithm != hmacSHA256ITime { // which signs a second, and many events are of one
		proof.Bearer = r.Header.Get(timestampHeader)
	}
	return proof, err
}

func (w *webhook) verify(r *provider.Request) (key int, err error) {
	text, err := signature.Header(r.Header, signatureHeader)
	if err != nil {
		return 0, err
	}
	appKey, err := signature.Header(r.Header, appKeyHeader)
	if err != nil {
		return 0, err
	}
	if appKey != appKeyValue {
		return 0, signature.ErrMalformed
	}
	algorithm := w.algorithm
	if algorithm == auto {
		algorithm = algorithmOf(text)
	}
	var longest [sha256.Size]byte
	mac := longest[:sizeOf(algorithm)]
	if err := signature.DecodeHex(mac, text); err != nil {
		return 0, err
	}
	message, err := signedTime(r, algorithm)
	if err != nil {
		return 0, err
	}
	key, ok := w.match(algorithm, mac, message)
	if !ok {
		return 0, signature.ErrMismatch
	}
	return key, w.checkTime(message, r.ReceivedAt)
}

// algorithmOf tells the two documented algorithms apart by the length of what they yield.
func algorithmOf(text string) settings.SignatureAlgorithm {
	if len(text) == hex.EncodedLen(md5.Size) {
		return md5Digest
	}
	return hmacSHA256
}

func sizeOf(algorithm settings.SignatureAlgorithm) int {
	if algorithm == md5Digest {
		return md5.Size
	}
	return sha256.Size
}

// match returns the position of the app key that signed a timestamp.
func (w *webhook) match(algorithm settings.SignatureAlgorithm, mac []byte, timestamp string) (key int, ok bool) {
	if algorithm != md5Digest {
		return w.macs.Match(mac, []byte(timestamp))
	}
	return w.keys.Match(mac, func(key []byte) []byte { return sum(algorithm, key, timestamp) })
}

// sum is the signature of a timestamp.
func sum(algorithm settings.SignatureAlgorithm, key []byte, timestamp string) []byte {
	if algorithm != md5Digest {
		return signature.HMAC(sha256.New, key, []byte(timestamp))
	}
	h := md5.New()
	h.Write([]byte(timestamp + appKeyValue))
	h.Write(key)
	return h.Sum(nil)
}

// signedTime returns the text that was signed.
func signedTime(r *provider.Request, algorithm settings.SignatureAlgorithm) (string, error) {
	if algorithm == hmacSHA256ITime {
		return itime(r.Body)
	}
	return signature.Header(r.Header, timestampHeader)
}

func (w *webhook) checkTime(text string, now time.Time) error {
	if w.tolerance == 0 {
		return nil
	}
	at, ok := wire.DateTime(text).Time()
	if !ok {
		return signature.ErrMalformed
	}
	return signature.CheckTime(at, now, w.tolerance)
}
