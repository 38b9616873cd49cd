package wire_test

import (
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// TestStampForms has every form in which a provider's time was seen or may come. Each is read, whatever the page of the provider says of
// its unit, or kept as it is and marked; none costs an event.
func TestStampForms(t *testing.T) {
	t.Parallel()
	at := time.Date(2023, 12, 8, 18, 3, 44, 0, time.UTC)
	minute := at.Truncate(time.Minute)
	received := at.Add(time.Hour)
	cases := map[string]struct {
		reason               string
		raw                  []string
		want                 time.Time
		assumed, implausible bool
	}{
		"RFC 3339":               {reason: "the documented form", raw: []string{"2023-12-08T18:03:44Z", "2023-12-08T23:33:44+05:30", "2023-12-08T18:03:44.000Z", "2023-12-08T18:03:44.0000000000000Z"}, want: at},
		"letters in lower case":  {reason: "RFC 3339 section 5.6 allows them", raw: []string{"2023-12-08t18:03:44z", "2023-12-08t23:33:44+05:30"}, want: at},
		"other zones":            {reason: "ISO 8601 and habits", raw: []string{"2023-12-08T23:33:44+0530", "2023-12-08T20:03:44+02", "2023-12-08 23:33:44 +05:30", "2023-12-08 18:03:44 UTC", "2023-12-08T18:03:44GMT", " 2023-12-08 18:03:44Z "}, want: at},
		"a comma":                {reason: "ISO 8601 prefers it", raw: []string{"2023-12-08T18:03:44,000Z"}, want: at},
		"no zone":                {reason: "UTC is the best guess", raw: []string{"2023-12-08 18:03:44", "2023-12-08T18:03:44"}, want: at, assumed: true},
		"no seconds":             {reason: "ISO 8601", raw: []string{"2023-12-08T18:03Z", "2023-12-08T23:33+05:30", "2023-12-08T23:33+0530"}, want: minute},
		"neither":                {reason: "ISO 8601", raw: []string{"2023-12-08 18:03"}, want: minute, assumed: true},
		"a date":                 {reason: "the day is better than the receipt", raw: []string{"2023-12-08"}, want: at.Truncate(24 * time.Hour), assumed: true},
		"a leap second":          {reason: "RFC 3339 section 5.7", raw: []string{"2016-12-31T23:59:60Z", "2017-01-01T05:29:60+05:30"}, want: time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC)},
		"mail":                   {reason: "RFC 5322 section 3.3", raw: []string{"Fri, 08 Dec 2023 18:03:44 GMT", "Fri, 8 Dec 2023 23:33:44 +0530", "8 Dec 2023 18:03:44 +0000 (UTC)", "Fri, 08 Dec 2023 18:03:44 UTC"}, want: at},
		"any unit since 1970":    {reason: "a number can mean but one time of ours", raw: []string{"1702058624", "1702058624000", "1702058624000000", "1702058624000000000", " 1702058624 ", "1702058624.5", "1.702058624e9"}, want: at},
		"a count before 2000":    {reason: "in no unit plausible: the documented one", raw: []string{"162509800"}, want: time.Unix(162509800, 0).UTC(), implausible: true},
		"no time":                {reason: "the receipt is what is known", raw: []string{"", "yesterday", "2023-13-08T18:03:44Z", "1e400", "99999999999999999999", "true", "2023-12-08T18:03:44IST", strings.Repeat("2023-12-08 ", 10)}, want: received, implausible: true},
		"a day that is no day":   {reason: "the receipt is what is known", raw: []string{"2023-02-30"}, want: received, implausible: true},
		"far ahead of the clock": {reason: "clocks differ, but not by days", raw: []string{"2023-12-10T18:03:44Z"}, want: at.Add(48 * time.Hour), implausible: true},
	}
	for name, c := range cases {
		for _, raw := range c.raw {
			var e event.Event
			wire.DateTime(raw).SetTime(&e, received)
			if !e.Time.Equal(c.want) || e.TimeZoneAssumed != c.assumed || e.TimeImplausible != c.implausible || e.TimeRaw != raw {
				t.Errorf("%s: %q is %v, assumed %v, implausible %v; %s", name, raw, e.Time, e.TimeZoneAssumed, e.TimeImplausible, c.reason)
			}
		}
	}
}

// TestSecondsAreSeconds keeps to the unit that a page documents: a number that is none of it is marked.
func TestSecondsAreSeconds(t *testing.T) {
	t.Parallel()
	if got, ok := wire.Seconds("1702058624").Time(); !ok || got.Unix() != 1702058624 {
		t.Errorf("%v, %v", got, ok)
	}
	if got, ok := wire.Seconds("1702058624000").Time(); ok {
		t.Errorf("the year 55906 is %v", got)
	}
	if got, ok := wire.Seconds("2023-12-08t18:03:44z").Time(); !ok || got.Unix() != 1702058624 {
		t.Errorf("a date in its place is %v, %v", got, ok)
	}
}

// TestFractionsOfSeconds keeps what a page documents as seconds with a fraction, digit by digit.
func TestFractionsOfSeconds(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]time.Time{
		"1521243339.873676": time.Unix(1521243339, 873676000), "1521472262.000002": time.Unix(1521472262, 2000), "1521243339.5": time.Unix(1521243339, 500000000),
		"1521243339.": time.Unix(1521243339, 0), "1521243339.1234567891": time.Unix(1521243339, 123456789), " 1521243339.25 ": time.Unix(1521243339, 250000000),
		"1.521243339e9": time.Unix(1521243339, 0), "-1.5": time.Unix(-1, 0),
	} {
		if got, ok := wire.Seconds(raw).Time(); !ok || !got.Equal(want) {
			t.Errorf("%s: %v, %v; want %v", raw, got, ok, want)
		}
	}
}
