package emailengine

import (
	"crypto/sha256"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
)

// maxHeaderID is the length, in bytes, of an id that is taken from an unsigned header; a UUID has 36.
const maxHeaderID = 128

// identify sets the ids. The attempts of one event have the same body, which is signed, and the same event id, which is not: whoever
// holds a signed request could send it with ids of his choice, again and again, or with that of an event to come. So where the body
// says when the event happened, to the millisecond, it alone identifies the event, whatever the headers say.
//
// A body without a time, of a custom route whose map function leaves it out, may be that of any number of events. There the headers
// have to count, or all but the first would be lost.
func identify(e *event.Event, n notice, r *provider.Request) {
	e.ProviderEventID = headerID(r.Header, eventIDHeader)
	queueID := n.data.Text("queueId")
	switch {
	case e.Type == event.Failed && queueID != "":
		// Told by messageFailed, and before by a messageDeliveryError that no attempt follows.
		e.ID = event.HashID("failed", e.Account, queueID)
	case isPrecise(e, n):
		e.ID = event.HashID("body", hash(e.Raw))
	default:
		e.ID = event.HashID("body", hash(e.Raw), e.ProviderEventID, headerID(r.Header, customRouteHeader))
	}
}

// isPrecise reports whether the date tells events apart that happen one after the other: it has fractions of a second.
func isPrecise(e *event.Event, n notice) bool {
	_, readable := n.date.Time()
	return readable && strings.Contains(e.TimeRaw, ".")
}

// hash returns the hash of JSON without the white space between its tokens, so that a stored event that is decoded again has the same.
func hash(raw []byte) string {
	if event.IsCompact(raw) {
		sum := sha256.Sum256(raw)
		return string(sum[:])
	}
	digest := sha256.New()
	for part := range event.CompactParts(raw) {
		digest.Write(part)
	}
	var sum [sha256.Size]byte
	return string(digest.Sum(sum[:0]))
}

// headerID returns a header's value when it is of a sane form, else "". The name must be as net/http writes it.
func headerID(h http.Header, name string) string {
	values := h[name]
	if len(values) == 0 || len(values[0]) > maxHeaderID || !utf8.ValidString(values[0]) {
		return ""
	}
	for _, c := range values[0] {
		if (c < ' ' || c > '~') && !unicode.IsPrint(c) {
			return ""
		}
	}
	return values[0]
}
