package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/test/process"
)

// historian looks up in a receiver's history what was acknowledged.
type historian struct{ client *admin.Client }

// historyPatience bounds the wait for the history to have everything: it is fed from the journal, behind the answers.
const historyPatience = 30 * time.Second

// newHistorian returns one, and the flags that let it ask a receiver.
func newHistorian(ctx context.Context, tokenFile string) (*historian, []string, error) {
	address, err := process.FreeAddress(ctx)
	if err != nil {
		return nil, nil, err
	}
	token := strings.Repeat("torture-", 8)
	if err := os.WriteFile(tokenFile, []byte(token), 0o600); err != nil {
		return nil, nil, err
	}
	client := &admin.Client{BaseURL: "http://" + address, Token: token, HTTP: &http.Client{Timeout: time.Minute}}
	return &historian{client: client}, []string{"--admin-listen=" + address, "--admin-token-file=" + tokenFile}, nil
}

// unfound returns how many of the acknowledged events the history has not, and some of them for people.
func (h *historian) unfound(ctx context.Context, l *ledger) (count int, some []string, err error) {
	for deadline := time.Now().Add(historyPatience); ; {
		found, err := h.all(ctx)
		if err != nil {
			return 0, nil, fmt.Errorf("read the history: %w", err)
		}
		if count, some = l.missingFrom(found); count == 0 || time.Now().After(deadline) || !pause(ctx, time.Second) {
			return count, some, nil
		}
	}
}

// all returns the numbers of all events in the history.
func (h *historian) all(ctx context.Context) (map[int]struct{}, error) {
	found := map[int]struct{}{}
	query := url.Values{admin.QueryPayload: {"true"}, admin.QueryLimit: {"1000"}}
	for {
		page, err := h.client.History(ctx, query)
		if err != nil {
			return nil, err
		}
		for i := range page.Events {
			envelope, err := event.ParseEnvelope([]byte(page.Events[i].Payload))
			if err != nil {
				return nil, err
			}
			e, err := envelope.Event()
			if err != nil {
				return nil, err
			}
			if n, err := strconv.Atoi(strings.TrimPrefix(e.Account, "account-")); err == nil {
				found[n] = struct{}{}
			}
		}
		if page.Next == "" {
			return found, nil
		}
		query.Set(admin.QueryCursor, page.Next)
	}
}

// missingFrom returns how many acknowledged events are not among those that were found, and names some.
func (l *ledger) missingFrom(found map[int]struct{}) (count int, some []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for e := range l.acked {
		if _, ok := found[e]; ok {
			continue
		}
		if count++; len(some) < maxMissing {
			some = append(some, fmt.Sprintf("event %d in the history", e))
		}
	}
	return count, some
}
