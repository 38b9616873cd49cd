package httpsink

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"time"
)

// sign sets the headers of Standard Webhooks 1.0.0: webhook-id, webhook-timestamp and webhook-signature, the last with a
// signature for every key, separated by spaces, so that the receiver may hold any one of them.
func sign(h http.Header, keys [][]byte, id string, at time.Time, b body) {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", timestamp)
	if len(keys) == 0 {
		return
	}
	var signatures []byte
	for i, key := range keys {
		if i > 0 {
			signatures = append(signatures, ' ')
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + timestamp + "."))
		for n := range b.parts() {
			mac.Write(b.part(n))
		}
		signatures = append(signatures, "v1,"...)
		signatures = base64.StdEncoding.AppendEncode(signatures, mac.Sum(nil))
	}
	h.Set("Webhook-Signature", string(signatures))
}
