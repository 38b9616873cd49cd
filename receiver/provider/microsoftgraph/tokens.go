package microsoftgraph

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/mailvane/mailvane/receiver/keys"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/microsoftgraph/settings"
	"github.com/mailvane/mailvane/receiver/signature"
	"github.com/mailvane/mailvane/receiver/token"
)

// authority is where Microsoft Entra ID makes tokens and publishes its keys.
const authority = "https://login.microsoftonline.com/"

// maxTokens is how many validation tokens of a request are looked at; Graph sends one for each application and tenant.
const maxTokens = 64

// tokens checks validation tokens.
type tokens struct {
	applications []string
	// tenants are what checks the tokens of each tenant.
	tenants map[string]*token.Verifier
}

func newTokens(tenants []string, s *settings.Tokens, env provider.Environment) *tokens {
	published := keys.Set(env.Keys, env.HTTPClient, authority+"common/discovery/v2.0/keys")
	t := &tokens{applications: s.ApplicationIDs, tenants: map[string]*token.Verifier{}}
	for _, tenant := range tenants {
		t.tenants[tenant] = &token.Verifier{
			Issuers:   []string{"https://sts.windows.net/" + tenant + "/", authority + tenant + "/v2.0"},
			Audiences: s.Audiences,
			Keys:      published.Key,
		}
	}
	return t
}

// verify checks that there is a good token for each tenant. Tokens that are for others are of no account. It fails with an error of package
// signature or a *VerifyError, and with another when a key could not be looked up and no other token is good.
func (t *tokens) verify(ctx context.Context, texts, tenants []string, now time.Time) error {
	texts = texts[:min(len(texts), maxTokens)]
	for _, tenant := range tenants {
		if err := t.one(ctx, texts, strings.ToLower(tenant), now); err != nil {
			return err
		}
	}
	return nil
}

// one checks that there is a good token for a tenant. Of several reasons why not, that nobody can tell now counts most.
func (t *tokens) one(ctx context.Context, texts []string, tenant string, now time.Time) error {
	verifier := t.tenants[tenant]
	if verifier == nil {
		return provider.Refuse(provider.ReasonSender)
	}
	failure, undecided := signature.ErrMissing, false
	for _, text := range texts {
		claims, err := verifier.Verify(ctx, text, now)
		if err == nil && t.isGraph(&claims, tenant) {
			return nil
		}
		if err == nil {
			err = provider.Refuse(provider.ReasonSender)
		}
		if !undecided {
			failure, undecided = err, !isRefusal(err)
		}
	}
	return failure
}

// isRefusal reports whether an error says that a token is not good, and not that nobody can tell now.
func isRefusal(err error) bool {
	_, refused := errors.AsType[*provider.VerifyError](err)
	return refused || signature.Refused(err)
}

// isGraph reports whether Graph has asked for a token, in the name of a tenant.
func (t *tokens) isGraph(claims *token.Claims, tenant string) bool {
	application := claims.Application
	if application == "" {
		application = claims.ApplicationV1
	}
	return claims.Tenant == tenant && slices.Contains(t.applications, application)
}
