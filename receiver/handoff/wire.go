// Package handoff moves what a receiver that stops still holds into the journal of another pod of the same receiver, so that
// a rollout during a sink's outage loses nothing although the pods' disks go with them.
//
// A parcel is posted to a peer's admin port; package peer signs it. The peer answers 200 once the parcel is on its stable storage, and
// proves with the key that it was it; only then does the sender forget it. A parcel that comes twice is stored once. What a parcel
// looks like is a contract between releases: each reads its own form and that of the release before.
package handoff

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/mailvane/mailvane/receiver/journal"
)

const (
	// Path is where a receiver takes parcels.
	Path = "/v1/handoff"
	// mediaType names the form of a parcel: a sequence of records, each a head in JSON and a payload as it is, both behind their
	// length as an unsigned varint. The first record describes the parcel.
	mediaType = "application/vnd.mailvane.handoff.v2"
	// maxParcelBytes bounds a parcel, which holds one event however large it is: the largest body that an endpoint may take, 100 MiB,
	// with every field that repeats a part of it.
	maxParcelBytes = 512 << 20
	// maxHeadBytes bounds what describes a record.
	maxHeadBytes = 1 << 20
)

// parcel is what one message moves.
type parcel struct {
	// Origin is the process that sends, by a name that no other has.
	Origin string
	// Sink is what the deliveries are owed to.
	Sink string
	// Deliveries are events that the sink has not got.
	Deliveries []journal.Delivery
	// DeadLetters are the sender's.
	DeadLetters []journal.DeadLetter
}

// head describes a record: the parcel, a delivery or a dead letter.
type head struct {
	Parcel     *parcelHead     `json:"parcel,omitzero"`
	Delivery   *deliveryHead   `json:"delivery,omitzero"`
	DeadLetter *deadLetterHead `json:"deadLetter,omitzero"`
}

type parcelHead struct {
	Origin string `json:"origin"`
	Sink   string `json:"sink,omitzero"`
}

type deliveryHead struct {
	Sequence    uint64    `json:"sequence"`
	OrderingKey string    `json:"orderingKey,omitzero"`
	AcceptedAt  time.Time `json:"acceptedAt"`
	Attempts    int       `json:"attempts,omitzero"`
}

type deadLetterHead struct {
	ID         uint64            `json:"id"`
	Cause      string            `json:"cause"`
	Reason     string            `json:"reason,omitzero"`
	Endpoint   string            `json:"endpoint,omitzero"`
	Route      string            `json:"route,omitzero"`
	Sink       string            `json:"sink,omitzero"`
	EventID    string            `json:"eventId,omitzero"`
	Unverified bool              `json:"unverified,omitzero"`
	Attempts   int               `json:"attempts,omitzero"`
	At         time.Time         `json:"at"`
	Header     map[string]string `json:"header,omitzero"`
}

// encode returns the parcel on the wire.
func (p *parcel) encode() ([]byte, error) {
	var e encoder
	e.record(&head{Parcel: &parcelHead{Origin: p.Origin, Sink: p.Sink}}, nil)
	for i := range p.Deliveries {
		d := &p.Deliveries[i]
		e.record(&head{Delivery: &deliveryHead{
			Sequence: d.Sequence, OrderingKey: d.OrderingKey, AcceptedAt: d.AcceptedAt.UTC(), Attempts: d.Attempts,
		}}, d.Payload)
	}
	for i := range p.DeadLetters {
		d := &p.DeadLetters[i]
		e.record(&head{DeadLetter: &deadLetterHead{
			ID: d.ID, Cause: string(d.Cause), Reason: d.Reason, Endpoint: d.Endpoint, Route: d.Route, Sink: d.Sink, EventID: d.EventID,
			Unverified: d.Unverified, Attempts: d.Attempts, At: d.At.UTC(), Header: d.Header,
		}}, d.Payload)
	}
	if e.err != nil {
		return nil, fmt.Errorf("encode parcel: %w", e.err)
	}
	return e.out, nil
}

// encoder appends records; after an error it does nothing more.
type encoder struct {
	out []byte
	err error
}

func (e *encoder) record(h *head, payload []byte) {
	if e.err != nil {
		return
	}
	var text []byte
	if text, e.err = json.Marshal(h, json.Deterministic(true)); e.err != nil {
		return
	}
	e.out = append(binary.AppendUvarint(e.out, uint64(len(text))), text...)
	e.out = append(binary.AppendUvarint(e.out, uint64(len(payload))), payload...)
}

var (
	errNoParcel      = errors.New("it does not begin with the description of a parcel")
	errUnknownRecord = errors.New("it has a record of a kind that this release does not know")
)

// decode reads a parcel. Its payloads are parts of body.
func decode(body []byte) (*parcel, error) {
	d := decoder{rest: body}
	first, _, err := d.record()
	if err != nil {
		return nil, err
	}
	if first.Parcel == nil {
		return nil, errNoParcel
	}
	p := &parcel{Origin: first.Parcel.Origin, Sink: first.Parcel.Sink}
	for len(d.rest) > 0 {
		h, payload, err := d.record()
		if err != nil {
			return nil, err
		}
		if err := p.add(h, payload); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// add adds a record. A kind that a later release has brought is an error, since what is not stored here must stay with its sender.
func (p *parcel) add(h *head, payload []byte) error {
	switch {
	case h.Delivery != nil:
		d := h.Delivery
		p.Deliveries = append(p.Deliveries, journal.Delivery{
			Sequence: d.Sequence, OrderingKey: d.OrderingKey, AcceptedAt: d.AcceptedAt, Attempts: d.Attempts, Payload: payload,
		})
	case h.DeadLetter != nil:
		d := h.DeadLetter
		p.DeadLetters = append(p.DeadLetters, journal.DeadLetter{
			ID: d.ID, Cause: journal.Cause(d.Cause), Reason: d.Reason, Endpoint: d.Endpoint, Route: d.Route, Sink: d.Sink, EventID: d.EventID,
			Unverified: d.Unverified, Attempts: d.Attempts, At: d.At, Header: d.Header, Payload: payload,
		})
	default:
		return errUnknownRecord
	}
	return nil
}

// decoder reads records from what is left of a body.
type decoder struct{ rest []byte }

func (d *decoder) record() (*head, []byte, error) {
	text, err := d.part(maxHeadBytes)
	if err != nil {
		return nil, nil, err
	}
	payload, err := d.part(maxParcelBytes)
	if err != nil {
		return nil, nil, err
	}
	var h head
	if err := json.Unmarshal(text, &h); err != nil {
		return nil, nil, fmt.Errorf("description of a record: %w", err)
	}
	return &h, payload, nil
}

func (d *decoder) part(limit uint64) ([]byte, error) {
	length, n := binary.Uvarint(d.rest)
	if n <= 0 || length > limit || length > uint64(len(d.rest)-n) {
		return nil, io.ErrUnexpectedEOF
	}
	part := d.rest[n : n+int(length) : n+int(length)]
	d.rest = d.rest[n+int(length):]
	return part, nil
}
