package signature

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"
)

// Bounds of what requests may make a key server's client do. A request names its key before it is known to be
// authentic, so these are what keeps forged requests from turning the receiver against the key server.
const (
	// fetchInterval and fetchBurst allow a change of keys to be noticed at once and no more than 6 fetches a minute after that.
	fetchInterval = 10 * time.Second
	fetchBurst    = 6
	// fetchTimeout is below the time in which providers expect an answer.
	fetchTimeout = 2 * time.Second
	// maxKeyResponse bounds a key server's answer, in bytes; an Ed25519 key takes about 200.
	maxKeyResponse = 16 << 10
	// keyLifetime is how long a fetched key is used before it is asked for again, so that a withdrawn key ends.
	keyLifetime = 24 * time.Hour
	// unknownLifetime is how long an unknown id is refused without asking again.
	unknownLifetime = 5 * time.Minute
	// maxRemembered bounds the ids that are remembered, known and unknown ones each.
	maxRemembered = 256
)

// errLimited says that too many keys were asked for; the sender should try again later.
var errLimited = errors.New("key server: too many lookups")

// KeyServer fetches Ed25519 public keys by id with GET <url>?id=<id>, answered by {"id": ..., "key": ...} or 404, and
// remembers them. It is safe for concurrent use.
type KeyServer struct {
	url    *url.URL
	client *http.Client

	group   singleflight.Group
	limiter *rate.Limiter

	mu      sync.Mutex
	known   map[string]rememberedKey
	unknown map[string]time.Time
}

type rememberedKey struct {
	key   ed25519.PublicKey
	until time.Time
}

// NewKeyServer returns a client for the key server at address, an absolute http or https URL. A nil client fetches
// nothing: every id is then unknown.
func NewKeyServer(address string, client *http.Client) (*KeyServer, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, errors.New("public key URL: must be an absolute http or https URL")
	}
	return &KeyServer{
		url:     u,
		client:  client,
		limiter: rate.NewLimiter(rate.Every(fetchInterval), fetchBurst),
		known:   map[string]rememberedKey{},
		unknown: map[string]time.Time{},
	}, nil
}

// Key returns the key of id. It fails with [ErrUnknownKey] when the server does not know the id, and with another error
// when the server could not be asked. A key that is due to be asked for again is used on while the server does not answer.
func (s *KeyServer) Key(ctx context.Context, id string, now time.Time) (ed25519.PublicKey, error) {
	if s.client == nil {
		return nil, ErrUnknownKey
	}
	stale, fresh, err := s.lookup(id, now)
	if err != nil || fresh {
		return stale, err
	}
	key, err := s.fetchOnce(ctx, id, now)
	if err != nil && stale != nil && !errors.Is(err, ErrUnknownKey) {
		return stale, nil
	}
	return key, err
}

// lookup answers from memory: a key that is still fresh, one that is stale, or ErrUnknownKey.
func (s *KeyServer) lookup(id string, now time.Time) (key ed25519.PublicKey, fresh bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if until, ok := s.unknown[id]; ok && now.Before(until) {
		return nil, false, ErrUnknownKey
	}
	remembered, ok := s.known[id]
	return remembered.key, ok && now.Before(remembered.until), nil
}

// fetchOnce joins the lookups of one id. The fetch outlives the request that began it, because others wait for it too.
func (s *KeyServer) fetchOnce(ctx context.Context, id string, now time.Time) (ed25519.PublicKey, error) {
	result := s.group.DoChan(id, func() (any, error) {
		if !s.limiter.AllowN(now, 1) {
			return nil, errLimited
		}
		fetchCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
		defer cancel()
		key, err := s.fetch(fetchCtx, id)
		s.remember(id, key, err, now)
		return key, err
	})
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("key server: %w", ctx.Err())
	case r := <-result:
		if r.Err != nil {
			return nil, r.Err
		}
		key, _ := r.Val.(ed25519.PublicKey)
		return key, nil
	}
}

func (s *KeyServer) remember(id string, key ed25519.PublicKey, err error, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		makeRoom(s.known)
		s.known[id] = rememberedKey{key: key, until: now.Add(keyLifetime)}
	case errors.Is(err, ErrUnknownKey):
		delete(s.known, id)
		makeRoom(s.unknown)
		s.unknown[id] = now.Add(unknownLifetime)
	}
}

// makeRoom forgets an arbitrary entry of a full memory. The limiter, not the memory, is what bounds the fetches.
func makeRoom[V any](memory map[string]V) {
	if len(memory) < maxRemembered {
		return
	}
	for id := range memory {
		delete(memory, id)
		return
	}
}

func (s *KeyServer) fetch(ctx context.Context, id string) (ed25519.PublicKey, error) {
	target := *s.url
	query := target.Query()
	query.Set("id", id)
	target.RawQuery = query.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("key server: %w", err)
	}
	response, err := s.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("key server: %w", withoutURL(err))
	}
	defer func() { _ = response.Body.Close() }()
	switch response.StatusCode {
	case http.StatusOK:
		return readKey(response.Body, id)
	case http.StatusNotFound:
		return nil, ErrUnknownKey
	default:
		return nil, fmt.Errorf("key server: answered %d", response.StatusCode)
	}
}

// withoutURL drops the URL from a client's error: it holds an id that a stranger chose.
func withoutURL(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

func readKey(body io.Reader, id string) (ed25519.PublicKey, error) {
	data, err := io.ReadAll(io.LimitReader(body, maxKeyResponse))
	if err != nil {
		return nil, fmt.Errorf("key server: reading the answer: %w", err)
	}
	var answer struct {
		ID  string `json:"id"`
		Key string `json:"key"`
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return nil, errors.New("key server: the answer is not the expected JSON")
	}
	if answer.ID != "" && answer.ID != id {
		return nil, errors.New("key server: answered with another key")
	}
	key, err := ParsePublicKey(answer.Key)
	if err != nil {
		return nil, fmt.Errorf("key server: %w", err)
	}
	return key, nil
}
