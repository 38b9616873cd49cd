package admin

import (
	"time"
	"unicode/utf8"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/history"
)

// The paths of the history. To search by a recipient, and to erase one, takes the right privacy: the answer tells of a person.
const (
	PathHistory  = "/v1/history/events"
	PathRefusals = "/v1/history/refusals"
	PathErase    = "/v1/history/erase"
)

// The parameters of a search; see [history.Query].
const (
	QueryID        = "id"
	QueryRecipient = "recipient"
	QueryMessage   = "message"
	QueryType      = "type"
	QueryEndpoint  = "endpoint"
	QuerySink      = "sink"
	QueryState     = "state" // repeated: any of them
	QueryCode      = "code"
	QuerySince     = "since" // RFC 3339
	QueryUntil     = "until"
	QueryForward   = "forward" // "true"
	QueryPayload   = "payload" // "true": with the event as it was stored, with the right privacy
	QueryCursor    = "cursor"
	QueryLimit     = "limit"
)

// HistoryEvent is one event that was accepted, with what became of it.
type HistoryEvent struct {
	ID            string    `json:"id"`
	Type          string    `json:"type"`
	Endpoint      string    `json:"endpoint"`
	Provider      string    `json:"provider"`
	ProviderEvent string    `json:"providerEvent,omitzero"`
	AcceptedAt    time.Time `json:"acceptedAt"`
	// Time is when it happened, by the provider.
	Time  time.Time `json:"time"`
	State string    `json:"state"`
	// Recipient, Sender and Subject are masked without the right privacy.
	Recipient         string `json:"recipient,omitzero"`
	Sender            string `json:"sender,omitzero"`
	Subject           string `json:"subject,omitzero"`
	MessageID         string `json:"messageId,omitzero"`
	ProviderMessageID string `json:"providerMessageId,omitzero"`
	SMTPCode          int    `json:"smtpCode,omitzero"`
	EnhancedCode      string `json:"enhancedCode,omitzero"`
	Reason            string `json:"reason,omitzero"`
	Unverified        bool   `json:"unverified,omitzero"`
	// Sinks are those that it was owed to at first, unless SinksUnknown.
	Sinks        []string  `json:"sinks,omitzero"`
	SinksUnknown bool      `json:"sinksUnknown,omitzero"`
	Attempts     []Attempt `json:"attempts,omitzero"`
	// Masked says that personal data was taken out.
	Masked bool `json:"masked,omitzero"`
	// Payload is the encoded event, when it was asked for.
	Payload string `json:"payload,omitzero"`
}

// Attempt is one try to send an event to a sink, or what else was done with it there.
type Attempt struct {
	Sink string    `json:"sink"`
	Time time.Time `json:"time"`
	// Milliseconds is how long it took.
	Milliseconds int64 `json:"milliseconds,omitzero"`
	// Outcome is Delivered, Failed, DeadLetter, Retried or Dropped.
	Outcome string `json:"outcome"`
	// Answer is how what the destination said begins, or who did it.
	Answer string `json:"answer,omitzero"`
}

// HistoryPage is a part of what a search selects.
type HistoryPage struct {
	Events []HistoryEvent `json:"events"`
	// Next is the cursor behind it; empty = nothing is left.
	Next string `json:"next,omitzero"`
	// Short says that looking on would have taken too long: there may be more behind Next, also where there are no events.
	Short bool `json:"short,omitzero"`
}

// Erasure says whom to erase.
type Erasure struct {
	Recipient string `json:"recipient"`
	// CountAlone has nothing erased, and what would be counted.
	CountAlone bool `json:"countAlone,omitzero"`
}

// Erased counts what was erased.
type Erased struct {
	Events      int `json:"events"`
	DeadLetters int `json:"deadLetters"`
}

// NewHistoryEvent returns the view of an event. payload says whether the event as it was stored is part of it.
func NewHistoryEvent(f *history.Found, state history.State, payload bool) HistoryEvent {
	view := HistoryEvent{AcceptedAt: f.AcceptedAt.UTC(), State: string(state), Sinks: f.Sinks, SinksUnknown: f.SinksUnknown}
	for i := range f.Told {
		t := &f.Told[i]
		view.Attempts = append(view.Attempts, Attempt{
			Sink: t.Sink, Time: t.At.UTC(), Milliseconds: t.Took.Milliseconds(), Outcome: t.Outcome.String(), Answer: t.Answer,
		})
	}
	envelope, err := event.ParseEnvelope(f.Payload)
	if err != nil {
		return view // it was one when it was stored
	}
	view.ID, view.Endpoint, view.Unverified = envelope.ID, event.EndpointOf(envelope.Source), envelope.Unverified
	if e, err := envelope.Event(); err == nil {
		view.describe(&e)
	}
	if payload && utf8.Valid(f.Payload) {
		view.Payload = string(f.Payload)
	}
	return view
}

func (v *HistoryEvent) describe(e *event.Event) {
	v.Type, v.Provider, v.ProviderEvent, v.Time = string(e.Type), e.Provider, e.ProviderEvent, e.Time.UTC()
	v.Recipient, v.Sender, v.Subject = e.Recipient, e.Sender, e.Subject
	v.MessageID, v.ProviderMessageID = e.MessageID, e.ProviderMessageID
	v.SMTPCode, v.EnhancedCode, v.Reason = e.SMTPCode, e.EnhancedCode, e.Reason
}

// Mask takes personal data from the view.
func (v *HistoryEvent) Mask() {
	v.Masked, v.Payload = true, ""
	for _, text := range []*string{&v.Recipient, &v.Sender, &v.Subject} {
		if *text != "" {
			*text = masked
		}
	}
	v.Reason = maskText(v.Reason)
	for i := range v.Attempts {
		v.Attempts[i].Answer = maskText(v.Attempts[i].Answer)
	}
}
