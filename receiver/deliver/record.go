package deliver

import (
	"context"
	"time"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/history"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/sink"
)

// Recorder is told what became of deliveries. It must not wait for anything.
type Recorder interface {
	// Attempted is told of one attempt.
	Attempted(a history.Attempt)
}

// record tells of an attempt that began at a time, for which a sink had to wait its turn as well. Of one that a sink refused for good nothing
// is told here: of several events it is narrowed down, and the one at fault is told of as a dead letter.
func (w *Worker) record(ctx context.Context, chunk []journal.Delivery, began time.Time, err error) {
	if w.options.Recorder == nil {
		return
	}
	took := time.Since(began)
	if err == nil {
		w.tell(chunk, history.Attempt{Took: took, Outcome: history.Delivered})
		return
	}
	failed := sink.FailedOf(err, len(chunk))
	if len(failed) == 0 {
		if ctx.Err() == nil && !sink.IsPermanent(err) {
			w.tell(chunk, history.Attempt{Took: took, Outcome: history.Failed, Answer: err.Error()})
		}
		return
	}
	p := partsOf(chunk, failed)
	w.tell(p.taken, history.Attempt{Took: took, Outcome: history.Delivered})
	if len(p.again) > 0 {
		w.tell(p.again, history.Attempt{Took: took, Outcome: history.Failed, Answer: p.reason.Error()})
	}
	if len(p.waiting) > 0 {
		w.tell(p.waiting, history.Attempt{Took: took, Outcome: history.Failed, Answer: p.cause.Error()})
	}
}

// tell tells the recorder of deliveries to which the same happened.
func (w *Worker) tell(deliveries []journal.Delivery, a history.Attempt) {
	if w.options.Recorder == nil || len(deliveries) == 0 {
		return
	}
	a.Sink, a.At, a.Answer = w.options.Name, time.Now(), history.Answer(a.Answer)
	a.Events = make([]history.Sent, 0, len(deliveries))
	for i := range deliveries {
		id, source, err := event.OriginOf(deliveries[i].Payload)
		if err != nil {
			continue // it is no event, and in no history
		}
		a.Events = append(a.Events, history.Sent{Key: history.KeyOf(id, source), AcceptedAt: deliveries[i].AcceptedAt})
	}
	w.options.Recorder.Attempted(a)
}
