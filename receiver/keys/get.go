package keys

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/mailvane/mailvane/receiver/signature"
)

// maxResponse bounds a publisher's answer, in bytes: a key takes some 400, a certificate some 2,000, and large key sets have twenty
// keys with their certificates.
const maxResponse = 256 << 10

// CheckURL returns an error unless address is an absolute http or https URL with a host and without credentials.
func CheckURL(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || (u.Scheme != "https" && u.Scheme != "http") {
		return errors.New("must be an absolute http or https URL without credentials")
	}
	return nil
}

// Get returns what stands at a URL. It fails with [signature.ErrUnknownKey] when the answer is 404 or 410. No error holds the URL: it
// may have what a stranger chose.
func Get(ctx context.Context, client *http.Client, address string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, errors.New("key lookup: the URL is malformed")
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("key lookup: %w", withoutURL(err))
	}
	defer func() { _ = response.Body.Close() }()
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusGone:
		return nil, signature.ErrUnknownKey
	default:
		return nil, fmt.Errorf("key lookup: answered %d", response.StatusCode)
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, maxResponse+1))
	if err != nil {
		return nil, fmt.Errorf("key lookup: reading the answer: %w", err)
	}
	if len(data) > maxResponse {
		return nil, fmt.Errorf("key lookup: the answer has more than %d bytes", maxResponse)
	}
	return data, nil
}

func withoutURL(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}
