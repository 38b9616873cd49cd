package scheme

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/mailvane/mailvane/receiver/signature"
)

const (
	// maxListed is how many signatures of a list are read; a rotation has two.
	maxListed = 8
	// maxSignatureText is the length, in bytes, of the longest text of a signature: RSA with 8,192 bits in hexadecimal.
	maxSignatureText = 2048
	// separators stand between the entries of a list. Neither a signature nor a timestamp holds one.
	separators = ",; \t"
)

// form is where in the headers of a request its signatures and its timestamp are.
type form struct {
	header, stampHeader string
	// prefix stands before the one signature.
	prefix string
	// signatureName and stampName are the names of the entries of a list of name=value; "" = the header is no list, or has no timestamp.
	signatureName, stampName string
	decode                   func(text string) ([]byte, error)
}

// read returns the signatures of a request, and the text of its timestamp where there is to be one. It fails with the errors of package
// signature. A header that is there twice is malformed.
func (f *form) read(h http.Header) (signatures [][]byte, stamp string, err error) {
	text, err := signature.Header(h, f.header)
	if err != nil {
		return nil, "", err
	}
	if f.stampHeader != "" {
		if stamp, err = signature.Header(h, f.stampHeader); err != nil {
			return nil, "", err
		}
	}
	if f.signatureName != "" {
		return f.list(text, stamp)
	}
	text, found := strings.CutPrefix(text, f.prefix)
	if !found {
		return nil, "", signature.ErrMalformed
	}
	one, err := f.decode(text)
	return [][]byte{one}, stamp, err
}

// list reads a list of name=value. Entries of other names are passed over, and signatures that are none too, as long as there is one that
// is. Two timestamps are malformed: one could be checked, and the other used.
func (f *form) list(text, stamp string) (signatures [][]byte, _ string, err error) {
	values, stamps := f.entries(text)
	if len(values) == 0 || f.stampName != "" && len(stamps) == 0 {
		return nil, "", signature.ErrMissing
	}
	for _, value := range values {
		if one, err := f.decode(value); err == nil {
			signatures = append(signatures, one)
		}
	}
	if len(signatures) == 0 || len(stamps) > 1 {
		return nil, "", signature.ErrMalformed
	}
	if len(stamps) == 1 {
		stamp = stamps[0]
	}
	return signatures, stamp, nil
}

// entries returns the first signatures of a list, and its timestamps.
func (f *form) entries(text string) (signatures, stamps []string) {
	for entry := range strings.FieldsFuncSeq(text, func(c rune) bool { return strings.ContainsRune(separators, c) }) {
		name, value, _ := strings.Cut(entry, "=")
		switch {
		case name == f.signatureName && len(signatures) < maxListed:
			signatures = append(signatures, value)
		case name == f.stampName && name != "":
			stamps = append(stamps, value)
		}
	}
	return signatures, stamps
}

// The names of encodings; those of the API.
const (
	encodingHex       = "Hex"
	encodingBase64    = "Base64"
	encodingBase64URL = "Base64URL"
)

// decoding returns what decodes an encoding; nil = there is none of that name. It fails with [signature.ErrMalformed].
func decoding(name string) func(string) ([]byte, error) {
	switch name {
	case encodingHex:
		return decodeHexText
	case encodingBase64:
		return base64Text(base64.StdEncoding)
	case encodingBase64URL:
		return base64Text(base64.URLEncoding)
	default:
		return nil
	}
}

func decodeHexText(text string) ([]byte, error) {
	value, err := hex.DecodeString(text)
	if err != nil || len(text) == 0 || len(text) > maxSignatureText {
		return nil, signature.ErrMalformed
	}
	return value, nil
}

// base64Text decodes base64 with all of its padding or none of it. Unused bits must be zero, so that one value has no more spellings.
func base64Text(encoding *base64.Encoding) func(string) ([]byte, error) {
	padded, bare := encoding.Strict(), encoding.WithPadding(base64.NoPadding).Strict()
	return func(text string) ([]byte, error) {
		decoder := bare
		if strings.HasSuffix(text, "=") {
			decoder = padded
		}
		value, err := decoder.DecodeString(text)
		if err != nil || len(text) == 0 || len(text) > maxSignatureText || strings.ContainsAny(text, "\r\n") { // which the decoder passes over
			return nil, signature.ErrMalformed
		}
		return value, nil
	}
}
