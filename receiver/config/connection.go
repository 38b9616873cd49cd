package config

import "time"

// The causes of a [Connection] that is none.
const (
	// CredentialRefused says that the destination does not know the sink, or does not let it deliver.
	CredentialRefused = "CredentialRefused" //nolint:gosec // it is a word and no credential
	// DestinationNotFound says that the server is there and what events go to is not.
	DestinationNotFound = "DestinationNotFound"
	// DestinationUnreachable says that no connection could be made.
	DestinationUnreachable = "DestinationUnreachable"
	// DeliveryFailing says that the destination fails otherwise.
	DeliveryFailing = "DeliveryFailing"
)

// MaxConnections bounds the connections that a receiver tells of, and MaxConnectionMessage what it says of one, in bytes.
const (
	MaxConnections       = 500
	MaxConnectionMessage = 300
)

// Connection is what a receiver knows of the way from a sink to its destination, by the last sends and probes. One of which nothing is
// known is not told.
type Connection struct {
	// Sink is "namespace/name".
	Sink string `json:"sink"`
	// Cause is one of the constants; empty = the destination takes events.
	Cause string `json:"cause,omitzero"`
	// Message says for people what a probe found. Nothing of an event is in it, and it stays the same while the cause does.
	Message string `json:"message,omitzero"`
	// Since is when it became so.
	Since time.Time `json:"since"`
}
