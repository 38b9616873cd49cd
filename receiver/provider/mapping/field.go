package mapping

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// detailPrefix begins the names of fields that are details.
const detailPrefix = "details."

// field sets one field of an event.
type field struct {
	*expression

	set func(e *event.Event, values []string) error
	// isList says that it may yield several values.
	isList bool
}

// field compiles the expression of a field.
func (c *compiler) field(name, text string) field {
	f := field{expression: c.expression("fields."+name, text)}
	detail, isDetail := strings.CutPrefix(name, detailPrefix)
	set, known := texts()[name]
	switch {
	case name == "recipients":
		f.isList, f.set = true, setRecipients
	case name == "tags":
		f.isList, f.set = true, func(e *event.Event, values []string) error { e.Tags = values; return nil }
	case isDetail && detail != "":
		f.set = func(e *event.Event, values []string) error { wire.SetDetail(e, detail, values[0]); return nil }
	case known:
		f.set = func(e *event.Event, values []string) error { return set(e, values[0]) }
	default:
		c.problem("fields."+name, "is no field that can be set, such as recipient, bounce.type, or details.NAME")
		return f
	}
	if f.constant != "" {
		if err := f.set(new(event.Event), []string{f.constant}); err != nil {
			c.problem("fields."+name, "%w", err)
		}
	}
	return f
}

// apply sets the field by what the expression yields; nothing leaves it as it is.
func (f *field) apply(e *event.Event, v *view) error {
	out, err := f.eval(v)
	if out == nil || err != nil {
		return err
	}
	var values []string
	if f.isList {
		values = listOf(out)
	} else if text, ok := textOf(out); !ok {
		return fmt.Errorf("%s: must yield a text or a number", f.rule)
	} else if text != "" {
		values = []string{text}
	}
	if len(values) == 0 {
		return nil
	}
	if err := f.set(e, values); err != nil {
		return fmt.Errorf("%s: %w", f.rule, err)
	}
	return nil
}

// setRecipients leaves the one recipient that a rule has named.
func setRecipients(e *event.Event, values []string) error {
	named := e.Recipient
	var addresses []string
	for _, text := range values {
		addresses = append(addresses, wire.Addresses(text)...)
	}
	wire.SetRecipients(e, addresses)
	e.Recipient = wire.First(named, e.Recipient)
	return nil
}

// texts returns what sets each field that is one text.
func texts() map[string]func(*event.Event, string) error {
	plain := func(place func(*event.Event) *string) func(*event.Event, string) error {
		return func(e *event.Event, text string) error { *place(e) = text; return nil }
	}
	return map[string]func(*event.Event, string) error{
		"recipient":              func(e *event.Event, text string) error { e.Recipient = wire.Address(text); return nil },
		"sender":                 func(e *event.Event, text string) error { e.Sender = wire.Address(text); return nil },
		"messageId":              func(e *event.Event, text string) error { e.MessageID = wire.MessageID(text); return nil },
		"smtpCode":               func(e *event.Event, text string) error { e.SMTPCode = wire.SMTPCode(text); return nil },
		"enhancedCode":           func(e *event.Event, text string) error { e.EnhancedCode = wire.EnhancedCode(text); return nil },
		"subject":                plain(func(e *event.Event) *string { return &e.Subject }),
		"providerMessageId":      plain(func(e *event.Event) *string { return &e.ProviderMessageID }),
		"providerEventId":        plain(func(e *event.Event) *string { return &e.ProviderEventID }),
		"correlationId":          plain(func(e *event.Event) *string { return &e.CorrelationID }),
		"account":                plain(func(e *event.Event) *string { return &e.Account }),
		"reason":                 plain(func(e *event.Event) *string { return &e.Reason }),
		"diagnostic":             plain(func(e *event.Event) *string { return &e.Diagnostic }),
		"url":                    plain(func(e *event.Event) *string { return &e.URL }),
		"ip":                     plain(func(e *event.Event) *string { return &e.IP }),
		"userAgent":              plain(func(e *event.Event) *string { return &e.UserAgent }),
		"client.name":            plain(func(e *event.Event) *string { return &e.Client.Name }),
		"client.os":              plain(func(e *event.Event) *string { return &e.Client.OS }),
		"bounce.category":        plain(func(e *event.Event) *string { return &e.Bounce.Category }),
		"complaint.feedbackType": plain(func(e *event.Event) *string { return &e.Complaint.FeedbackType }),
		"bounce.type":            setBounceType,
		"reject.reason":          setRejectReason,
	}
}

func setBounceType(e *event.Event, text string) error {
	e.Bounce.Type = event.BounceType(text)
	switch e.Bounce.Type {
	case event.Hard, event.Soft, event.Undetermined:
		return nil
	default:
		return errors.New("must yield hard, soft or undetermined")
	}
}

func setRejectReason(e *event.Event, text string) error {
	e.Reject.Reason = event.RejectReason(text)
	if !slices.Contains(event.RejectReasons(), text) {
		return errors.New("must yield one of " + strings.Join(event.RejectReasons(), ", "))
	}
	return nil
}
