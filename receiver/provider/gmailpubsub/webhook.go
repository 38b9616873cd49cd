// Package gmailpubsub reads the push notifications of Gmail, which Google Cloud Pub/Sub posts: that something in a mailbox is new, and up
// to which point of its history.
//
// Sources: developers.google.com/gmail/api/guides/push, and of cloud.google.com/pubsub/docs the pages push, payload-unwrapping and
// authenticate-push-subscriptions.
package gmailpubsub

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/mailvane/mailvane/receiver/keys"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/gmailpubsub/settings"
	"github.com/mailvane/mailvane/receiver/token"
)

// Type is the provider's name in WebhookEndpoint.spec.provider.type.
const Type = "GmailPubSub"

// keySet is where Google publishes the keys that sign its tokens.
const keySet = "https://www.googleapis.com/oauth2/v3/certs"

// Headers that hold what the envelope says, where the subscription takes the envelope off and writes its metadata.
const (
	subscriptionHeader = "X-Goog-Pubsub-Subscription-Name"
	idHeader           = "X-Goog-Pubsub-Message-Id"
	timeHeader         = "X-Goog-Pubsub-Publish-Time"
)

// Kind describes Gmail's notifications.
func Kind() provider.Kind {
	return provider.Kind{Type: Type, New: newWebhook, DecodeHeaders: []string{subscriptionHeader, idHeader, timeHeader}}
}

// webhook is one endpoint.
type webhook struct {
	// tokens checks the tokens of Google; nil = none is asked for.
	tokens *token.Verifier
	// accounts are the service accounts that may push.
	accounts []string
}

func newWebhook(data []byte, env provider.Environment) (provider.Webhook, error) {
	s, err := settings.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("gmailpubsub: %w", err)
	}
	if len(s.Audiences) == 0 {
		return &webhook{}, nil
	}
	return &webhook{accounts: s.ServiceAccounts, tokens: &token.Verifier{
		// Google's tokens have had both forms (OpenID Connect, "Validating an ID token").
		Issuers:   []string{"https://accounts.google.com", "accounts.google.com"},
		Audiences: s.Audiences,
		Keys:      keys.Set(env.Keys, env.HTTPClient, keySet).Key,
	}}, nil
}

// Authenticates reports whether a token is asked for. Nothing else of a request shows who sent it.
func (w *webhook) Authenticates() bool { return w.tokens != nil }

// Verify checks the token, where one is asked for. Google makes tokens for everybody and with any audience: whose it is decides, by the
// address of the service account that Google has verified.
func (w *webhook) Verify(ctx context.Context, r *provider.Request) (provider.Proof, error) {
	if w.tokens == nil {
		return provider.Proof{}, nil
	}
	text, err := token.Bearer(r.Header)
	if err != nil {
		return provider.Proof{}, provider.RefuseSignature(err)
	}
	claims, err := w.tokens.Verify(ctx, text, r.ReceivedAt)
	if err != nil {
		return provider.Proof{}, provider.RefuseSignature(err)
	}
	account := slices.Index(w.accounts, claims.Email)
	if account < 0 || !claims.EmailVerified {
		return provider.Proof{}, provider.Refuse(provider.ReasonSender)
	}
	return provider.Proof{Key: strconv.Itoa(account)}, nil
}
