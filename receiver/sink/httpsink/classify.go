package httpsink

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/mailvane/mailvane/receiver/sink"
)

const (
	// maxDrainBytes is how much of an answer is read so that its connection can be used again, and maxDrainTime for how long: the
	// status line has decided, whatever follows it.
	maxDrainBytes = 64 << 10
	maxDrainTime  = 200 * time.Millisecond
	// maxReadBytes is how much of a refusing answer is looked at for a reason.
	maxReadBytes = 4 << 10
	// maxReasonBytes is how much of it goes into the error.
	maxReasonBytes = 200
)

// transientRefusals are the 4xx answers that someone mends without touching the event: credentials, payment, routes and
// load (RFC 9110 section 15.5, RFC 4918 section 11.3, RFC 6585 section 4, RFC 8470 section 5.2). docs/sinks/http.md says why.
var transientRefusals = []int{ //nolint:gochecknoglobals // a constant list
	http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden, http.StatusNotFound,
	http.StatusProxyAuthRequired, http.StatusRequestTimeout, http.StatusMisdirectedRequest, http.StatusLocked,
	http.StatusTooEarly, http.StatusTooManyRequests,
}

// isPermanent reports whether the same request will be refused again.
func isPermanent(status int) bool {
	if status >= 400 && status < 500 {
		return !slices.Contains(transientRefusals, status)
	}
	return status == http.StatusNotImplemented || status == http.StatusHTTPVersionNotSupported
}

// classify turns an answer into the error of Send, or nil. It reads a bounded part of the body, as far as it comes.
func (t *target) classify(response *http.Response, now time.Time) error {
	status := response.StatusCode
	if status >= 200 && status < 300 {
		drain(response.Body)
		return nil
	}
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxReadBytes)) // without a body there is no reason to tell
	drain(response.Body)
	text := fmt.Sprintf("destination answered %d %s", status, http.StatusText(status))
	if status >= 300 && status < 400 {
		text += "; redirects are not followed"
		if to := destinationOf(response); to != "" {
			text += ", and this one leads to " + t.reason([]byte(to))
		}
	}
	if reason := t.reason(body); reason != "" {
		text += ": " + reason
	}
	err := because(status, fmt.Errorf("%s", strings.TrimSpace(text)))
	if isPermanent(status) {
		return sink.Permanent(err)
	}
	if wait := retryAfter(response.Header.Values("Retry-After"), now); wait > 0 {
		return sink.Throttled(err, wait)
	}
	return err
}

// because says what an answer tells of the connection, if it does: such a request is refused whichever event it brings.
func because(status int, err error) error {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		return sink.Because(sink.CredentialRefused, err)
	case http.StatusNotFound:
		return sink.Because(sink.DestinationNotFound, err)
	}
	return err
}

func drain(body io.Reader) {
	_, _ = io.CopyN(io.Discard, body, maxDrainBytes) // what fails here only costs the connection
}

// reason returns the beginning of a refusing answer, on one line, printable, and without what is hidden.
func (t *target) reason(body []byte) string {
	for _, hidden := range t.Hidden {
		body = bytes.ReplaceAll(body, []byte(hidden), []byte("***"))
	}
	line := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == unicode.ReplacementChar || !unicode.IsPrint(r):
			return -1
		default:
			return r
		}
	}, string(body))
	line = strings.Join(strings.Fields(line), " ")
	if len(line) > maxReasonBytes {
		line = strings.ToValidUTF8(line[:maxReasonBytes], "")
	}
	return line
}

// destinationOf returns scheme and host of where a redirect leads, if it says so: the rest may hold credentials.
func destinationOf(response *http.Response) string {
	to, err := response.Location()
	if err != nil || to.Host == "" {
		return ""
	}
	return (&url.URL{Scheme: to.Scheme, Host: to.Host}).String()
}

// retryAfter reads Retry-After headers: seconds or a date (RFC 9110 section 10.2.3). Fractions, zones in digits and lists are not
// allowed there and are sent all the same; of several values the longest counts. It returns 0 for what it cannot read
// and for what is past; a number of seconds that is too large becomes the longest duration.
func retryAfter(values []string, now time.Time) (longest time.Duration) {
	for _, value := range values {
		if at, ok := parseDate(strings.TrimSpace(value)); ok {
			longest = max(longest, at.Sub(now))
			continue
		}
		for item := range strings.SplitSeq(value, ",") {
			longest = max(longest, parseSeconds(strings.TrimSpace(item)))
		}
	}
	return longest
}

func parseDate(text string) (time.Time, bool) {
	if at, err := http.ParseTime(text); err == nil {
		return at, true
	}
	at, err := time.Parse(time.RFC1123Z, text)
	return at, err == nil
}

// parseSeconds rounds up to whole seconds.
func parseSeconds(text string) time.Duration {
	whole, fraction, hasFraction := strings.Cut(text, ".")
	if !isDigits(whole) || hasFraction && !isDigits(fraction) {
		return 0
	}
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if strings.Trim(fraction, "0") != "" {
		seconds = max(seconds, seconds+1)
	}
	if err != nil || seconds > int64(math.MaxInt64/time.Second) {
		return math.MaxInt64
	}
	return time.Duration(seconds) * time.Second
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
