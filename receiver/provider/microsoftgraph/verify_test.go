package microsoftgraph_test

import (
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/microsoftgraph"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

// reason returns why a request is refused; "" = it is not.
func reason(t *testing.T, err error) provider.Reason {
	t.Helper()
	if refused, ok := errors.AsType[*provider.VerifyError](err); ok {
		return refused.Reason
	}
	if err != nil {
		return provider.Reason(err.Error())
	}
	return ""
}

// TestClientState: one foreign notification takes no neighbour with it, and is not believed either.
func TestClientState(t *testing.T) {
	t.Parallel()
	mine := item("created", "")
	foreign := strings.Replace(mine, state, "somebody-else", 1)
	without := strings.Replace(mine, `"clientState": "`+state+`", `, "", 1)
	old := strings.Replace(mine, state, otherState, 1)
	for name, c := range map[string]struct {
		body            string
		want            provider.Reason
		key             string
		events, refused int
	}{
		"mine":                          {list(mine), "", "0", 1, 0},
		"of a rotation":                 {list(old), "", "1", 1, 0},
		"a stranger's":                  {list(foreign), provider.ReasonMismatch, "", 0, 1},
		"none":                          {list(without), provider.ReasonMissing, "", 0, 1},
		"empty":                         {list(strings.Replace(mine, state, "", 1)), provider.ReasonMismatch, "", 0, 1},
		"null":                          {list(strings.Replace(mine, `"`+state+`"`, "null", 1)), provider.ReasonMismatch, "", 0, 1},
		"the beginning of one":          {list(strings.Replace(mine, state, state[:31], 1)), provider.ReasonMismatch, "", 0, 1},
		"more than one":                 {list(strings.Replace(mine, state, state+"0", 1)), provider.ReasonMismatch, "", 0, 1},
		"a list of it":                  {list(strings.Replace(mine, `"`+state+`"`, `["`+state+`"]`, 1)), provider.ReasonMismatch, "", 0, 1},
		"two of them":                   {list(strings.Replace(mine, `"clientState"`, `"clientState": "x", "clientState"`, 1)), provider.ReasonMismatch, "", 0, 1},
		"two of them, mine first":       {list(strings.Replace(mine, state+`"`, state+`", "clientState": "x"`, 1)), provider.ReasonMismatch, "", 0, 1},
		"a stranger's beside mine":      {list(foreign, mine, without), "", "0", 1, 2},
		"mine beside what is no object": {list("5", mine, "null", `"x"`, "[[]]"), "", "0", 1, 4},
		"nothing":                       {list(), provider.ReasonMissing, "", 0, 0},
		"what an event keeps":           {without, provider.ReasonMalformed, "", 1, 0},
		"a list of what events keep":    {"[" + without + "]", provider.ReasonMalformed, "", 1, 0},
		"two lists":                     {`{"value": [` + mine + `], "value": []}`, provider.ReasonMalformed, "", 0, 1},
		"an object for the list":        {`{"value": ` + mine + `}`, provider.ReasonMalformed, "", 0, 1},
		"a word":                        {`hello`, provider.ReasonMalformed, "", 0, 1},
		"no body":                       {``, provider.ReasonMalformed, "", 0, 1},
	} {
		w := webhook(t, plain)
		r := &provider.Request{Method: http.MethodPost, Body: []byte(c.body), Header: http.Header{}, ReceivedAt: received()}
		proof, err := w.Verify(t.Context(), r)
		if got := reason(t, err); got != c.want || proof.Key != c.key {
			t.Errorf("%s: %q by the key %q, want %q", name, got, proof.Key, c.want)
		}
		if b := w.Decode(r); len(b.Events) != c.events || b.Refused+len(b.Undecodable) != c.refused {
			t.Errorf("%s: %d events, %d refused, %+v", name, len(b.Events), b.Refused, b.Undecodable)
		}
	}
}

// TestTenants: a clientState that somebody has learnt is of no use from another tenant.
func TestTenants(t *testing.T) {
	t.Parallel()
	settings := strings.Replace(plain, "{", `{"tenantIDs": ["`+tenant+`"], `, 1)
	other := strings.Replace(item("created", ""), tenant, otherTenant, 1)
	for name, c := range map[string]struct {
		body   string
		want   provider.Reason
		events int
	}{
		"listed":              {list(item("created", "")), "", 1},
		"in capitals":         {list(strings.Replace(item("created", ""), tenant, strings.ToUpper(tenant), 1)), "", 1},
		"not listed":          {list(other), provider.ReasonMismatch, 0},
		"none":                {list(strings.Replace(other, otherTenant, "", 1)), provider.ReasonMismatch, 0},
		"beside a listed one": {list(other, item("created", "")), "", 1},
	} {
		w := webhook(t, settings)
		r := &provider.Request{Body: []byte(c.body), ReceivedAt: received()}
		_, err := w.Verify(t.Context(), r)
		if got := reason(t, err); got != c.want || len(w.Decode(r).Events) != c.events {
			t.Errorf("%s: %q, %+v", name, got, w.Decode(r))
		}
	}
}

// TestValidation has the POST by which Graph asks.
func TestValidation(t *testing.T) {
	t.Parallel()
	answer := func(text string) provider.Reply {
		return provider.Reply{Header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, Body: []byte(text)}
	}
	refused := provider.Reply{Status: http.StatusBadRequest}
	for name, c := range map[string]struct {
		method, query, body string
		want                provider.Reply
		is                  bool
	}{
		"asked":                   {http.MethodPost, "validationToken=Validation%3a+Testing+client+application%2fa", "", answer("Validation: Testing client application/a"), true},
		"a plus":                  {http.MethodPost, "validationToken=a%2Bb", "", answer("a+b"), true},
		"white space for a body":  {http.MethodPost, "validationToken=a", "\r\n", answer("a"), true},
		"beside other parameters": {http.MethodPost, "team=7&validationToken=a", "", answer("a"), true},
		"a page":                  {http.MethodPost, "validationToken=%3Cscript%3E%22", "", answer(`<script>"`), true},
		"no value":                {http.MethodPost, "validationToken=", "", refused, true},
		"two":                     {http.MethodPost, "validationToken=a&validationToken=b", "", refused, true},
		"another header":          {http.MethodPost, "validationToken=a%0d%0ab", "", refused, true},
		"no text":                 {http.MethodPost, "validationToken=%ff", "", refused, true},
		"too long":                {http.MethodPost, "validationToken=" + strings.Repeat("a", 2049), "", refused, true},
		"an event under its name": {http.MethodPost, "validationToken=a", list(item("created", "")), provider.Reply{}, false},
		"an event":                {http.MethodPost, "", list(item("created", "")), provider.Reply{}, false},
		"a query that is none":    {http.MethodPost, "validationToken=%zz", "", provider.Reply{}, false},
		"a GET":                   {http.MethodGet, "validationToken=a", "", provider.Reply{}, false},
	} {
		h, ok := webhook(t, plain).(provider.Handshaker)
		if !ok || len(h.Methods()) > 0 {
			t.Fatal("its handshake is not a POST")
		}
		reply, is := h.Handshake(&provider.Request{Method: c.method, Query: c.query, Body: []byte(c.body)})
		if diff := cmp.Diff(c.want, reply); diff != "" || is != c.is {
			t.Errorf("%s: %v, -want +got:\n%s", name, is, diff)
		}
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	for what, settings := range map[string]string{
		"no state": `{}`, "an empty state": `{"clientStates": [""]}`, "a tenant's name": `{"clientStates": ["a"], "tenantIDs": ["example.com"]}`,
		"tokens of anybody": `{"clientStates": ["a"], "tokens": {"audiences": ["b"]}}`, "tokens for anybody": `{"clientStates": ["a"], "tenantIDs": ["` + tenant + `"], "tokens": {}}`,
	} {
		if _, err := microsoftgraph.Kind().New([]byte(settings), provider.Environment{}); err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
}

// TestBodiesOfTheFacts decodes a body of each documented change.
func TestBodiesOfTheFacts(t *testing.T) {
	t.Parallel()
	want := map[string]event.Type{"created": event.MailboxMessageCreated, "updated": event.MailboxMessageUpdated, "deleted": event.MailboxMessageDeleted}
	for _, path := range providertest.Facts(t, "samples/mailbox/graph-*.body.json") {
		e := decodeOne(t, `{"clientStates": ["secretClientValue"]}`, read(t, path))
		if e.Type != want[e.ProviderEvent] || e.Account != "u1@t1" || e.ProviderMessageID != "AAMkAD" {
			t.Errorf("%s: %+v", path, e)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
