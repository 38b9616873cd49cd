package upkeep

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/apply"
	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/controllers/render/children"
)

const (
	// keepPrevious is how long requests may still be signed with a key after the provider has another: as long as most providers send an event again.
	keepPrevious = 24 * time.Hour
	// maxURLs bounds the older URLs that are remembered.
	maxURLs = 16
)

// state is what the manager remembers of a webhook, in a Secret: URLs are credentials where they hold a token.
type state struct {
	// URL is the one that was registered last.
	URL string `json:"url,omitempty"`
	// URLs are all under which there may be a webhook of ours.
	URLs []string `json:"urls,omitempty"`
	// Spelled is URL as the provider spells it, where that is another text.
	Spelled string `json:"spelled,omitempty"`
	// Sent is the hash of what was registered.
	Sent string `json:"sent,omitempty"`
	// Restore are URLs of others that were removed and may not be back yet.
	Restore []string `json:"restore,omitempty"`
	// KeyTold says that the key is the provider's, and not one that stands in for it.
	KeyTold bool `json:"keyTold,omitempty"`
	// KeyChanged is when the key became what it is.
	KeyChanged time.Time `json:"keyChanged,omitzero"`
	// Tested is the hash of what a test delivery has reached the endpoint with.
	Tested string `json:"tested,omitempty"`

	key, previous string
	saved         string // the document and the keys as the Secret has them
}

// data returns what the Secret holds.
func (s *state) data() (map[string][]byte, error) {
	document, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode state: %w", err)
	}
	data := map[string][]byte{children.RegistrationState: document}
	if s.key != "" {
		data[children.RegistrationKey] = []byte(s.key)
	}
	if s.previous != "" {
		data[children.RegistrationPreviousKey] = []byte(s.previous)
	}
	return data, nil
}

// note remembers that a webhook may be there under a URL.
func (s *state) note(url string) {
	s.URLs = append(slices.DeleteFunc(s.URLs, func(u string) bool { return u == url }), url)
	s.URLs = s.URLs[max(len(s.URLs)-maxURLs, 0):]
}

// setKey makes a key the present one. The one before is kept if it was the provider's.
func (s *state) setKey(key string, now time.Time) {
	if key == "" || key == s.key {
		s.KeyTold = s.KeyTold || key != ""
		return
	}
	s.previous = ""
	if s.KeyTold {
		s.previous = s.key
	}
	s.key, s.KeyTold, s.KeyChanged = key, true, now.UTC().Truncate(time.Second)
}

// read returns the state of an endpoint from its Secret, an empty one when there is none. A Secret that the manager did not make for this endpoint is not read.
func (r *Reconciler) read(ctx context.Context, e *v1alpha1.WebhookEndpoint) (*state, condition.Finding, error) {
	var secret corev1.Secret
	name := children.RegistrationSecretName(e.Name)
	err := r.Live.Get(ctx, client.ObjectKey{Namespace: e.Namespace, Name: name}, &secret)
	if apierrors.IsNotFound(err) {
		return &state{}, condition.Finding{}, nil
	}
	if err != nil {
		return nil, condition.Finding{}, fmt.Errorf("read Secret %s: %w", name, err)
	}
	if owner := metav1.GetControllerOf(&secret); owner == nil || owner.UID != e.UID || secret.Type != children.RegistrationSecretType {
		return nil, condition.Finding{Reason: v1alpha1.ReasonNameTaken, Message: (&apply.ForeignError{Kind: "Secret", Name: name}).Error()}, nil
	}
	s := &state{}
	if err := json.Unmarshal(secret.Data[children.RegistrationState], s); err != nil {
		s = &state{} // somebody has edited it: what it said is lost, and the webhook with the present URL is still found
	}
	s.key, s.previous = string(secret.Data[children.RegistrationKey]), string(secret.Data[children.RegistrationPreviousKey])
	s.saved = fingerprint(secret.Data)
	return s, condition.Finding{}, nil
}

// save writes the state unless it is as it was read.
func (r *Reconciler) save(ctx context.Context, e *v1alpha1.WebhookEndpoint, s *state) error {
	data, err := s.data()
	if err != nil || s.saved == fingerprint(data) {
		return err
	}
	if err := r.applier.Apply(ctx, children.RegistrationSecret(e, data), nil); err != nil {
		return fmt.Errorf("keep what is known of the webhook: %w", err)
	}
	s.saved = fingerprint(data)
	return nil
}

func fingerprint(data map[string][]byte) string {
	var text strings.Builder
	for _, key := range slices.Sorted(maps.Keys(data)) {
		fmt.Fprintf(&text, "%q=%q ", key, data[key])
	}
	return text.String()
}
