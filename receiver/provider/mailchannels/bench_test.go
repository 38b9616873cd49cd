package mailchannels_test

import (
	"encoding/json"
	"testing"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/mailchannels"
)

// BenchmarkDecode decodes the largest documented batch; BenchmarkEncodingJSON is the measure: the same body into
// structs with the standard library.
func BenchmarkDecode(b *testing.B) {
	body := []byte(largeBatch(1000))
	w, err := mailchannels.Kind().New([]byte(`{"customerHandles": ["abc123"]}`), provider.Environment{})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if batch := w.Decode(&provider.Request{Body: body, ReceivedAt: received()}); len(batch.Events) != 1000 {
			b.Fatal(len(batch.Events))
		}
	}
}

func BenchmarkEncodingJSON(b *testing.B) {
	body := []byte(largeBatch(1000))
	type item struct {
		Email          string   `json:"email"`
		CustomerHandle string   `json:"customer_handle"`
		Timestamp      int64    `json:"timestamp"`
		Event          string   `json:"event"`
		RequestID      string   `json:"request_id"`
		SMTPID         string   `json:"smtp_id"`
		Recipients     []string `json:"recipients"`
		CampaignID     string   `json:"campaign_id"`
		UserAgent      string   `json:"user_agent"`
		IP             string   `json:"ip"`
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		var items []item
		if err := json.Unmarshal(body, &items); err != nil {
			b.Fatal(err)
		}
	}
}
