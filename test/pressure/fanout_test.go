package pressure

import (
	"fmt"
	"io/fs"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/simulate/engagelab"
	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/provider"
)

// engageLab is an endpoint of a provider that tells of all recipients of a message at once.
func engageLab() config.Endpoint {
	e := endpoint("el")
	e.Provider = config.Plugin{Type: "EngageLab", Settings: []byte(`{"appKeys":["appkey123"],"signatureAlgorithm":"HMACSHA256"}`)}
	return e
}

// target returns the callback of a message to n recipients, with what the documented one has beside them.
func target(message string, n int) string {
	tos, ids := make([]string, n), make([]string, n)
	for i := range n {
		tos[i] = fmt.Sprintf(`"r%04d@example.com"`, i)
		ids[i] = fmt.Sprintf(`"1676615711309_%s_18546_8821.sc-inbound%d$r%04d@example.com"`, message, i, i)
	}
	return fmt.Sprintf(`{"server":"email","message_id":"1676615711309_%s_18546_8821.sc-inbound","itime":1676615711325,"status":{"message_status":"target","status_data":`+
		`{"email_ids":[%s],"task_id":"-1","api_user":"system_trigger","from":"newsletter@mail.example.com","subject":"A message to many recipients","tos":[%s],`+
		`"message":"successfully request","label_id":0}},"custom_args":{}}`, message, strings.Join(ids, ","), strings.Join(tos, ","))
}

// fromEngageLab returns a request as EngageLab would send it.
func (r *receiver) fromEngageLab(e *config.Endpoint, body string) *http.Request {
	r.t.Helper()
	p := &provider.Request{Header: http.Header{}, Body: []byte(body), ReceivedAt: time.Now()}
	if err := engagelab.Sign(e.Provider.Settings, nil, p); err != nil {
		r.t.Fatal(err)
	}
	q := r.signed(e.Path, body)
	q.Header = p.Header
	return q
}

// TestFanOutsCostAFewTimesTheirSize posts messages to many recipients at once, while their sink is down: each becomes an event for each
// recipient, and all of it stays in memory and in the journal as a small multiple of what was sent.
func TestFanOutsCostAFewTimesTheirSize(t *testing.T) {
	t.Parallel()
	const atOnce, recipients = 16, 900
	e, data := engageLab(), t.TempDir()
	r := start(t, configuration(nowhere, e), "--data", data)
	empty, sent := sizeOf(t, data), 0
	var group sync.WaitGroup
	for i := range atOnce {
		q := r.fromEngageLab(&e, target(fmt.Sprint(104117+i), recipients))
		sent += int(q.ContentLength)
		group.Go(func() {
			started := time.Now()
			if status := r.post(q); status != http.StatusOK {
				t.Errorf("answered %d", status)
			}
			if took := time.Since(started); took > soonEnough {
				t.Errorf("answered after %v", took)
			}
		})
	}
	group.Wait()
	endpoints, err := r.admin.Endpoints(t.Context())
	if err != nil || len(endpoints) == 0 || endpoints[0].Accepted != atOnce*recipients {
		t.Errorf("%v, accepted %+v", err, endpoints)
	}
	stored, peak := sizeOf(t, data)-empty, r.memory()
	t.Logf("%d messages to %d recipients in %d bytes: peak memory %d MiB, journal %d bytes, %.1f times as large", atOnce, recipients, sent, peak>>20, stored, float64(stored)/float64(sent))
	if peak > 160<<20 {
		t.Errorf("peak memory %d MiB", peak>>20)
	}
	if stored > int64(10*sent) {
		t.Errorf("the journal has %d bytes of %d", stored, sent)
	}
}

// sizeOf returns how many bytes the files of a folder hold.
func sizeOf(t *testing.T, folder string) int64 {
	t.Helper()
	total := int64(0)
	err := filepath.WalkDir(folder, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil //nolint:nilerr // a file that has just been removed
		}
		if info, err := d.Info(); err == nil {
			total += info.Size()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return total
}
