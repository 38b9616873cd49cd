package handoff

import (
	"time"

	"github.com/go-json-experiment/json"

	"github.com/mailvane/mailvane/receiver/journal"
)

// previousParcel is the form of the release before, one JSON text with the names that fields of Go had there.
type previousParcel struct {
	Origin     string `json:"origin"`
	Sink       string `json:"sink"`
	Deliveries []struct {
		Sequence    uint64
		OrderingKey string
		AcceptedAt  time.Time
		Attempts    int
		Payload     []byte
	} `json:"deliveries"`
	DeadLetters []struct {
		ID         uint64
		Cause      journal.Cause
		Reason     string
		Endpoint   string
		Route      string
		Sink       string
		EventID    string
		Unverified bool
		Attempts   int
		At         time.Time
		Header     map[string]string
		Payload    []byte
	} `json:"deadLetters"`
}

func decodePrevious(body []byte) (*parcel, error) {
	var in previousParcel
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	p := &parcel{Origin: in.Origin, Sink: in.Sink}
	for _, d := range in.Deliveries {
		p.Deliveries = append(p.Deliveries, journal.Delivery{
			Sequence: d.Sequence, OrderingKey: d.OrderingKey, AcceptedAt: d.AcceptedAt, Attempts: d.Attempts, Payload: d.Payload,
		})
	}
	for _, d := range in.DeadLetters {
		p.DeadLetters = append(p.DeadLetters, journal.DeadLetter{
			ID: d.ID, Cause: d.Cause, Reason: d.Reason, Endpoint: d.Endpoint, Route: d.Route, Sink: d.Sink, EventID: d.EventID,
			Unverified: d.Unverified, Attempts: d.Attempts, At: d.At, Header: d.Header, Payload: d.Payload,
		})
	}
	return p, nil
}
