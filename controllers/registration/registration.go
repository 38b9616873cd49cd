// Package registration keeps webhooks registered at providers by their APIs. It knows what all of them have in common; what one provider's API
// is like is known by the package of that provider below, its [Vendor].
package registration

import (
	"context"
	"crypto/rand"
	"encoding/hex"
)

// API is an account at a provider. Its methods return an [Error] where the provider is what fails.
type API interface {
	// List returns the webhooks of the account, those of others included. An API that has one for each event returns one for each URL.
	List(ctx context.Context) ([]Webhook, error)
	// Create makes a webhook, and nothing else.
	Create(ctx context.Context, w Wanted) (Webhook, error)
}

// Updater is an API that can change a webhook, its URL included. Without it, another one is made and the old one removed.
type Updater interface {
	// Update makes an existing webhook what is wanted.
	Update(ctx context.Context, present Webhook, w Wanted) (Webhook, error)
}

// Deleter is an API that can remove a webhook.
type Deleter interface {
	// Delete removes one webhook. That it is gone already is no error.
	Delete(ctx context.Context, present Webhook) error
}

// Purger is an API that can remove nothing but all webhooks of the account together.
type Purger interface {
	// DeleteAll removes all webhooks of the account, those of others included.
	DeleteAll(ctx context.Context) error
}

// KeyReader is an API that tells by what key the requests of a webhook are signed.
type KeyReader interface {
	// Key returns the key as the settings of the endpoint take it; empty when the API does not tell it.
	Key(ctx context.Context, present Webhook) (string, error)
}

// Tester is an API that sends a test delivery when it is asked to.
type Tester interface {
	// Test asks for a test delivery to a webhook and returns what the provider says became of it.
	Test(ctx context.Context, present Webhook) (Test, error)
}

// Test is what a provider says of a test delivery.
type Test struct {
	// Passed says that the endpoint took it.
	Passed bool
	// Words are what else is said of it; they may hold what the endpoint answered.
	Words string
}

// Webhook is what an account has.
type Webhook struct {
	// ID is the provider's name for it; empty where it has none.
	ID string
	// URL is where it posts to, as the provider says it. It may hold credentials.
	URL string
	// Events are what it posts, under the provider's names; nil = the provider does not say, or there is nothing to choose.
	Events []string
	// Disabled says that it posts nothing until it is enabled.
	Disabled bool
	// Key is what its requests are signed with, where the answer told; else empty.
	Key string
}

// Wanted is a webhook as it is to be.
type Wanted struct {
	// Name tells people whose it is: the endpoint's namespace and name.
	Name string
	// URL is where it posts to, with a path token, and with user name and password where the provider takes them in the URL.
	URL string
	// Username and Password are those that it logs in with, where the provider has fields for them.
	Username, Password string
	// Header and HeaderValue are what it adds, where the provider has a field for it.
	Header, HeaderValue string
	// Events are what it posts, under the provider's names.
	Events []string
	// Key is what it signs with, where that is ours to say ([Vendor.SetsKey]).
	Key string
}

// Account is what an API is asked with.
type Account struct {
	// Key is the key of the API.
	Key string
	// Name is what the API asks for beside the key; see the catalogue.
	Name string
	// BaseURL is where the API is, without a slash at its end.
	BaseURL string
}

// Vendor is what one provider's API is like.
type Vendor struct {
	// Open returns an account's API, which asks by means of a client.
	Open func(Account, Doer) API
	// Bases are where the API is, by region; "" is that of who names no region. Empty for providers that are run by their users.
	Bases map[string]string
	// Events are all that the provider posts and this release knows, under its names; empty = there is nothing to choose.
	Events []string
	// Carries says how its requests can be authenticated beside its signature; a path token always can.
	Carries Carries
	// Placeholder returns a key by which nothing can be verified, in the form of the provider's keys, of 32 random bytes. It stands in until the provider's key is
	// known: an endpoint without a key takes no request, and the provider may ask whether it is there. nil = hexadecimal digits.
	Placeholder func(random []byte) (string, error)
	// SetsKey says that the key is ours to say, and is set with the webhook.
	SetsKey bool
	// LocalURL says that the provider may reach what only the cluster does, by http.
	LocalURL bool
}

// Carries says how a provider's requests can be authenticated.
type Carries struct {
	// BasicInURL and BasicFields say that it logs in with a user name and password from the URL, or from fields of their own.
	BasicInURL, BasicFields bool
	// Header says that it can add a header.
	Header bool
}

// keyBytes is the length of a key that the manager makes.
const keyBytes = 32

// NewKey returns a key in the provider's form that nobody else knows.
func (v *Vendor) NewKey() (string, error) {
	random := make([]byte, keyBytes)
	_, _ = rand.Read(random) // which never fails
	if v.Placeholder != nil {
		return v.Placeholder(random)
	}
	return hex.EncodeToString(random), nil
}
