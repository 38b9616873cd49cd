package wire

import (
	"time"

	"github.com/mailvane/mailvane/receiver/event"
)

// maxAhead is how far ahead of the receipt an event may claim to have happened: clocks differ, but not by days.
const maxAhead = 24 * time.Hour

// earliest is the first plausible time; there were no webhooks before.
func earliest() time.Time { return time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC) }

// Stamp is a provider's timestamp: as written, and as read.
type Stamp struct {
	raw         string
	at          time.Time
	readable    bool
	zoneAssumed bool
}

// read keeps a time that JSON can carry (RFC 3339 has years of four digits).
func (s Stamp) read(at time.Time) Stamp {
	at = at.UTC()
	if year := at.Year(); year < 1 || year > 9999 {
		return s
	}
	s.at, s.readable = at, true
	return s
}

// Time returns the time in UTC, and false when the timestamp could not be read.
func (s Stamp) Time() (time.Time, bool) { return s.at, s.readable }

// SetTime writes the timestamp into e: the time of receipt takes the place of one that cannot be read, and what is
// before the year 2000 or more than a day ahead of the receipt is kept and marked.
func (s Stamp) SetTime(e *event.Event, receivedAt time.Time) {
	e.TimeRaw = s.raw
	e.TimeZoneAssumed = s.zoneAssumed
	if !s.readable {
		e.Time = receivedAt.UTC()
		e.TimeImplausible = true
		return
	}
	e.Time = s.at
	e.TimeImplausible = s.at.Before(earliest()) || s.at.After(receivedAt.Add(maxAhead))
}
