package endpoint

import (
	"bytes"
	"fmt"
	"time"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
)

// lateAfter is how long before its receipt an event may have happened without being marked: as long as duplicates are remembered by
// default, and longer than a provider tries again by itself.
const lateAfter = 24 * time.Hour

// compressions are how compressed bodies begin, none of which begins JSON or a form: gzip (RFC 1952 section 2.3.1), zlib with the
// usual window (RFC 1950 section 2.2), Zstandard (RFC 8878 section 3.1.1).
var compressions = []struct{ begins, name string }{ //nolint:gochecknoglobals // a table
	{"\x1f\x8b", "gzip"}, {"x\x01", "zlib"}, {"x\x9c", "zlib"}, {"x\xda", "zlib"}, {"\x28\xb5\x2f\xfd", "zstd"},
}

// Decode decodes an authentic request. A compressed body is inflated in r where the provider may send one, and else kept as one that cannot be
// read: the provider was right to send it, by its signature, and it does not come again.
func (e *Endpoint) Decode(r *provider.Request) provider.Batch {
	if e.IsGzip(r.Body) {
		if err := e.inflate(r); err != nil {
			return provider.Batch{Undecodable: []provider.Undecodable{{Raw: r.Body, Reason: err.Error()}}}
		}
	}
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

// Size returns about how many bytes a batch takes, encoded.
func Size(b *provider.Batch) int64 {
	size := 0
	for i := range b.Events {
		size += event.EncodedSize(&b.Events[i])
	}
	for i := range b.Undecodable {
		size += len(b.Undecodable[i].Raw)
	}
	return int64(size)
}
