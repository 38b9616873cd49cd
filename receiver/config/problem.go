package config

import "time"

// The kinds of a [Problem].
const (
	// BodyTooLarge says that requests had bodies above the endpoint's bound. They are refused unread, so anybody may have sent them.
	BodyTooLarge = "BodyTooLarge"
	// EventTooLarge says that the endpoint takes bodies of which the events may be too large for the journal. Count is 0: none need to
	// have come.
	EventTooLarge = "EventTooLarge"
	// FilterFailing says that the filter of a route cannot be evaluated for events, which become dead letters.
	FilterFailing = "FilterFailing"
)

// SignatureReused says that many different bodies came with one signature, of a provider that signs no body.
const SignatureReused = "SignatureReused"

// MaxProblems bounds the problems that a receiver tells of.
const MaxProblems = 200

// Problem is what goes wrong at an endpoint while it serves, and what its owner can mend. Nothing that a request brought is in it.
type Problem struct {
	// Endpoint is "namespace/name".
	Endpoint string `json:"endpoint"`
	// Kind is one of the constants.
	Kind string `json:"kind"`
	// Route names the route, where the problem is one of a route.
	Route string `json:"route,omitzero"`
	// Message says for people what is wrong, without who or what.
	Message string `json:"message"`
	// Count is how often it has happened under this configuration of the endpoint, from Since to Last.
	Count uint64    `json:"count"`
	Since time.Time `json:"since"`
	Last  time.Time `json:"last"`
}
