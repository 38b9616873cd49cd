package microsoftgraph

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"time"

	"github.com/mailvane/mailvane/receiver/provider/microsoftgraph/settings"
	"github.com/mailvane/mailvane/receiver/provider/wire"
	"github.com/mailvane/mailvane/receiver/signature"
)

// sealed returns the members of an encryptedContent with a message that comes in at a time, encrypted for the key of the samples.
func sealed(at time.Time) map[string]string {
	text, _ := files.ReadFile("settings.json") // it is embedded
	s, err := settings.Parse(text)
	if err != nil {
		return nil
	}
	key := make([]byte, 32) // of AES-256
	_, _ = rand.Read(key)   // it never fails
	plain := message(at)
	padding := aes.BlockSize - len(plain)%aes.BlockSize
	data := append(slices.Clone(plain), bytes.Repeat([]byte{byte(padding)}, padding)...)
	block, _ := aes.NewCipher(key) // the key has the right length
	cipher.NewCBCEncrypter(block, key[:aes.BlockSize]).CryptBlocks(data, data)
	encrypted, _ := rsa.EncryptOAEP(sha1.New(), rand.Reader, &s.Keys["demo"].PublicKey, key, nil) // nor is it too long
	quoted := func(b []byte) string { return wire.Quote(base64.StdEncoding.EncodeToString(b)) }
	return map[string]string{"data": quoted(data), "dataKey": quoted(encrypted), "dataSignature": quoted(signature.HMAC(sha256.New, key, data))}
}
