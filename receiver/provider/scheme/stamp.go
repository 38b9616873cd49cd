package scheme

import (
	"strconv"
	"strings"
	"time"

	"github.com/mailvane/mailvane/receiver/signature"
)

// The lengths of timestamps in digits, from 2001 to 2286.
const (
	secondsDigits = 10
	millisDigits  = 13
)

// readStamp reads a signed time: seconds or milliseconds since 1970, told apart by their length, or RFC 3339. No such text begins or ends
// with another one, so that one that is signed says where it ends; where nothing follows it that says so (fixed), it must be seconds.
func readStamp(text string, fixed bool) (time.Time, error) {
	if strings.ContainsFunc(text, func(c rune) bool { return !isDigit(c) }) {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil || fixed {
			return time.Time{}, signature.ErrMalformed
		}
		return at, nil
	}
	if len(text) != secondsDigits && (fixed || len(text) != millisDigits) {
		return time.Time{}, signature.ErrMalformed
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, signature.ErrMalformed
	}
	if len(text) == millisDigits {
		return time.UnixMilli(n), nil
	}
	return time.Unix(n, 0), nil
}
