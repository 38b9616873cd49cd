package intake

import (
	"maps"
	"net/http"
	"slices"

	"github.com/mailvane/mailvane/receiver/history"
	"github.com/mailvane/mailvane/receiver/journal"
)

// Recorder is told what a history is to keep. It must not wait for anything.
type Recorder interface {
	// Refused is told of a request that was refused.
	Refused(r history.Refusal)
	// Attempted is told of events that became dead letters.
	Attempted(a history.Attempt)
}

// maxRecordedHeaders bounds the names of headers that are kept of a refused request, and maxHeaderName each of them.
const (
	maxRecordedHeaders = 50
	maxHeaderName      = 100
)

// recordRefusal tells of a request that is refused. Of what a stranger sent only the names of headers are told.
func (h *Handler) recordRefusal(r *http.Request, x *exchange, reason string) {
	if h.options.Recorder == nil {
		return
	}
	refusal := history.Refusal{At: x.started, Endpoint: x.endpoint.Name(), Reason: reason, Size: max(r.ContentLength, int64(len(x.request.Body)))}
	if address := clientAddress(r, h.options.TrustedProxies); address.IsValid() {
		refusal.Address = address.String()
	}
	names := slices.Sorted(maps.Keys(r.Header))
	for _, name := range names[:min(len(names), maxRecordedHeaders)] {
		refusal.Headers = append(refusal.Headers, name[:min(len(name), maxHeaderName)])
	}
	h.options.Recorder.Refused(refusal)
}

// recordDead tells of events for which a filter failed.
func (h *Handler) recordDead(b *journal.Batch) {
	if h.options.Recorder == nil {
		return
	}
	for i := range b.DeadLetters {
		d := &b.DeadLetters[i]
		if d.EventID == "" || d.Sink == "" {
			continue
		}
		h.options.Recorder.Attempted(history.Attempt{
			Sink: d.Sink, At: d.At, Outcome: history.Dead, Answer: history.Answer(d.Reason),
			Events: []history.Sent{{Key: history.KeyOf([]byte(d.EventID), []byte(d.Endpoint)), AcceptedAt: d.At}},
		})
	}
}
