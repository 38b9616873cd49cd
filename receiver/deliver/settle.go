package deliver

import (
	"context"
	"time"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/history"
	"github.com/mailvane/mailvane/receiver/journal"
)

// settle ends the leases of a batch and returns the deliveries that may be sent next because of it.
func (w *Worker) settle(ctx context.Context, settlements []journal.Settlement) []journal.Delivery {
	for i := range settlements {
		if settlements[i].Outcome == journal.Dead {
			w.divert(ctx, &settlements[i])
		}
	}
	freed, settlements := w.order.release(settlements)
	w.settleAll(ctx, settlements)
	return freed
}

// dead describes a delivery that the sink will not get.
func (w *Worker) dead(d journal.Delivery, cause journal.Cause, err error) journal.Settlement {
	letter := &journal.DeadLetter{Cause: cause, Reason: journal.Reason(err.Error()), At: time.Now()}
	if envelope, err := event.ParseEnvelope(d.Payload); err == nil {
		letter.EventID = envelope.ID
		letter.Endpoint = event.EndpointOf(envelope.Source)
		letter.Unverified = envelope.Unverified
	}
	w.lengths.forget([]journal.Delivery{d})
	w.options.Metrics.DeadLettered(string(cause), 1)
	w.tell([]journal.Delivery{d}, history.Attempt{Outcome: history.Dead, Answer: err.Error()})
	return journal.Settlement{Deliveries: []journal.Delivery{d}, Outcome: journal.Dead, DeadLetter: letter}
}

// divert gives a dead letter to the dead-letter sink, where there is one. An event that has been diverted before stays in
// the journal, so that two sinks that refuse it cannot pass it to and fro; and so does one for which the journal has no room: it
// would be sent again and again, and what waits behind it with it.
func (w *Worker) divert(ctx context.Context, s *journal.Settlement) {
	if w.policy.deadLetterSink == "" {
		return
	}
	delivery := &s.Deliveries[0]
	envelope, err := event.ParseEnvelope(delivery.Payload)
	if err != nil || envelope.DeadLetterSink != "" {
		return
	}
	envelope.SetDeadLetter(w.options.Name, s.DeadLetter.Reason)
	payload, err := envelope.Encode()
	if err != nil {
		return
	}
	_, err = w.options.Journal.Append(ctx, journal.Batch{Entries: []journal.Entry{{
		OrderingKey: delivery.OrderingKey, Sinks: []string{w.policy.deadLetterSink}, AcceptedAt: time.Now(), Payload: payload,
	}}})
	if err == nil {
		s.Outcome = journal.Delivered
	}
}
