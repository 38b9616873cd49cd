package engagelab

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
	"github.com/mailvane/mailvane/receiver/signature"
)

// The values of signatureAlgorithm.
const (
	// auto takes a signature of 64 hexadecimal digits as hmacSHA256 and one of 32 as md5.
	auto = "Auto"
	// hmacSHA256 is the HMAC of the timestamp header (page "WebHook").
	hmacSHA256 = "HMACSHA256"
	// hmacSHA256ITime is the HMAC of the body's itime (Chinese text of the page "WebHook").
	hmacSHA256ITime = "HMACSHA256ITime"
	// md5Digest is the MD5 of timestamp header, key header and app key (page "Learn about WebHook"; seen in production).
	md5Digest = "MD5"
)

// settings are the provider's member of a WebhookEndpoint with its secret references replaced by their values.
type settings struct {
	// AppKeys are the app keys of the console that are valid now; at least one.
	AppKeys []string `json:"appKeys"`
	// SignatureAlgorithm is Auto (the default), HMACSHA256, HMACSHA256ITime or MD5.
	SignatureAlgorithm string `json:"signatureAlgorithm"`
	// BodyIntegrity says that nothing but the timestamp is signed, and that the user knows. It is for admission alone.
	BodyIntegrity string `json:"bodyIntegrity"`
	// ToleranceSeconds bounds the age of the signed timestamp; 0 is off, and absent is defaultToleranceSeconds.
	ToleranceSeconds *int64 `json:"toleranceSeconds"`
}

// defaultToleranceSeconds is a day, the default of the dedupe window: no body is signed, so whoever has seen the headers of a request can
// send any other with them, and for no longer than that.
const defaultToleranceSeconds = 24 * 60 * 60

// webhook is one endpoint.
type webhook struct {
	keys      signature.Keys
	macs      signature.MACs
	algorithm string
	tolerance time.Duration
}

func newWebhook(data []byte, _ provider.Environment) (provider.Webhook, error) {
	w, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("engagelab: %w", err)
	}
	return w, nil
}

func parse(data []byte) (*webhook, error) {
	var s settings
	if err := wire.DecodeSettings(data, &s); err != nil {
		return nil, err
	}
	keys, err := signature.NewKeys(s.AppKeys)
	if err != nil {
		return nil, fmt.Errorf("appKeys: %w", err)
	}
	if len(keys) == 0 {
		return nil, errors.New("appKeys: must hold at least one key")
	}
	tolerance := int64(defaultToleranceSeconds)
	if s.ToleranceSeconds != nil {
		tolerance = *s.ToleranceSeconds
	}
	if tolerance < 0 {
		return nil, errors.New("toleranceSeconds: must not be negative")
	}
	switch s.SignatureAlgorithm {
	case "":
		s.SignatureAlgorithm = auto
	case auto, hmacSHA256, hmacSHA256ITime, md5Digest:
	default:
		return nil, errors.New("signatureAlgorithm: must be Auto, HMACSHA256, HMACSHA256ITime or MD5")
	}
	return &webhook{
		keys:      keys,
		macs:      keys.MACs(sha256.New),
		algorithm: s.SignatureAlgorithm,
		tolerance: time.Duration(tolerance) * time.Second,
	}, nil
}
