package intake

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/mailvane/mailvane/receiver/provider"
)

// lateAfter is how long before its receipt an event may have happened without being marked: as long as duplicates are remembered by
// default, and longer than a provider tries again by itself.
const lateAfter = 24 * time.Hour

// noCoding are the values of Content-Encoding that certainly mean that the body is as it is: RFC 9110 section 8.4.1 reserves
// "identity" for it, "none" says it, and the others are the charsets of a JSON text and the MIME encodings that change no byte
// (RFC 2045 section 6.2), written into the wrong header. What is not here may be a coding, so the body is not guessed at.
var noCoding = []string{"", "identity", "none", "utf-8", "utf8", "us-ascii", "ascii", "7bit", "8bit", "binary"} //nolint:gochecknoglobals // a table

// isEncoded says whether a request says that its body is encoded, in any of its header lines, which are one list.
func isEncoded(h http.Header) bool {
	for _, line := range h["Content-Encoding"] {
		for coding := range strings.SplitSeq(line, ",") {
			if !slices.Contains(noCoding, strings.ToLower(strings.TrimSpace(coding))) {
				return true
			}
		}
	}
	return false
}

// compressions are how compressed bodies begin, none of which begins JSON or a form: gzip (RFC 1952 section 2.3.1), zlib with the
// usual window (RFC 1950 section 2.2), Zstandard (RFC 8878 section 3.1.1).
var compressions = []struct{ begins, name string }{ //nolint:gochecknoglobals // a table
	{"\x1f\x8b", "gzip"}, {"x\x01", "zlib"}, {"x\x9c", "zlib"}, {"x\xda", "zlib"}, {"\x28\xb5\x2f\xfd", "zstd"},
}

// decode decodes an authentic request. A compressed body is kept as one that cannot be read: the provider was right to
// send it, by its signature, and it does not come again.
func (e *Endpoint) decode(r *provider.Request) provider.Batch {
	for _, c := range compressions {
		if bytes.HasPrefix(r.Body, []byte(c.begins)) {
			reason := fmt.Sprintf("the body is compressed (%s) and no Content-Encoding says so; turn compression off at the provider or the proxy", c.name)
			return provider.Batch{Undecodable: []provider.Undecodable{{Raw: r.Body, Reason: reason}}}
		}
	}
	decoded := e.webhook.Decode(r)
	for i := range decoded.Events {
		ev := &decoded.Events[i]
		ev.Late = r.ReceivedAt.Sub(ev.Time) > lateAfter
	}
	return decoded
}
