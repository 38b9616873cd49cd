package microsoftgraph

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"errors"

	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// keyBytes is the length of the key of the data, of AES-256.
const keyBytes = 32

// What is wrong with resource data. No message says more: it is of a stranger's choice, or of a key.
var (
	errNoKeys      = errors.New("the resource data is encrypted, and the endpoint has no decryptionKeys")
	errCertificate = errors.New("the resource data is encrypted for a certificate that decryptionKeys does not name by its certificateID")
	errEncoding    = errors.New("encryptedContent: data, dataKey and dataSignature must be texts in base64")
	errDataKey     = errors.New("encryptedContent: the key of decryptionKeys for its certificateID is not the one that dataKey was encrypted for")
	errSignature   = errors.New("encryptedContent: dataSignature does not match the data, which was changed on the way")
	errData        = errors.New("encryptedContent: the data is no text that was encrypted with AES in blocks")
	errContent     = errors.New("encryptedContent: the decrypted data is no JSON object")
)

// decrypt returns the resource that the content of a notification holds (changeNotificationEncryptedContent): the key of the data is
// encrypted for a certificate with RSA-OAEP, the data signed with it by HMAC-SHA256 and encrypted by AES-256-CBC. The signature is checked
// before anything is decrypted with the key (SHA-1 in OAEP, which is Microsoft's choice, needs no resistance against collisions), so the padding of the data tells nothing to who has changed it.
func (w *webhook) decrypt(content wire.Object) ([]byte, error) {
	if len(w.keys) == 0 {
		return nil, errNoKeys
	}
	private := w.keys[content.Text("encryptionCertificateId")]
	if private == nil {
		return nil, errCertificate
	}
	data, err := base64.StdEncoding.DecodeString(content.Text("data"))
	sealed, keyErr := base64.StdEncoding.DecodeString(content.Text("dataKey"))
	mac, macErr := base64.StdEncoding.DecodeString(content.Text("dataSignature"))
	if errors.Join(err, keyErr, macErr) != nil {
		return nil, errEncoding
	}
	key, err := rsa.DecryptOAEP(sha1.New(), nil, private, sealed, nil)
	if err != nil || len(key) != keyBytes {
		return nil, errDataKey
	}
	sum := hmac.New(sha256.New, key)
	sum.Write(data)
	if !hmac.Equal(sum.Sum(nil), mac) {
		return nil, errSignature
	}
	return unseal(key, data)
}

// unseal decrypts data by AES-CBC, whose initialization vector is the beginning of the key, and takes the padding off (PKCS #7, RFC 5652
// section 6.3).
func unseal(key, data []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil || len(data) == 0 || len(data)%aes.BlockSize != 0 {
		return nil, errData
	}
	plain := make([]byte, len(data))
	cipher.NewCBCDecrypter(block, key[:aes.BlockSize]).CryptBlocks(plain, data)
	padding := int(plain[len(plain)-1])
	if padding == 0 || padding > aes.BlockSize {
		return nil, errData
	}
	for _, b := range plain[len(plain)-padding:] {
		if int(b) != padding {
			return nil, errData
		}
	}
	return plain[:len(plain)-padding], nil
}
