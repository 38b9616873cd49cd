package journal

import (
	"context"
	"time"
)

// Cause says why something is a dead letter.
type Cause string

// The causes of dead letters.
const (
	// CauseUndecodable: an authentic body or item could not be decoded. Payload is the raw bytes.
	CauseUndecodable Cause = "Undecodable"
	// CauseFilterFailed: a route's filter failed at run time, or does not compile. Payload is the encoded event.
	CauseFilterFailed Cause = "FilterFailed"
	// CauseRefused: the sink refused the event for good. Payload is the encoded event.
	CauseRefused Cause = "Refused"
	// CauseTooLarge: the journal cannot hold an event of that size. Payload is how it begins.
	CauseTooLarge Cause = "TooLarge"
	// CauseExpired: the event grew older than the sink's maximum age. Payload is the encoded event.
	CauseExpired Cause = "Expired"
)

// DeadLetter is what could not be decoded, routed or delivered, kept until it is retried, dropped or expires.
type DeadLetter struct {
	// ID is assigned by the journal; it grows with time.
	ID uint64
	// Cause is the class of the problem.
	Cause Cause
	// Reason says for people what happened. It holds no credential. It is stored as [Reason] returns it.
	Reason string
	// Endpoint is the "namespace/name" of the WebhookEndpoint that took the request.
	Endpoint string
	// Route is the name of the route, where one is concerned.
	Route string
	// Sink is the name of the sink, where one is concerned.
	Sink string
	// EventID is the event's id, where it has one.
	EventID string
	// Unverified says that the request failed verification and was taken in shadow mode.
	Unverified bool
	// Attempts counts the deliveries that were attempted.
	Attempts int
	// At is when it became a dead letter, in milliseconds resolution.
	At time.Time
	// Header keeps the request headers that decoding needs, for CauseUndecodable.
	Header map[string]string
	// DedupeKey makes a dead letter of a batch a duplicate of an earlier one; empty = never. It is not returned.
	DedupeKey string
	// Payload is the raw body or the encoded event. List leaves it out.
	Payload []byte
}

// NoRoomForDeadLetters is the warning of a journal of which dead letters have filled their share.
const NoRoomForDeadLetters = "there is no room for more dead letters: requests with what cannot be decoded or routed are answered 503; " +
	"look at what there is with mailvane deadletter list, and retry or drop it"

// DeadLetters reads and removes dead letters.
type DeadLetters interface {
	// List returns up to limit dead letters with an ID greater than after, oldest first, without payloads and headers. Where the
	// storage has replicas, one that was dropped a moment ago may still be among them.
	List(ctx context.Context, after uint64, limit int) ([]DeadLetter, error)
	// Get returns one with its payload, or ErrNotFound.
	Get(ctx context.Context, id uint64) (DeadLetter, error)
	// Drop removes the named ones durably and returns how many there were.
	Drop(ctx context.Context, ids []uint64) (int, error)
}

// Stats is a snapshot of what a journal holds. It may be a few seconds old where the storage is elsewhere.
type Stats struct {
	// Problem says for people why entries cannot be appended now, or are not handed out, and what to do; empty = they can and are.
	Problem string
	// Warning says for people what is amiss although entries are taken and handed out, and what to do; empty = nothing is. It is the
	// same text for as long as that lasts.
	Warning string
	// Unopened says that the storage could not be opened yet since the journal was made; the journal keeps trying.
	Unopened bool

	// Pending counts the undelivered entries per sink, leased and scheduled ones included.
	Pending map[string]int64
	// OldestAccepted is the acceptance time of the oldest undelivered entry per sink, where there is one.
	OldestAccepted map[string]time.Time
	// DeadLetters counts the dead letters.
	DeadLetters int64
	// UsedBytes and MaxBytes are the space taken on the device and its bound; MaxBytes is 0 where the journal knows of none.
	UsedBytes, MaxBytes int64
	// Lost counts the deliveries, by sink, that damage to the storage is known to have cost since the journal was opened; "" is for
	// those of which it is not known whose they were. Some of them may have been made before.
	Lost map[string]int64
	// Damage says for people which parts of the storage were damaged and where they are kept; empty = none.
	Damage string
	// Syncs counts the waits for stable storage since the journal was opened.
	Syncs int64
}
