package engagelab

import (
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/engagelab/settings"
	"github.com/mailvane/mailvane/receiver/signature"
)

// The values of signatureAlgorithm.
const (
	// auto takes a signature of 64 hexadecimal digits as hmacSHA256 and one of 32 as md5.
	auto = settings.Auto
	// hmacSHA256 is the HMAC of the timestamp header (page "WebHook").
	hmacSHA256 = settings.HMACSHA256
	// hmacSHA256ITime is the HMAC of the body's itime (Chinese text of the page "WebHook").
	hmacSHA256ITime = settings.HMACSHA256ITime
	// md5Digest is the MD5 of timestamp header, key header and app key (page "Learn about WebHook"; seen in production).
	md5Digest = settings.MD5
)

// webhook is one endpoint.
type webhook struct {
	keys      signature.Keys
	macs      signature.MACs
	algorithm settings.SignatureAlgorithm
	tolerance time.Duration
}

func newWebhook(data []byte, _ provider.Environment) (provider.Webhook, error) {
	s, err := settings.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("engagelab: %w", err)
	}
	return &webhook{keys: s.Keys, macs: s.Keys.MACs(sha256.New), algorithm: s.Algorithm, tolerance: s.Tolerance}, nil
}
