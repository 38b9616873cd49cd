// Package content makes of an event what a sink may have of it: fields of the record are dropped, masked or hashed, with everything that
// follows from them or repeats them.
package content

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/event"
)

// Content is what one sink may have. It is safe for concurrent use.
type Content struct {
	as      map[string]string
	dropRaw bool
	key     []byte
}

// New returns what c says, or nil if that is all of an event.
func New(c *config.Content) (*Content, error) {
	if c == nil || !c.Changes() && c.Raw != config.ContentDrop {
		return nil, nil //nolint:nilnil // nothing is to be done
	}
	if err := c.Check(); err != nil {
		return nil, fmt.Errorf("content: %w", err)
	}
	n := &Content{as: make(map[string]string, len(c.Fields)), dropRaw: c.Raw == config.ContentDrop, key: []byte(c.HashKey)}
	for _, f := range c.Fields {
		n.as[f.Name] = f.As
	}
	return n, nil
}

// Apply returns of an encoded event what the sink may have, a CloudEvent of the same schema, in memory of its own.
func (c *Content) Apply(structured []byte) (event.Envelope, error) {
	envelope, err := event.ParseEnvelope(structured)
	if err != nil {
		return event.Envelope{}, err
	}
	e, err := envelope.Event()
	if err != nil {
		return event.Envelope{}, err
	}
	s := c.scrubberOf(&e)
	e.Rewrite(event.Rewriter{
		Drop: func(field string) bool { return c.of(field) == config.ContentDrop || field == "raw" && c.dropRaw },
		Text: func(field, value string) string {
			if isIdentity(field) {
				return value
			}
			return s.text(c.of(field), value)
		},
	})
	envelope.PartitionKey, envelope.DeadLetterReason = s.key(envelope.PartitionKey), s.scrub(envelope.DeadLetterReason)
	return envelope, envelope.Describe(&e)
}

// isIdentity reports whether a text identifies the event. It is made of nothing that could be dropped.
func isIdentity(field string) bool { return field == "id" || field == "type" || field == "provider" }

// of returns what becomes of a field.
func (c *Content) of(field string) string {
	if as, ok := c.as[field]; ok {
		return as
	}
	if parent, _, member := strings.Cut(field, "."); member {
		if as, ok := c.as[parent+".*"]; ok {
			return as
		}
	}
	return config.ContentKeep
}

// treat returns what is sent in place of a value.
func (c *Content) treat(as, value string) string {
	switch as {
	case config.ContentDrop:
		return ""
	case config.ContentMask:
		return mask(value)
	case config.ContentHash:
		if value == "" {
			return ""
		}
		mac := hmac.New(sha256.New, c.key)
		mac.Write([]byte(value))
		return hex.EncodeToString(mac.Sum(nil))
	default:
		return value
	}
}
