package mandrill

import (
	"cmp"
	"context"
	"crypto/sha1"
	"net/http"
	"slices"

	"github.com/mailvane/mailvane/receiver/body/form"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/scheme"
	"github.com/mailvane/mailvane/receiver/signature"
)

// signatureHeader is the header of the signature, in the form that net/http keeps it in and otherwise makes at each look.
const signatureHeader = "X-Mandrill-Signature"

// eventsField is the field of the form that holds the events: the one that Mandrill sends.
const eventsField = "mandrill_events"

// Verify checks that one of the webhook keys signed the URL and the fields of the form.
func (w *webhook) Verify(_ context.Context, r *provider.Request) (provider.Proof, error) {
	return scheme.Proved(w.verify(r))
}

func (w *webhook) verify(r *provider.Request) (key int, err error) {
	text, err := signature.Header(r.Header, signatureHeader)
	if err != nil {
		return 0, err
	}
	var mac [sha1.Size]byte
	if err := signature.DecodeBase64(mac[:], text); err != nil {
		return 0, err
	}
	message, err := signed(r)
	if err != nil {
		return 0, err
	}
	urls := w.urls
	if len(urls) == 0 {
		urls = []string{r.URL()}
	}
	for _, url := range urls {
		message[0] = []byte(url)
		if key, ok := w.macs.Match(mac[:], message...); ok {
			return key, nil
		}
	}
	return 0, signature.ErrMismatch
}

// signed returns what is signed: a place for the URL, and then the name and the decoded value of each field, by name. Nothing separates
// them, so a field without which there is no event must be there, once: where the others begin and end says nothing.
func signed(r *provider.Request) ([][]byte, error) {
	if isJSON(r.Body) {
		return nil, signature.ErrMalformed
	}
	f, err := form.Parse(r.Header.Get("Content-Type"), r.Body)
	if err != nil || f.MediaType != form.URLEncoded {
		return nil, signature.ErrMalformed
	}
	if _, err := f.Get(eventsField); err != nil {
		return nil, signature.ErrMalformed
	}
	slices.SortStableFunc(f.Fields, func(a, b form.Field) int { return cmp.Compare(a.Name, b.Name) })
	message := make([][]byte, 1, 1+2*len(f.Fields))
	for i := range f.Fields {
		message = append(message, []byte(f.Fields[i].Name), f.Fields[i].Value)
	}
	return message, nil
}

// maxEmpty is above the length of a form that holds no event, in bytes. Longer ones are not looked at for that.
const maxEmpty = 64

// Methods returns none: Mandrill asks with HEAD and POST.
func (w *webhook) Methods() []string { return nil }

// Handshake accepts the POST by which Mandrill tries an address before it says the key of the webhook: an empty list of events, signed
// with a key that everybody knows.
func (w *webhook) Handshake(r *provider.Request) (provider.Reply, bool) {
	if r.Method != http.MethodPost || len(r.Body) > maxEmpty || isJSON(r.Body) {
		return provider.Reply{}, false
	}
	f, err := form.Parse(r.Header.Get("Content-Type"), r.Body)
	isEmpty := err == nil && len(f.Fields) == 1 && f.Fields[0].Name == eventsField && string(f.Fields[0].Value) == "[]"
	return provider.Reply{}, isEmpty
}
