package azurecommunicationservices

import (
	"context"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/receiver/keys"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/azurecommunicationservices/settings"
	"github.com/mailvane/mailvane/receiver/signature"
	"github.com/mailvane/mailvane/receiver/token"
)

// authority is where Microsoft Entra ID publishes the keys of tenants.
const authority = "https://login.microsoftonline.com/"

// subscriptionHeader names the event subscription.
const subscriptionHeader = "Aeg-Subscription-Name"

// entra checks the tokens of one tenant that Event Grid asks for.
type entra struct {
	tenant       string
	applications []string
	tokens       token.Verifier
}

func newEntra(s *settings.Entra, env provider.Environment) *entra {
	keySet := keys.Set(env.Keys, env.HTTPClient, authority+s.TenantID+"/discovery/v2.0/keys")
	return &entra{
		tenant: s.TenantID, applications: s.ApplicationIDs,
		tokens: token.Verifier{
			// Which of the two versions a token has is a setting of the application that it is for.
			Issuers:   []string{"https://sts.windows.net/" + s.TenantID + "/", authority + s.TenantID + "/v2.0"},
			Audiences: s.Audiences,
			Keys:      keySet.Key,
		},
	}
}

// Verify checks the token, where one is asked for, and that the subscription is one that may post here. Requests that validate a
// subscription carry the token too.
func (w *webhook) Verify(ctx context.Context, r *provider.Request) (provider.Proof, error) {
	if w.entra != nil {
		if err := w.entra.verify(ctx, r); err != nil {
			return provider.Proof{}, provider.RefuseSignature(err)
		}
	}
	if len(w.subscriptions) > 0 {
		name, err := signature.Header(r.Header, subscriptionHeader)
		if err != nil || !isListed(w.subscriptions, name) {
			return provider.Proof{}, provider.Refuse(provider.ReasonSender)
		}
	}
	return provider.Proof{}, nil
}

func (e *entra) verify(ctx context.Context, r *provider.Request) error {
	text, err := token.Bearer(r.Header)
	if err != nil {
		return err
	}
	claims, err := e.tokens.Verify(ctx, text, r.ReceivedAt)
	if err != nil {
		return err
	}
	application := claims.Application
	if application == "" {
		application = claims.ApplicationV1
	}
	if claims.Tenant != e.tenant || !slices.Contains(e.applications, application) {
		return provider.Refuse(provider.ReasonSender)
	}
	return nil
}

func isListed(list []string, name string) bool {
	return slices.ContainsFunc(list, func(listed string) bool { return strings.EqualFold(listed, name) })
}
