package wire

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/mailvane/mailvane/receiver/event"
)

// maxAhead is how far ahead of the receipt an event may claim to have happened: clocks differ, but not by days.
const maxAhead = 24 * time.Hour

// epochMilliseconds is where a bare number of undocumented unit stops to be seconds and starts to be milliseconds:
// in seconds it is the year 33658.
const epochMilliseconds = 1_000_000_000_000

// earliest is the first plausible time; there were no webhooks before.
func earliest() time.Time { return time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC) }

// Stamp is a provider's timestamp: as written, and as read.
type Stamp struct {
	raw         string
	at          time.Time
	readable    bool
	zoneAssumed bool
}

// DateTime reads an ISO 8601 date and time (RFC 3339), with a "T" or a blank between the two. Without a zone it is taken as UTC.
func DateTime(raw string) Stamp {
	s := Stamp{raw: raw}
	text := strings.Replace(strings.TrimSpace(s.raw), " ", "T", 1)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700"} {
		if at, err := time.Parse(layout, text); err == nil {
			return s.read(at)
		}
	}
	if at, err := time.Parse("2006-01-02T15:04:05.999999999", text); err == nil {
		s.zoneAssumed = true
		return s.read(at)
	}
	return s
}

// Seconds reads a number of seconds since 1970, as a JSON number or string.
func Seconds(raw string) Stamp { return epoch(raw, time.Second) }

// Milliseconds reads a number of milliseconds since 1970, as a JSON number or string.
func Milliseconds(raw string) Stamp { return epoch(raw, time.Millisecond) }

// SecondsOrMilliseconds reads a number since 1970 whose unit is not documented: from 10^12 on it counts milliseconds.
func SecondsOrMilliseconds(raw string) Stamp {
	if n, ok := number(raw); ok && n >= epochMilliseconds {
		return Milliseconds(raw)
	}
	return Seconds(raw)
}

func epoch(raw string, unit time.Duration) Stamp {
	s := Stamp{raw: raw}
	n, ok := number(raw)
	if !ok {
		return s
	}
	perSecond := int64(time.Second / unit)
	return s.read(time.Unix(n/perSecond, n%perSecond*int64(unit)))
}

// number reads a whole number; a fraction is cut off.
func number(raw string) (int64, bool) {
	text := strings.TrimSpace(raw)
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
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
