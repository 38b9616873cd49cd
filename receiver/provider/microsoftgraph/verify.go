package microsoftgraph

import (
	"context"
	"crypto/sha256"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// Verify checks that a request holds a notification with a clientState of the endpoint, and, where tokens are asked for, that a good one is
// there for each of its notifications with resource data. Graph may put notifications of strangers beside them, who have made subscriptions
// to the same URL: those are for [webhook.Decode] to leave out. Only the form that Graph sends passes, a list in "value": what events keep
// is taken by Decode without a clientState.
func (w *webhook) Verify(ctx context.Context, r *provider.Request) (provider.Proof, error) {
	c, ok := read(r.Body)
	if !ok {
		return provider.Proof{}, provider.Refuse(provider.ReasonMalformed)
	}
	position, rich, err := w.find(c.value)
	if err != nil {
		return provider.Proof{}, err
	}
	if w.tokens != nil && len(rich) > 0 {
		if err := w.tokens.verify(ctx, c.tokens, rich, r.ReceivedAt); err != nil {
			return provider.Proof{}, provider.RefuseSignature(err)
		}
	}
	return provider.Proof{Key: strconv.Itoa(position)}, nil
}

// find returns the position of the clientState of notifications that are the endpoint's, and the tenants of those with resource data. It fails
// with a *VerifyError when there are none.
func (w *webhook) find(list []byte) (position int, rich []string, err error) {
	position, reason := -1, provider.ReasonMissing
	for item, err := range wire.Items(list) {
		if err != nil {
			continue
		}
		at, mine := w.mine(&item)
		if !mine {
			if item.JSON("clientState") != "" {
				reason = provider.ReasonMismatch
			}
			continue
		}
		position = at
		if tenant := item.Text("tenantId"); hasContent(&item) && !slices.Contains(rich, tenant) {
			rich = append(rich, tenant)
		}
	}
	if position < 0 {
		return 0, nil, provider.Refuse(reason)
	}
	return position, rich, nil
}

// hasContent reports whether a notification comes with resource data.
func hasContent(item *wire.Item) bool {
	json := item.JSON("encryptedContent")
	return json != "" && json != "null"
}

// mine reports whether a notification has a clientState of the endpoint, and which, and is of a tenant that is taken. One that has two of
// anything that is looked at here is nobody's.
func (w *webhook) mine(item *wire.Item) (position int, ok bool) {
	given := sha256.Sum256([]byte(item.Text("clientState")))
	position, ok = w.states.Match(given[:], func(state []byte) []byte {
		sum := sha256.Sum256(state)
		return sum[:]
	})
	tenant := item.Text("tenantId")
	if len(w.tenants) > 0 && !slices.ContainsFunc(w.tenants, func(t string) bool { return strings.EqualFold(t, tenant) }) {
		ok = false
	}
	return position, ok && item.Doubt() == nil
}

// collection is what Graph sends.
type collection struct {
	value  []byte
	tokens []string
}

// read returns what a body holds, and reports whether it has the form that Graph sends.
func read(body []byte) (c collection, ok bool) {
	err := wire.Single(body, func(item wire.Item) error {
		c.value, c.tokens = []byte(item.JSON("value")), item.Texts("validationTokens")
		return nil
	})
	return c, err == nil && jsontext.Value(c.value).Kind() == '['
}
