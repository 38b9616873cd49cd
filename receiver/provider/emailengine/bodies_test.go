package emailengine_test

import (
	"bufio"
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/event"
)

// bodiesVariable names a file of bodies as EmailEngine sent them, one a line. They are not part of the repository.
const bodiesVariable = "MAILVANE_EMAILENGINE_BODIES"

// TestBodiesOfARealServer holds what a running EmailEngine sent to what is true of all of it.
func TestBodiesOfARealServer(t *testing.T) {
	t.Parallel()
	path := os.Getenv(bodiesVariable)
	if path == "" {
		t.Skipf("set %s to a file of bodies, one a line", bodiesVariable)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 64<<20)
	for line := 1; lines.Scan(); line++ {
		batch := decode(t, nil, lines.Text())
		if len(batch.Events) == 0 || len(batch.Undecodable) > 0 {
			t.Fatalf("line %d: %+v", line, batch.Undecodable)
		}
		for i := range batch.Events {
			checkReal(t, line, &batch.Events[i])
		}
		report := bytes.Contains(lines.Bytes(), []byte(`"deliveryReport"`))
		if report != (len(batch.Events) == 2) {
			t.Errorf("line %d: %d events", line, len(batch.Events))
		}
		for _, e := range batch.Events[1:] {
			if e.Type != event.Deferred && e.Type != event.Delivered && e.Type != event.Bounced {
				t.Errorf("line %d: the report is %s", line, e.Type)
			}
			t.Logf("line %d: %s of %q, message %q: %+v", line, e.Type, e.Recipient, e.MessageID, e.Details)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

func checkReal(t *testing.T, line int, e *event.Event) {
	t.Helper()
	for _, address := range append(e.Recipients, e.Recipient, e.Sender) {
		if strings.ContainsAny(address, "<>,; ") {
			t.Errorf("line %d: %q is no address", line, address)
		}
	}
	switch {
	case e.Type == event.Unknown || e.TimeImplausible && e.Time.Year() < 2026 || e.Account == "":
		t.Errorf("line %d: %s at %v of %q", line, e.Type, e.Time, e.Account)
	case e.Type == event.Autoresponded && (e.Details["isBounce"] != "" || strings.Contains(string(e.Raw), "multipart/report")):
		t.Errorf("line %d: a report is %s", line, e.Type)
	case e.Type == event.Bounced && (e.Recipient == "" || e.Bounce.Type == event.Undetermined):
		t.Errorf("line %d: bounce of %q is %s", line, e.Recipient, e.Bounce.Type)
	case e.Type == event.Deferred && e.SMTPCode >= 500:
		t.Errorf("line %d: code %d is deferred", line, e.SMTPCode)
	}
}
