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
)

func TestStatus(t *testing.T) {
	t.Parallel()
	missing := render.Problem{Field: "spec.http", Reason: v1alpha1.ReasonSecretNotFound, Message: "gone", Related: render.Object{Kind: "Secret"}}
	invalid := render.Problem{Field: "spec.http", Reason: v1alpha1.ReasonInvalidSettings, Message: strings.Repeat("é", 2000)}
	noDeadLetterSink := render.Problem{Field: "spec.delivery", Reason: v1alpha1.ReasonSinkNotFound, Related: render.Object{Kind: v1alpha1.EventSinkKind}}
	cases := map[string]struct {
		problems []render.Problem
		want     map[string]string
	}{
		"all well":            {nil, map[string]string{"Ready": "True Reconciled", "ReferencesResolved": "True Reconciled"}},
		"missing Secret":      {[]render.Problem{missing}, map[string]string{"Ready": "False SecretNotFound", "ReferencesResolved": "False SecretNotFound"}},
		"no dead-letter sink": {[]render.Problem{noDeadLetterSink}, map[string]string{"Ready": "False SinkNotFound", "ReferencesResolved": "False SinkNotFound"}},
		"invalid settings":    {[]render.Problem{invalid}, map[string]string{"Ready": "False InvalidSettings", "ReferencesResolved": "True Reconciled", "Stalled": "True InvalidSettings"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &v1alpha1.EventSink{ObjectMeta: metav1.ObjectMeta{Generation: 3}}
			status := eventsink.Status(s, tc.problems, time.Unix(1, 0))
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
