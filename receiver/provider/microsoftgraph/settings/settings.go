// Package settings reads the settings of an endpoint of Microsoft Graph, apart from what decodes its requests.
package settings

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"regexp"

	"github.com/mailvane/mailvane/receiver/provider/scheme"
	"github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/signature"
)

// defaultApplication is the application of Microsoft Graph's change notifications, which asks for the tokens.
const defaultApplication = "0bf30f3b-4a52-48df-9a82-234910c4a086"

// Bounds of a private key, in bits: what Microsoft takes.
const (
	minKeyBits = 2048
	maxKeyBits = 4096
)

var uuid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// Parsed are settings that are ready to be used.
type Parsed struct {
	// States are the values of clientState that are valid now.
	States signature.Keys
	// Tenants are those whose notifications are taken; none = all are.
	Tenants []string
	// Keys are the private keys by the ids of their certificates.
	Keys map[string]*rsa.PrivateKey
	// Tokens says which validation tokens are good; nil = none is asked for.
	Tokens *Tokens
	// Inbox says that all subscriptions are to the inbox.
	Inbox bool
}

// Parse decodes an endpoint's settings, completes them with the defaults and refuses what cannot work. No error holds a credential.
func Parse(data []byte) (Parsed, error) {
	var s Settings
	if err := settings.Decode(data, &s); err != nil {
		return Parsed{}, err
	}
	p := Parsed{Tenants: s.TenantIDs, Tokens: s.Tokens, Inbox: s.SubscribedFolder == "Inbox", Keys: map[string]*rsa.PrivateKey{}}
	var err error
	if p.States, err = scheme.NeedKeys(s.ClientStates); err != nil {
		return Parsed{}, fmt.Errorf("clientStates: %w", err)
	}
	for i, tenant := range s.TenantIDs {
		if !uuid.MatchString(tenant) {
			return Parsed{}, fmt.Errorf("tenantIDs[%d]: must be a UUID in lower case", i)
		}
	}
	for i, entry := range s.DecryptionKeys {
		key, err := privateKey(entry.Key)
		if err != nil {
			return Parsed{}, fmt.Errorf("decryptionKeys[%d]: %w", i, err)
		}
		if p.Keys[entry.CertificateID] != nil || entry.CertificateID == "" {
			return Parsed{}, fmt.Errorf("decryptionKeys[%d].certificateID: must be set, and differ from the others", i)
		}
		p.Keys[entry.CertificateID] = key
	}
	return p, p.tokens()
}

// tokens completes what is asked of tokens.
func (p *Parsed) tokens() error {
	if p.Tokens == nil {
		return nil
	}
	if len(p.Tenants) == 0 {
		return errors.New("tenantIDs: must be set where tokens is: anybody's tenant makes tokens")
	}
	if len(p.Tokens.Audiences) == 0 {
		return errors.New("tokens.audiences: must name at least one: a tenant makes tokens for other applications too")
	}
	if len(p.Tokens.ApplicationIDs) == 0 {
		p.Tokens.ApplicationIDs = []string{defaultApplication}
	}
	return nil
}

var errKey = errors.New("must be a private key of RSA with 2048 to 4096 bits in PEM, without a passphrase")

// privateKey reads a private key in PEM: PKCS #8 (RFC 5208), or PKCS #1 (RFC 8017).
func privateKey(text string) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errKey
	}
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, errKey // its own error may hold bytes of the key
		}
		key, _ = parsed.(*rsa.PrivateKey)
	}
	if key == nil || key.N.BitLen() < minKeyBits || key.N.BitLen() > maxKeyBits {
		return nil, errKey
	}
	return key, nil
}
