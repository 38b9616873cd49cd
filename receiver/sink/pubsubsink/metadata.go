package pubsubsink

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"golang.org/x/oauth2"
)

const (
	// metadataHost is the metadata service of Google Cloud, which in GKE answers with the identity of a pod's service account
	// (https://cloud.google.com/kubernetes-engine/docs/concepts/workload-identity#metadata_server). GCE_METADATA_HOST names another.
	metadataHost = "169.254.169.254"
	// tokenPath is that of a token of the default service account.
	tokenPath = "/computeMetadata/v1/instance/service-accounts/default/token"
	// metadataTimeout bounds the wait for it, and maxAnswer its answer, in bytes.
	metadataTimeout, maxAnswer = 10 * time.Second, 64 << 10
	// expiryMargin is how long before its end a token is not used any more.
	expiryMargin = time.Minute
)

// metadata gets tokens of the metadata service. It is asked by the sink's own dialer: who may not connect to it has no identity.
type metadata struct {
	client *http.Client
	url    string
}

func newMetadata(dialer *net.Dialer) *metadata {
	host := cmp.Or(os.Getenv("GCE_METADATA_HOST"), metadataHost)
	return &metadata{
		client: &http.Client{Timeout: metadataTimeout, Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}},
		url:    "http://" + host + tokenPath,
	}
}

// Token returns a token. Its error says what to do.
func (m *metadata) Token() (*oauth2.Token, error) {
	token, err := m.ask()
	if err != nil {
		return nil, fmt.Errorf("no identity: set serviceAccountKeyRef, or run in GKE with Workload Identity and let sinks connect to %s (--allow-sink-addresses): %w", metadataHost, err)
	}
	return token, nil
}

func (m *metadata) ask() (*oauth2.Token, error) {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, m.url, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("ask the metadata service: %w", err)
	}
	request.Header.Set("Metadata-Flavor", "Google")
	response, err := m.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask the metadata service: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	var answer struct {
		Token   string `json:"access_token"`
		Seconds int    `json:"expires_in"`
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the metadata service answers %d", response.StatusCode)
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(&answer); err != nil || answer.Token == "" {
		return nil, errors.New("the metadata service answers without a token")
	}
	return &oauth2.Token{AccessToken: answer.Token, TokenType: "Bearer", Expiry: time.Now().Add(time.Duration(answer.Seconds)*time.Second - expiryMargin)}, nil
}
