package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// serveFloor is the least that any receiver of signed webhooks does, in a process of its own: read the body, check one
// HMAC-SHA256, answer 200.
func serveFloor(ctx context.Context, address string) error {
	return listenAndServe(ctx, address, floor(func([]byte) error { return nil }))
}

// serveDurableFloor is the least that a receiver does which loses nothing: it also writes the body to a store, and answers when
// that is synced. The store groups the writes of the connections by itself.
func serveDurableFloor(ctx context.Context, address, folder string) error {
	db, err := pebble.Open(folder, &pebble.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // nothing is read again
	var last atomic.Uint64
	return listenAndServe(ctx, address, floor(func(body []byte) error {
		return db.Set(binary.BigEndian.AppendUint64(nil, last.Add(1)), body, pebble.Sync)
	}))
}

// floor returns a handler that stores each body that is signed.
func floor(store func(body []byte) error) http.Handler {
	key := []byte(secret)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		mac := hmac.New(sha256.New, key)
		mac.Write(body)
		given, err := base64.RawURLEncoding.DecodeString(r.Header.Get("X-EE-Wh-Signature"))
		if err != nil || !hmac.Equal(given, mac.Sum(nil)) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if store(body) != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusOK)
	})
	return mux
}

// serveSink is a sink in a process of its own that takes everything and counts the bytes.
func serveSink(ctx context.Context, address string) error {
	var bytes atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		bytes.Add(n)
		w.WriteHeader(http.StatusOK)
	})
	return listenAndServe(ctx, address, mux)
}

func listenAndServe(ctx context.Context, address string, handler http.Handler) error {
	var c net.ListenConfig
	l, err := c.Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return (&http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}).Serve(l)
}

// wireItem has what a MailChannels item may hold, as a program that wants to use it would declare it.
// https://docs.mailchannels.net/email-api/webhooks
type wireItem struct {
	Email          string   `json:"email"`
	CustomerHandle string   `json:"customer_handle"`
	Timestamp      int64    `json:"timestamp"`
	Event          string   `json:"event"`
	RequestID      string   `json:"request_id"`
	SMTPID         string   `json:"smtp_id"`
	Recipients     []string `json:"recipients"`
	CampaignID     string   `json:"campaign_id"`
	Status         string   `json:"status"`
	Reason         string   `json:"reason"`
	UserAgent      string   `json:"user_agent"`
	IP             string   `json:"ip"`
	URL            string   `json:"url"`
}

// decodeFloor decodes body again and again on as many goroutines as there are connections elsewhere, for about d, and returns the
// items per second.
func decodeFloor(body []byte, goroutines int, d time.Duration) (itemsPerSecond float64, err error) {
	var items atomic.Int64
	var failed atomic.Pointer[error]
	begin := time.Now()
	var group sync.WaitGroup
	for range goroutines {
		group.Go(func() {
			for time.Since(begin) < d {
				var decoded []wireItem
				if err := json.Unmarshal(body, &decoded); err != nil {
					failed.Store(&err)
					return
				}
				items.Add(int64(len(decoded)))
			}
		})
	}
	group.Wait()
	if e := failed.Load(); e != nil {
		return 0, *e
	}
	return float64(items.Load()) / time.Since(begin).Seconds(), nil
}
