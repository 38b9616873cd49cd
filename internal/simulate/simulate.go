// Package simulate is what providers do: their documented requests, and the signatures that they would send. It is for "mailvane send",
// the demo and tests. No receiver links it: nothing that faces the internet can forge a signature.
package simulate

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/receiver/provider"
)

// Vendor is one provider. The list of all, Vendors, is generated from internal/catalogue.
type Vendor struct {
	// Type is the provider's name in WebhookEndpoint.spec.provider.type.
	Type string
	// Files holds samples/*.http, one whole HTTP request per documented event, each with a valid signature, and settings.json, the
	// settings that they are signed for.
	Files fs.FS
	// Sign sets the signature headers that the provider would send for r.Body at r.ReceivedAt.
	// It signs with the first of the settings' keys; signingKey is for providers with asymmetric keys, whose settings
	// hold only the public half (PKCS #8 PEM, else empty).
	Sign func(settings, signingKey []byte, r *provider.Request) error
	// Freshen changes a sample so that it stands for a new event: unique becomes part of its identity, and r.ReceivedAt its time. It
	// takes out headers that would make it an old one, and leaves the body that it was given as it is.
	Freshen func(r *provider.Request, unique string)
}

// Sample is one documented request of a provider.
type Sample struct {
	// Name is the file's name without its suffix, such as "messageBounce".
	Name string
	// Header and Body are the request's.
	Header http.Header
	Body   []byte
}

// Lookup returns the provider of a type, such as "EmailEngine".
func Lookup(providerType string) (Vendor, bool) {
	for _, v := range Vendors() {
		if v.Type == providerType {
			return v, true
		}
	}
	return Vendor{}, false
}

// Settings returns the settings that the samples are signed for.
func (v *Vendor) Settings() ([]byte, error) {
	text, err := fs.ReadFile(v.Files, "settings.json")
	if err != nil {
		return nil, fmt.Errorf("settings of the samples: %w", err)
	}
	return bytes.TrimSpace(text), nil
}

// Samples returns the documented requests, by name.
func (v *Vendor) Samples() ([]Sample, error) {
	files, err := fs.Glob(v.Files, "samples/*.http")
	if err != nil {
		return nil, fmt.Errorf("list samples: %w", err)
	}
	slices.Sort(files)
	samples := make([]Sample, 0, len(files))
	for _, file := range files {
		s, err := v.read(file)
		if err != nil {
			return nil, fmt.Errorf("sample %s: %w", file, err)
		}
		samples = append(samples, s)
	}
	return samples, nil
}

// read reads a whole HTTP request. The file must hold exactly one.
func (v *Vendor) read(file string) (Sample, error) {
	text, err := fs.ReadFile(v.Files, file)
	if err != nil {
		return Sample{}, fmt.Errorf("read: %w", err)
	}
	in := bufio.NewReader(bytes.NewReader(text))
	r, err := http.ReadRequest(in)
	if err != nil {
		return Sample{}, fmt.Errorf("parse: %w", err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return Sample{}, fmt.Errorf("parse body: %w", err)
	}
	if rest, err := io.ReadAll(in); err != nil || len(rest) > 0 {
		return Sample{}, fmt.Errorf("%d bytes after the body: Content-Length is wrong", len(rest))
	}
	return Sample{Name: strings.TrimSuffix(path.Base(file), ".http"), Header: r.Header, Body: body}, nil
}
