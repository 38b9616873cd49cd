package admin

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/mailvane/mailvane/receiver/history"
	"github.com/mailvane/mailvane/receiver/httpproblem"
)

// maxAnswerBytes bounds what the client reads of one answer.
const maxAnswerBytes = 256 << 20

// Client calls a receiver's admin API.
type Client struct {
	// BaseURL is the address of the API, such as http://127.0.0.1:9090.
	BaseURL string
	// Token is sent with each request; empty = none.
	Token string
	// HTTP sends the requests.
	HTTP *http.Client
}

// Endpoints returns the endpoints.
func (c *Client) Endpoints(ctx context.Context) ([]Endpoint, error) {
	var out []Endpoint
	return out, c.call(ctx, http.MethodGet, PathEndpoints, nil, &out)
}

// Journal describes the journal.
func (c *Client) Journal(ctx context.Context) (Journal, error) {
	var out Journal
	return out, c.call(ctx, http.MethodGet, PathJournal, nil, &out)
}

// Sinks returns the sinks.
func (c *Client) Sinks(ctx context.Context) ([]Sink, error) {
	var out []Sink
	return out, c.call(ctx, http.MethodGet, PathSinks, nil, &out)
}

// DeadLetters calls each with every dead letter, oldest first, without payloads.
func (c *Client) DeadLetters(ctx context.Context, each func(*DeadLetter) error) error {
	var after uint64
	for {
		var page []DeadLetter
		query := url.Values{"after": {strconv.FormatUint(after, 10)}, "limit": {strconv.Itoa(PageSize)}}
		if err := c.call(ctx, http.MethodGet, PathDeadLetters+"?"+query.Encode(), nil, &page); err != nil {
			return err
		}
		for i := range page {
			if err := each(&page[i]); err != nil {
				return err
			}
			after = page[i].ID
		}
		if len(page) < PageSize {
			return nil
		}
	}
}

// DeadLetter returns one dead letter with its payload.
func (c *Client) DeadLetter(ctx context.Context, id uint64) (DeadLetter, error) {
	var out DeadLetter
	return out, c.call(ctx, http.MethodGet, PathDeadLetters+"/"+strconv.FormatUint(id, 10), nil, &out)
}

// History returns a page of the history, by the parameters of a search.
func (c *Client) History(ctx context.Context, query url.Values) (HistoryPage, error) {
	var out HistoryPage
	return out, c.call(ctx, http.MethodGet, PathHistory+"?"+query.Encode(), nil, &out)
}

// Refusals returns the latest requests that were refused, the latest first.
func (c *Client) Refusals(ctx context.Context, limit int) ([]history.Refusal, error) {
	var out []history.Refusal
	return out, c.call(ctx, http.MethodGet, PathRefusals+"?limit="+strconv.Itoa(limit), nil, &out)
}

// Erase removes a recipient from the history and the dead letters.
func (c *Client) Erase(ctx context.Context, e Erasure) (Erased, error) {
	var out Erased
	return out, c.call(ctx, http.MethodPost, PathErase, e, &out)
}

// Retry makes dead letters live again.
func (c *Client) Retry(ctx context.Context, ids []uint64) (Result, error) {
	return c.post(ctx, PathRetry, ids)
}

// Drop removes dead letters for good.
func (c *Client) Drop(ctx context.Context, ids []uint64) (Result, error) {
	return c.post(ctx, PathDrop, ids)
}

func (c *Client) post(ctx context.Context, path string, ids []uint64) (Result, error) {
	total := Result{Failed: map[uint64]string{}}
	for len(ids) > 0 {
		n := min(len(ids), PageSize)
		var part Result
		if err := c.call(ctx, http.MethodPost, path, IDs{IDs: ids[:n]}, &part); err != nil {
			return total, err
		}
		total.Done += part.Done
		maps.Copy(total.Failed, part.Failed)
		ids = ids[n:]
	}
	return total, nil
}

func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		encoded, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("encode request: %w", err)
		}
		body = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.BaseURL, "/")+path, body)
	if err != nil {
		return fmt.Errorf("admin API address: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	if c.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.Token)
	}
	response, err := c.HTTP.Do(request)
	if err != nil {
		return fmt.Errorf("is a receiver running with its admin API there? %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	if err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return c.refusal(response, answer)
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	return nil
}

// Refusal is an answer other than 200.
type Refusal struct {
	// Status is the HTTP status code, and Reason what the receiver says.
	Status int
	Reason string
}

// Error says what the receiver says.
func (e *Refusal) Error() string { return e.Reason }

// refusal returns the detail of a problem (RFC 9457), or else the text of the answer.
func (c *Client) refusal(response *http.Response, answer []byte) error {
	var problem httpproblem.Problem
	reason := strings.TrimSpace(string(answer))
	if response.Header.Get("Content-Type") == httpproblem.MediaType && json.Unmarshal(answer, &problem) == nil && problem.Detail != "" {
		reason = problem.Detail
	}
	if response.StatusCode == http.StatusNotFound && (problem.Type != "" || reason == notFoundText) {
		reason = c.BaseURL + " is no admin API: " + elsewhere(problem.Type != "")
	}
	return &Refusal{Status: response.StatusCode, Reason: reason}
}

// notFoundText is what net/http answers for a path that a server does not have. Of its own the admin API says more.
const notFoundText = "404 page not found"

// elsewhere says which other port of a receiver answers like that.
func elsewhere(problem bool) string {
	if problem {
		return "webhooks are taken there. The admin API has an address of its own, --admin-listen of the receiver"
	}
	return "the metrics and probes of a receiver may be there. The admin API has an address of its own, --admin-listen of the receiver"
}
