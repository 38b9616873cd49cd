package emailengine

import (
	"maps"
	"mime"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// headers are the fields of a message's header, by their names in lower case. Values are as the message has them.
type headers map[string][]string

// headersOf returns the fields that a notice has as an object of lists.
func headersOf(o wire.Object) headers {
	h := headers{}
	for name := range o.Members() {
		h[strings.ToLower(name)] = o.Texts(name)
	}
	return h
}

// setOriginal sets what is known of a message that a report is about. The fields that its sender made up are metadata.
func setOriginal(e *event.Event, h headers) {
	e.Sender = firstOf(addresses(h["from"]))
	wire.SetRecipients(e, addresses(h["to"]), addresses(h["cc"]))
	e.MessageID = wire.MessageID(firstOf(h["message-id"]))
	e.Subject = decoded(firstOf(h["subject"]))
	for _, name := range slices.Sorted(maps.Keys(h)) {
		if strings.HasPrefix(name, "x-") {
			wire.SetMetadata(e, name, decoded(firstOf(h[name])))
		}
	}
}

func addresses(values []string) []string {
	var all []string
	for _, value := range values {
		all = append(all, wire.Addresses(value)...)
	}
	return all
}

// decoded returns a header's text with its encoded words read (RFC 2047), and as it is where that cannot be done.
func decoded(text string) string {
	words, err := new(mime.WordDecoder).DecodeHeader(text)
	if err != nil {
		return text
	}
	return words
}

func firstOf(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// appendNew appends a value unless it is empty or there.
func appendNew(values []string, value string) []string {
	if value == "" || slices.Contains(values, value) {
		return values
	}
	return append(values, value)
}
