package scheme

import (
	"crypto"
	"crypto/ed25519"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/signature"
)

// Description says how a sender signs, in the words of the API's CustomSignature. Empty is what the API says of a field that is not set.
type Description struct {
	// Algorithm is HMAC, Ed25519, ECDSA or RSA (PKCS #1 v1.5).
	Algorithm string
	// Header, Encoding, Prefix, SignatureName and TimestampName say where the signature is, and how it is written.
	Header, Encoding, Prefix, SignatureName, TimestampName string
	// TimestampHeader holds the time of signing, unless it is in the list.
	TimestampHeader string
	// Signed are the parts that are signed; none = the body.
	Signed []string
	// Hash is SHA256, SHA384 or SHA512.
	Hash string
	// ToleranceSeconds is how far the timestamp may lie from now; nil = 300, and 0 = any time.
	ToleranceSeconds *int32
	// Keys are the secrets or public keys, and KeyEncoding that of secrets.
	Keys        []string
	KeyEncoding string
}

// The algorithms.
const (
	algorithmHMAC    = "HMAC"
	algorithmEd25519 = "Ed25519"
	algorithmECDSA   = "ECDSA"
	algorithmRSA     = "RSA"
)

// Described is a scheme that an endpoint's settings describe. It is safe for concurrent use.
type Described struct {
	form      form
	message   message
	match     matcher
	tolerance time.Duration
}

// matcher returns the position of a key that made one of several signatures of a message, and reports whether there is one.
type matcher func(signatures, message [][]byte) (position int, ok bool)

// entryName is what a name in a list may be.
var entryName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// Describe checks a description and makes it ready. What cannot be secure is refused, with the reason. Errors name the field, and hold
// no secret.
func Describe(d *Description) (*Described, error) {
	s := &Described{}
	var problems []error
	var err error
	if s.form, err = newForm(d); err != nil {
		problems = append(problems, err)
	}
	if s.message, err = parseMessage(d.Signed, s.form.stampHeader); err != nil {
		problems = append(problems, err)
	}
	if s.tolerance, err = toleranceOf(d, s.message.hasStamp); err != nil {
		problems = append(problems, err)
	}
	if err := s.checkHeaders(); err != nil {
		problems = append(problems, err)
	}
	if s.match, err = newMatcher(d); err != nil {
		problems = append(problems, err)
	}
	return s, errors.Join(problems...)
}

// newForm checks where the signature and the timestamp are.
func newForm(d *Description) (form, error) {
	f := form{prefix: d.Prefix, signatureName: d.SignatureName, stampName: d.TimestampName, decode: decoding(d.Encoding)}
	var err error
	if f.header, err = headerName(d.Header); err != nil {
		return f, fmt.Errorf("header: %w", err)
	}
	if d.TimestampHeader != "" {
		if f.stampHeader, err = headerName(d.TimestampHeader); err != nil {
			return f, fmt.Errorf("timestampHeader: %w", err)
		}
	}
	for _, rule := range f.rules() {
		if rule.broken {
			return f, errors.New(rule.message)
		}
	}
	return f, nil
}

// formRule is a combination that means nothing, and what to change.
type formRule struct {
	broken  bool
	message string
}

func (f *form) rules() []formRule {
	isName := func(name string) bool { return name == "" || entryName.MatchString(name) }
	return []formRule{
		{f.decode == nil, "encoding: must be Hex, Base64 or Base64URL"},
		{f.signatureName != "" && f.prefix != "", "prefix: must not be set beside signatureName; v1= before a signature of a list is signatureName v1"},
		{!isName(f.signatureName), "signatureName: must be letters, digits, - and _, such as v1"},
		{!isName(f.stampName), "timestampName: must be letters, digits, - and _, such as t"},
		{f.stampName != "" && f.signatureName == "", "timestampName: must not be set unless signatureName is"},
		{f.stampName != "" && f.stampName == f.signatureName, "timestampName: must differ from signatureName"},
		{f.stampName != "" && f.stampHeader != "", "timestampHeader: must not be set beside timestampName: the timestamp is in one place"},
		{f.stampHeader == f.header, "timestampHeader: must differ from header; in a list, set timestampName"},
	}
}

