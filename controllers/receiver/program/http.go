package program

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/receiver/config"
)

const (
	// askTimeout bounds one question to a pod.
	askTimeout = 2 * time.Second
	// maxAnswerBytes bounds a pod's answer: a hash, a sentence, and at most [config.MaxProblems] problems and [config.MaxConnections]
	// connections.
	maxAnswerBytes = 512 << 10
)

// HTTPPods asks pods over their admin port.
type HTTPPods struct {
	client *http.Client
}

// NewHTTPPods returns an HTTPPods. It asks pods directly, never through a proxy.
func NewHTTPPods() *HTTPPods {
	return &HTTPPods{client: &http.Client{
		Timeout:   askTimeout,
		Transport: &http.Transport{MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}}
}

// Loaded returns what the pod says.
func (p *HTTPPods) Loaded(ctx context.Context, pod *corev1.Pod, token string) (config.Loaded, error) {
	return p.ask(ctx, net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(children.AdminPort)), token)
}

func (p *HTTPPods) ask(ctx context.Context, address, token string) (config.Loaded, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+config.LoadedPath, nil)
	if err != nil {
		return config.Loaded{}, fmt.Errorf("ask receiver: %w", err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := p.client.Do(request)
	if err != nil {
		return config.Loaded{}, fmt.Errorf("ask receiver: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode == http.StatusUnauthorized {
		return config.Loaded{}, ErrToken
	}
	if response.StatusCode != http.StatusOK {
		return config.Loaded{}, fmt.Errorf("ask receiver: it answers %d", response.StatusCode)
	}
	var loaded config.Loaded
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswerBytes)).Decode(&loaded); err != nil {
		return config.Loaded{}, fmt.Errorf("ask receiver: %w", err)
	}
	return loaded, nil
}
