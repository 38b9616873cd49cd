// Package settings reads the settings of a Pub/Sub sink, apart from what publishes messages.
package settings

import (
	"cmp"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net"
	"net/url"
	"regexp"
	"strings"

	"github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/sink/sinktls"
)

// defaultEndpoint is the server of Google: https://cloud.google.com/pubsub/docs/reference/service_apis_overview
const defaultEndpoint = "https://pubsub.googleapis.com"

// Parsed is where and how messages are published.
type Parsed struct {
	Topic string
	// Address is the "host:port" of the server.
	Address string
	// Plain says that the server is an emulator: connections are neither encrypted nor authenticated.
	Plain bool
	// Binary has the attributes of an event as those of its message.
	Binary bool
	// Ordered gives each message its event's partition key as ordering key.
	Ordered bool
	// Key is that of a service account, in JSON; empty = the identity of the machine.
	Key string
	// TLS is nil for the defaults.
	TLS *tls.Config
}

// topics are names of topics: https://cloud.google.com/pubsub/docs/create-topic#resource_names
var topics = regexp.MustCompile(`^projects/[a-z][a-z0-9.:-]{4,61}[a-z0-9]/topics/[A-Za-z][A-Za-z0-9._~+%-]{2,254}$`)

// Parse decodes a sink's settings and refuses what cannot work. No error holds a credential.
func Parse(data []byte, env settings.Environment) (Parsed, error) {
	s := Settings{Endpoint: defaultEndpoint, ContentMode: ContentModeStructured, OrderingKey: OrderingKeyNone}
	if err := settings.Decode(data, &s); err != nil {
		return Parsed{}, err
	}
	p := Parsed{Topic: s.Topic, Binary: s.ContentMode == ContentModeBinary, Ordered: s.OrderingKey == OrderingKeyPartitionKey, Key: s.ServiceAccountKey}
	var errs []error
	if !topics.MatchString(s.Topic) {
		errs = append(errs, errors.New("topic must be the name of a topic, such as projects/mail-1234/topics/mail-events"))
	}
	if s.ContentMode != ContentModeStructured && s.ContentMode != ContentModeBinary {
		errs = append(errs, errors.New("contentMode must be Structured or Binary"))
	}
	if s.OrderingKey != OrderingKeyNone && s.OrderingKey != OrderingKeyPartitionKey {
		errs = append(errs, errors.New("orderingKey must be None or PartitionKey"))
	}
	var err error
	if p.TLS, err = sinktls.Config(sinktls.Settings(s.TLS), env); p.TLS != nil && !strings.HasPrefix(s.Endpoint, "https:") {
		err = errors.New("tls needs an endpoint that begins with https://")
	}
	if err := errors.Join(append(errs, err, p.setEndpoint(s.Endpoint), checkKey(s.ServiceAccountKey))...); err != nil {
		return Parsed{}, err
	}
	return p, nil
}

func (p *Parsed) setEndpoint(endpoint string) error {
	u, err := url.Parse(endpoint)
	if err != nil || !isServer(u) {
		return errors.New("endpoint must be an http or https URL of a server, such as https://europe-west1-pubsub.googleapis.com")
	}
	p.Plain = u.Scheme == "http"
	port := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	p.Address = net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), port))
	if p.Plain && p.Key != "" {
		return errors.New("serviceAccountKey must not be set when endpoint begins with http: a token would go over the network in clear text")
	}
	return nil
}

// isServer reports whether a URL names a server and nothing else.
func isServer(u *url.URL) bool {
	return (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && u.User == nil && u.RawQuery == "" && strings.Trim(u.Path, "/") == ""
}

// checkKey takes keys of service accounts alone: other credentials in JSON name URLs, files and programs to get tokens from, which would be
// the author's to choose and the receiver's to open.
func checkKey(key string) error {
	if key == "" {
		return nil
	}
	var file struct {
		Type  string `json:"type"`
		Email string `json:"client_email"`
		Key   string `json:"private_key"`
	}
	if err := json.Unmarshal([]byte(key), &file); err != nil {
		return errors.New("serviceAccountKey must be a key of a service account in JSON, as the console of Google Cloud makes it")
	}
	if file.Type != "service_account" || file.Email == "" || !strings.Contains(file.Key, "PRIVATE KEY") {
		return errors.New("serviceAccountKey must have type service_account, client_email and private_key; other kinds of credentials are not taken")
	}
	return nil
}
