package eventsink_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/eventsink"
	"github.com/mailvane/mailvane/controllers/render"
	"github.com/mailvane/mailvane/receiver/config"
)

func TestStatus(t *testing.T) {
	t.Parallel()
	missing := render.Problem{Field: "spec.http", Reason: v1alpha1.ReasonSecretNotFound, Message: "gone", Related: render.Object{Kind: "Secret"}}
	invalid := render.Problem{Field: "spec.http", Reason: v1alpha1.ReasonInvalidSettings, Message: strings.Repeat("é", 2000)}
	noDeadLetterSink := render.Problem{Field: "spec.delivery", Reason: v1alpha1.ReasonSinkNotFound, Related: render.Object{Kind: v1alpha1.EventSinkKind}}
	const yes, nothing = "True Reconciled", "Unknown NothingSent"
	failing := func(cause string) *config.Connection {
		return &config.Connection{Sink: "mail/crm", Cause: cause, Message: "no"}
	}
	cases := map[string]struct {
		problems   []render.Problem
		connection *config.Connection
		want       map[string]string // Ready, ReferencesResolved, Connected, Stalled
	}{
		"all well":            {nil, &config.Connection{Sink: "mail/crm"}, map[string]string{"Ready": yes, "ReferencesResolved": yes, "Connected": yes}},
		"nothing sent yet":    {nil, nil, map[string]string{"Ready": yes, "ReferencesResolved": yes, "Connected": nothing}},
		"missing Secret":      {[]render.Problem{missing}, nil, map[string]string{"Ready": "False SecretNotFound", "ReferencesResolved": "False SecretNotFound", "Connected": nothing}},
		"no dead-letter sink": {[]render.Problem{noDeadLetterSink}, nil, map[string]string{"Ready": "False SinkNotFound", "ReferencesResolved": "False SinkNotFound", "Connected": nothing}},
		"invalid settings":    {[]render.Problem{invalid}, nil, map[string]string{"Ready": "False InvalidSettings", "ReferencesResolved": yes, "Connected": nothing, "Stalled": "True InvalidSettings"}},
		"wrong credential":    {nil, failing(config.CredentialRefused), map[string]string{"Ready": "False CredentialRefused", "ReferencesResolved": yes, "Connected": "False CredentialRefused"}},
		"missing topic":       {nil, failing(config.DestinationNotFound), map[string]string{"Ready": "False DestinationNotFound", "ReferencesResolved": yes, "Connected": "False DestinationNotFound"}},
		"unreachable":         {nil, failing(config.DestinationUnreachable), map[string]string{"Ready": "False DestinationUnreachable", "ReferencesResolved": yes, "Connected": "False DestinationUnreachable"}},
		"failing":             {nil, failing(config.DeliveryFailing), map[string]string{"Ready": "False DeliveryFailing", "ReferencesResolved": yes, "Connected": "False DeliveryFailing"}},
		"both":                {[]render.Problem{missing}, failing(config.DeliveryFailing), map[string]string{"Ready": "False SecretNotFound", "ReferencesResolved": "False SecretNotFound", "Connected": "False DeliveryFailing"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &v1alpha1.EventSink{ObjectMeta: metav1.ObjectMeta{Generation: 3}}
			status := eventsink.Status(s, eventsink.Inputs{Problems: tc.problems, Connection: tc.connection, Now: time.Unix(1, 0)})
			got := map[string]string{}
			for _, c := range status.Conditions {
				got[c.Type] = string(c.Status) + " " + c.Reason
				if works := strings.HasPrefix(c.Message, "The sink gets its events"); works != (c.Type == "Ready" && name == "no dead-letter sink") {
					t.Errorf("message: %s", c.Message)
				}
				if len(c.Message) > 1100 || strings.ToValidUTF8(c.Message, "?") != c.Message || c.ObservedGeneration != 3 {
					t.Errorf("%+v", c)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
