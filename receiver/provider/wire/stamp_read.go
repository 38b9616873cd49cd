package wire

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// dateTimes are the forms of a date and time with a zone, and of one without, after [tidy].
const (
	zonedForms    = "2006-01-02T15:04:05Z07:00|2006-01-02T15:04:05Z0700|2006-01-02T15:04:05Z07|2006-01-02T15:04Z07:00|2006-01-02T15:04Z0700"
	zonelessForms = "2006-01-02T15:04:05|2006-01-02T15:04|2006-01-02"
	// mailForms are those of RFC 5322 section 3.3 and of HTTP, with and without the day of the week and seconds.
	mailForms = "Mon, 2 Jan 2006 15:04:05 -0700|2 Jan 2006 15:04:05 -0700|Mon, 2 Jan 2006 15:04 -0700|2 Jan 2006 15:04 -0700"
)

// maxTimeText is the length of a text, in bytes, from which it is no time in any of the forms.
const maxTimeText = 64

// lastEpochYear is the first year that a number is not taken to mean if it may mean another in another unit.
const lastEpochYear = 2100

func dateTime(raw string) Stamp {
	s := Stamp{raw: raw}
	if len(raw) > maxTimeText {
		return s
	}
	if at, err := time.Parse(time.RFC3339, raw); err == nil { // as nearly all are
		return s.read(at)
	}
	text, leap := tidy(raw)
	if at, ok := parseAny(text, zonedForms); ok {
		return s.read(at.Add(leap))
	}
	if at, ok := parseAny(text, zonelessForms); ok {
		s.zoneAssumed = true
		return s.read(at.Add(leap))
	}
	if at, ok := parseAny(numericZone(strings.TrimSpace(raw)), mailForms); ok {
		return s.read(at)
	}
	return s
}

// parseAny tries the forms one after the other. A fraction of a second is read in each of them.
func parseAny(text, forms string) (time.Time, bool) {
	for form := range strings.SplitSeq(forms, "|") {
		if at, err := time.Parse(form, text); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// tidy brings what RFC 3339 allows, and what is written in its place, to one form: letters in upper case, "T" between date and time, no
// blank before the zone, "Z" for UTC. Of a leap second it takes off the second, which is to be added.
func tidy(raw string) (text string, leap time.Duration) {
	text = strings.ToUpper(strings.TrimSpace(raw))
	if len(text) > len("2006-01-02") && text[len("2006-01-02")] == ' ' {
		text = strings.Replace(text, " ", "T", 1)
	}
	for _, utc := range []string{"UTC", "GMT"} {
		if rest, ok := strings.CutSuffix(text, utc); ok {
			text = rest + "Z"
		}
	}
	text = strings.ReplaceAll(text, " ", "")
	if seconds := len("2006-01-02T15:04"); len(text) > seconds+2 && text[seconds:seconds+3] == ":60" {
		return text[:seconds] + ":59" + text[seconds+3:], time.Second
	}
	return text, 0
}

// numericZone replaces the names of UTC at the end of a date of mail, and takes off a comment (RFC 5322 section 4.3).
func numericZone(text string) string {
	if i := strings.LastIndexByte(text, '('); i > 0 && strings.HasSuffix(text, ")") {
		text = strings.TrimSpace(text[:i])
	}
	for _, utc := range []string{" GMT", " UTC", " UT", " Z"} {
		if rest, ok := strings.CutSuffix(text, utc); ok {
			return rest + " +0000"
		}
	}
	return text
}

// Seconds reads a number of seconds since 1970, as a JSON number or string, with a fraction to the nanosecond: by its digits, of which a
// floating point number would lose some. In its place it takes a date and time.
func Seconds(raw string) Stamp {
	n, ok := number(raw)
	if !ok {
		return dateTime(raw)
	}
	return Stamp{raw: raw}.read(since1970(n, time.Second).Add(fraction(raw)))
}

// fraction returns what stands behind the point of a number of seconds that is not negative.
func fraction(raw string) time.Duration {
	whole, digits, _ := strings.Cut(strings.TrimSpace(raw), ".")
	if strings.HasPrefix(whole, "-") || strings.Trim(digits, "0123456789") != "" {
		return 0
	}
	const places = "000000000"
	n, _ := strconv.Atoi((digits + places)[:len(places)]) // nothing but digits
	return time.Duration(n)
}

// DateTime reads an ISO 8601 date and time (RFC 3339), with a "T" or a blank between the two, with or without seconds, or a date alone;
// or the form that mail has (RFC 5322). Without a zone it is taken as UTC. It also reads a number since 1970 of which nobody is sure
// what it counts, as a JSON number or string: seconds, milli-, micro- or nanoseconds, whatever is a time of ours.
func DateTime(raw string) Stamp {
	n, ok := number(raw)
	if !ok {
		return dateTime(raw)
	}
	for _, unit := range []time.Duration{time.Second, time.Millisecond, time.Microsecond, time.Nanosecond} {
		if at := since1970(n, unit); !at.Before(earliest()) && at.Year() < lastEpochYear {
			return Stamp{raw: raw}.read(at)
		}
	}
	return Stamp{raw: raw}.read(since1970(n, time.Second))
}

func since1970(n int64, unit time.Duration) time.Time {
	perSecond := int64(time.Second / unit)
	return time.Unix(n/perSecond, n%perSecond*int64(unit))
}

// number reads a whole number; a fraction is cut off.
func number(raw string) (int64, bool) {
	if strings.IndexByte(raw, ':') >= 0 {
		return 0, false // a time of day, as nearly all have that are no number
	}
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