// toleranceOf checks a tolerance against whether a timestamp is signed.
func toleranceOf(d *Description, signed bool) (time.Duration, error) {
	has := d.TimestampHeader != "" || d.TimestampName != ""
	switch {
	case signed && !has:
		return 0, errors.New("signed: says timestamp; set timestampHeader, or timestampName of a list, to say where it is")
	case has && !signed:
		return 0, errors.New("signed: must hold timestamp, or timestampHeader and timestampName must not be set: a timestamp that is not signed can be replaced by anybody")
	case !has && d.ToleranceSeconds != nil && *d.ToleranceSeconds != 0:
		return 0, errors.New("toleranceSeconds: must not be set where no timestamp is signed")
	case !has:
		return 0, nil
	}
	return Tolerance(d.ToleranceSeconds)
}

// checkHeaders refuses a signature that would be signed itself.
func (s *Described) checkHeaders() error {
	for i := range s.message.parts {
		if p := &s.message.parts[i]; p.kind == headerPart && p.text == s.form.header {
			return errors.New("signed: must not hold the header of the signature")
		}
	}
	return nil
}

// newMatcher checks algorithm, hash and keys.
func newMatcher(d *Description) (matcher, error) {
	hash, known := map[string]crypto.Hash{"": crypto.SHA256, "SHA256": crypto.SHA256, "SHA384": crypto.SHA384, "SHA512": crypto.SHA512}[d.Hash]
	switch {
	case !known:
		return nil, errors.New("hash: must be SHA256, SHA384 or SHA512: MD5 and SHA1 are broken, and others are not known")
	case d.Algorithm == algorithmEd25519 && d.Hash != "":
		return nil, errors.New("hash: must not be set for Ed25519, which has its own")
	case d.Algorithm != algorithmHMAC && d.KeyEncoding != "":
		return nil, errors.New("keyEncoding: must not be set unless scheme is HMAC; public keys are told apart by what they look like")
	case len(d.Keys) == 0:
		return nil, errors.New("keyRefs: must name at least one key")
	case d.Algorithm == algorithmHMAC:
		return hmacMatcher(d, hash)
	}
	return publicMatcher(d, hash)
}

// publicMatcher hashes a message once, however many signatures and keys there are. What it takes tells only what everybody may know.
func publicMatcher(d *Description, hash crypto.Hash) (matcher, error) {
	keys := make([]crypto.PublicKey, len(d.Keys))
	for i, text := range d.Keys {
		key, err := describedKey(d.Algorithm, text)
		if err != nil {
			return nil, fmt.Errorf("keyRefs[%d]: %w", i, err)
		}
		keys[i] = key
	}
	return func(signatures, message [][]byte) (int, bool) {
		var whole, digest []byte
		if _, isEd25519 := keys[0].(ed25519.PublicKey); isEd25519 {
			whole = joined(message)
		} else {
			h := hash.New()
			for _, part := range message {
				h.Write(part)
			}
			digest = h.Sum(nil)
		}
		for _, value := range signatures {
			for i, key := range keys {
				if verifies(key, hash, whole, digest, value) {
					return i, true
				}
			}
		}
		return 0, false
	}, nil
}

// Verify checks the signatures of a request, of which one must be right, and its timestamp where one is signed.
func (s *Described) Verify(r *provider.Request) (provider.Proof, error) { return Proved(s.verify(r)) }

func (s *Described) verify(r *provider.Request) (position int, err error) {
	signatures, stamp, err := s.form.read(r.Header)
	if err != nil {
		return 0, err
	}
	at := r.ReceivedAt
	if s.message.hasStamp {
		if at, err = readStamp(stamp, s.message.fixed); err != nil {
			return 0, err
		}
	}
	message, err := s.message.compose(r, stamp)
	if err != nil {
		return 0, err
	}
	position, ok := s.match(signatures, message)
	if !ok {
		return 0, signature.ErrMismatch
	}
	return position, signature.CheckTime(at, r.ReceivedAt, s.tolerance)
}
