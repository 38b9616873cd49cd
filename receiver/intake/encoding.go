package intake

import (
	"net/http"
	"slices"
	"strings"
)

// noCoding are the values of Content-Encoding that certainly mean that the body is as it is: RFC 9110 section 8.4.1 reserves
// "identity" for it, "none" says it, and the others are the charsets of a JSON text and the MIME encodings that change no byte
// (RFC 2045 section 6.2), written into the wrong header. What is not here may be a coding, so the body is not guessed at.
var noCoding = []string{"", "identity", "none", "utf-8", "utf8", "us-ascii", "ascii", "7bit", "8bit", "binary"} //nolint:gochecknoglobals // a table

// IsEncoded reports whether a request says that its body is encoded in a way that is not taken, in any of its header lines, which are one
// list. Gzip is taken once, where the provider may send it.
func IsEncoded(h http.Header, takesGzip bool) bool {
	for _, line := range h["Content-Encoding"] {
		for coding := range strings.SplitSeq(line, ",") {
			coding = strings.ToLower(strings.TrimSpace(coding))
			if takesGzip && (coding == "gzip" || coding == "x-gzip") { // RFC 9110 section 8.4.1.3: they are one
				takesGzip = false
				continue
			}
			if !slices.Contains(noCoding, coding) {
				return true
			}
		}
	}
	return false
}
