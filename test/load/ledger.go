package main

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"time"
)

// maxBatchBytes bounds one delivery.
const maxBatchBytes = 64 << 20

// maxSamples bounds the answers and errors that are kept for people.
const maxSamples = 20

// messageID is the number of an event where it stands once in what arrives: not in the raw item.
var messageID = regexp.MustCompile(`"messageId":"([0-9]+)@example\.com"`)

// Report is what has happened so far.
type Report struct {
	// Acknowledged counts the events that were answered 200; Delivered those of them that have arrived, and Repeated how often
	// one came again.
	Acknowledged int `json:"acknowledged"`
	Delivered    int `json:"delivered"`
	Repeated     int `json:"repeated"`
	// Other counts the answers other than 200, by status.
	Other map[int]int `json:"other"`
	// Unanswered counts requests without an answer that were sent again, and GivenUp those whose repetition had none either.
	Unanswered int `json:"unanswered"`
	GivenUp    int `json:"givenUp"`
	// Busy counts the requests that are under way.
	Busy int64 `json:"busy"`
	// SlowestMilliseconds is how long the slowest answer took.
	SlowestMilliseconds int64 `json:"slowestMilliseconds"`
	// Samples are some of the other answers and of the errors.
	Samples []string `json:"samples"`
}

// ledger notes what was acknowledged and what arrived.
type ledger struct {
	mu           sync.Mutex
	acknowledged map[int64]bool
	arrived      map[int64]int
	so           Report
}

func newLedger() *ledger {
	return &ledger{acknowledged: map[int64]bool{}, arrived: map[int64]int{}, so: Report{Other: map[int]int{}}}
}

// answered notes an answer to an event.
func (l *ledger) answered(event int64, status int, answer string, took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.so.SlowestMilliseconds = max(l.so.SlowestMilliseconds, took.Milliseconds())
	if status == http.StatusOK {
		l.acknowledged[event] = true
		return
	}
	l.so.Other[status]++
	l.sample(fmt.Sprintf("%s %d %s", time.Now().UTC().Format(time.TimeOnly), status, answer))
}

// unanswered notes a request that failed, and whether it is sent again.
func (l *ledger) unanswered(err error, last bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if last {
		l.so.GivenUp++
	} else {
		l.so.Unanswered++
	}
	l.sample(fmt.Sprintf("%s %v", time.Now().UTC().Format(time.TimeOnly), err))
}

func (l *ledger) sample(text string) {
	if len(l.so.Samples) < maxSamples {
		l.so.Samples = append(l.so.Samples, text)
	}
}

// take notes the events of a delivery.
func (l *ledger) take(body io.Reader) error {
	text, err := io.ReadAll(io.LimitReader(body, maxBatchBytes))
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range messageID.FindAllSubmatch(text, -1) {
		event, err := strconv.ParseInt(string(m[1]), 10, 64)
		if err != nil {
			return err
		}
		l.arrived[event]++
	}
	return nil
}

func (l *ledger) report(p *provider) Report {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.so
	r.Busy, r.Acknowledged = p.busy.Load(), len(l.acknowledged)
	for event := range l.acknowledged {
		if n := l.arrived[event]; n > 0 {
			r.Delivered++
			r.Repeated += n - 1
		}
	}
	return r
}
