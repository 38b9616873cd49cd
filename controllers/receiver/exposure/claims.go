package exposure

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

const (
	// maxClaimBytes bounds what the ConfigMap holds; the API server takes 1 MiB.
	maxClaimBytes = 900 << 10
	// claimKeyDigits is the length of a key of the ConfigMap, which can have no slash.
	claimKeyDigits = 32
)

// Claims remembers, in a ConfigMap beside the manager, which namespace has a host and path. A claim stays when the endpoint goes: else whoever
// waits for an endpoint to be installed anew would get the webhooks of its provider. Whoever may edit the ConfigMap can give one away.
// It is safe for concurrent use.
type Claims struct {
	client client.Writer
	live   client.Reader
	key    client.ObjectKey

	mu    sync.Mutex
	known map[string]string // the namespaces, by host and path, as they were read last
}

// NewClaims returns the Claims in a ConfigMap; without a name, nothing is noted.
func NewClaims(c client.Writer, live client.Reader, key client.ObjectKey) *Claims {
	return &Claims{client: c, live: live, key: key}
}

// hold returns the namespace that a host and path belong to: the given one, for which they are claimed, unless another one has them. used reports
// whether an endpoint of that namespace asks for a URL.
func (c *Claims) hold(ctx context.Context, url, namespace string, used func(url string) bool) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.key.Name == "" || c.known[url] == namespace {
		return namespace, nil
	}
	stored, missing, err := c.read(ctx)
	if err != nil {
		return "", err
	}
	if owner, taken := c.known[url]; taken {
		return owner, nil
	}
	value := namespace + " " + url
	if !hasRoom(stored, value) {
		forgetUnused(stored, namespace, used)
	}
	if !hasRoom(stored, value) {
		log.FromContext(ctx).Info("there is no room to note who has a host; remove entries that nobody needs", "configMap", c.key.String(), "namespace", namespace)
		return namespace, nil
	}
	if stored.Data == nil {
		stored.Data = map[string]string{}
	}
	stored.Data[claimKey(url)] = value
	if err := c.write(ctx, stored, missing); err != nil {
		return "", err
	}
	c.known[url] = namespace
	return namespace, nil
}

// has reports whether a host and path have been claimed for a namespace.
func (c *Claims) has(ctx context.Context, url, namespace string) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.key.Name == "" || c.known[url] == namespace {
		return c.key.Name != "", nil
	}
	_, _, err := c.read(ctx)
	return c.known[url] == namespace, err
}

// read reads what is noted.
func (c *Claims) read(ctx context.Context) (stored *corev1.ConfigMap, missing bool, err error) {
	stored = &corev1.ConfigMap{}
	err = c.live.Get(ctx, c.key, stored)
	missing = apierrors.IsNotFound(err)
	if err != nil && !missing {
		return nil, false, fmt.Errorf("read who has which host, ConfigMap %s: %w", c.key, err)
	}
	c.known = map[string]string{}
	for _, value := range stored.Data {
		if owner, at, ok := strings.Cut(value, " "); ok {
			c.known[at] = owner
		}
	}
	return stored, missing, nil
}

// hasRoom reports whether one more value fits in.
func hasRoom(stored *corev1.ConfigMap, value string) bool {
	return sizeOf(stored.Data)+claimKeyDigits+len(value) <= maxClaimBytes
}

// forgetUnused removes what a namespace no longer asks for.
func forgetUnused(stored *corev1.ConfigMap, namespace string, used func(url string) bool) {
	maps.DeleteFunc(stored.Data, func(_, value string) bool {
		owner, at, _ := strings.Cut(value, " ")
		return owner == namespace && !used(at)
	})
}

func (c *Claims) write(ctx context.Context, stored *corev1.ConfigMap, missing bool) error {
	write := func() error { return c.client.Update(ctx, stored) }
	if missing {
		stored.Namespace, stored.Name = c.key.Namespace, c.key.Name
		write = func() error { return c.client.Create(ctx, stored) }
	}
	if err := write(); err != nil {
		return fmt.Errorf("note who has a host, ConfigMap %s: %w", c.key, err)
	}
	return nil
}

// claimKey returns under which key of the ConfigMap a host and path are noted.
func claimKey(url string) string {
	sum := sha256.Sum256([]byte(url))
	return hex.EncodeToString(sum[:])[:claimKeyDigits]
}

func sizeOf(data map[string]string) int {
	size := 0
	for key, value := range data {
		size += len(key) + len(value)
	}
	return size
}
