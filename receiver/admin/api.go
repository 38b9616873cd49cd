// Package admin is the contract of a receiver's admin API: what is stored, what waits and what fails, and what can be done
// about dead letters. Every call needs a token; package access says which rights there are. Without the right to personal data,
// recipients, senders, subjects and payloads are masked.
package admin

import (
	"time"
	"unicode/utf8"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/endpoint"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/metrics"
)

// The paths of the listener for metrics and probes, which is open to whoever may scrape and tells nothing personal.
const (
	PathHealth  = "/healthz"
	PathReady   = "/readyz"
	PathMetrics = "/metrics"
)

// The paths of the API. The IDs of a POST are sent as JSON.
const (
	PathConfig      = config.LoadedPath
	PathEndpoints   = "/v1/endpoints"
	PathJournal     = "/v1/journal"
	PathSinks       = "/v1/sinks"
	PathDeadLetters = "/v1/deadletters"
	PathRetry       = "/v1/deadletters/retry"
	PathDrop        = "/v1/deadletters/drop"
)

// PageSize is the largest number of dead letters in one answer, and of IDs in one request.
const PageSize = 1000

// Endpoint describes one endpoint and what came to it since the receiver started.
type Endpoint struct {
	endpoint.Summary
	metrics.Counts
	// Problems are what goes wrong at it, and what its owner can mend.
	Problems []config.Problem `json:"problems,omitzero"`
}

// Journal describes the journal.
type Journal struct {
	// Shared is the same text for every receiver that uses the same journal, and no other: what one of them says of stored
	// events and dead letters, they all say. Empty for a journal that belongs to one receiver alone.
	Shared string `json:"shared,omitzero"`
}

// Sink describes one sink.
type Sink struct {
	// Name is "namespace/name".
	Name string `json:"name"`
	// Type is the kind of sink; Absent for one that is owed events but configured no more.
	Type string `json:"type"`
	// Healthy is false from a failed send until the next that succeeds.
	Healthy bool `json:"healthy"`
	// Pending counts the events that it is owed.
	Pending int64 `json:"pending"`
	// OldestSeconds is the age of the oldest of them.
	OldestSeconds int64 `json:"oldestSeconds,omitzero"`
	// LastError and LastErrorTime tell of the last failed send.
	LastError     string    `json:"lastError,omitzero"`
	LastErrorTime time.Time `json:"lastErrorTime,omitzero"`
}

// DeadLetter is one dead letter.
type DeadLetter struct {
	ID       uint64        `json:"id,string"`
	Cause    journal.Cause `json:"cause"`
	Reason   string        `json:"reason"`
	Endpoint string        `json:"endpoint,omitzero"`
	Route    string        `json:"route,omitzero"`
	Sink     string        `json:"sink,omitzero"`
	EventID  string        `json:"eventId,omitzero"`
	// Unverified says that the request failed verification and was taken in shadow mode.
	Unverified bool `json:"unverified,omitzero"`
	Attempts   int  `json:"attempts,omitzero"`
	// Masked says that personal data was taken out, the payload with it: the token does not give the right privacy.
	Masked bool      `json:"masked,omitzero"`
	Time   time.Time `json:"time"`
	// Payload is the encoded event or the raw body, when it was asked for and is UTF-8; else PayloadBase64 is.
	Payload       string `json:"payload,omitzero"`
	PayloadBase64 []byte `json:"payloadBase64,omitzero"`
}

// NewDeadLetter returns the view of d.
func NewDeadLetter(d *journal.DeadLetter) DeadLetter {
	view := DeadLetter{
		ID: d.ID, Cause: d.Cause, Reason: d.Reason, Endpoint: d.Endpoint, Route: d.Route, Sink: d.Sink,
		EventID: d.EventID, Unverified: d.Unverified, Attempts: d.Attempts, Time: d.At.UTC(),
	}
	if utf8.Valid(d.Payload) {
		view.Payload = string(d.Payload)
	} else {
		view.PayloadBase64 = d.Payload
	}
	return view
}

// IDs names dead letters in a request.
type IDs struct {
	IDs []uint64 `json:"ids"`
}

// Result says what became of the named dead letters.
type Result struct {
	// Done counts those that were retried or dropped.
	Done int `json:"done"`
	// Failed says why the others stay, by ID.
	Failed map[uint64]string `json:"failed,omitzero"`
}
