package inspect

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/metrics"
)

func TestMergeSinks(t *testing.T) {
	t.Parallel()
	early, late := time.Unix(1000, 0).UTC(), time.Unix(2000, 0).UTC()
	one := func(journal string, s admin.Sink) Answer[stored] {
		return Answer[stored]{Said: stored{journal: journal, sinks: []admin.Sink{s}}}
	}
	answered := Answers[stored]{
		one("", admin.Sink{Name: "mail/crm", Type: "HTTP", Healthy: true, Pending: 2, OldestSeconds: 5}),
		one("", admin.Sink{Name: "mail/crm", Type: "HTTP", Pending: 3, OldestSeconds: 9, LastError: "503", LastErrorTime: late}),
		one("a", admin.Sink{Name: "mail/crm", Type: "HTTP", Healthy: true, Pending: 10, OldestSeconds: 1, LastError: "500", LastErrorTime: early}),
		one("a", admin.Sink{Name: "mail/crm", Type: "HTTP", Healthy: true, Pending: 10, OldestSeconds: 2}),
		one("a", admin.Sink{Name: "mail/gone", Type: "Absent", Healthy: true, Pending: 1}),
		one("", admin.Sink{Name: "mail/gone", Type: "Absent", Healthy: true, Pending: 1}),
	}
	objects := []v1alpha1.EventSink{{}, {}}
	objects[0].Namespace, objects[0].Name, objects[0].Spec.Type = "mail", "idle", v1alpha1.SinkFile
	objects[1].Namespace, objects[1].Name, objects[1].Spec.Type = "mail", "crm", v1alpha1.SinkHTTP
	objects[1].Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: "Reconciled"}}
	want := []Sink{
		{
			Sink:      admin.Sink{Name: "mail/crm", Type: "HTTP", Pending: 15, OldestSeconds: 9, LastError: "503", LastErrorTime: late},
			Readiness: Readiness{Ready: "True", Reason: "Reconciled"}, Receivers: 4,
		},
		{Sink: admin.Sink{Name: "mail/gone", Type: "Absent", Healthy: true, Pending: 2}, Readiness: Readiness{Ready: "Unknown"}, Receivers: 2},
		{Sink: admin.Sink{Name: "mail/idle", Type: "File"}, Readiness: Readiness{Ready: "Unknown"}},
	}
	if diff := cmp.Diff(want, mergeSinks(objects, answered)); diff != "" {
		t.Error(diff)
	}
}

func TestMergeEndpoints(t *testing.T) {
	t.Parallel()
	said := func(name string, accepted uint64) Answer[[]admin.Endpoint] {
		e := admin.Endpoint{Counts: metrics.Counts{Accepted: accepted}}
		e.Name = name
		return Answer[[]admin.Endpoint]{Said: []admin.Endpoint{e}}
	}
	objects := []v1alpha1.WebhookEndpoint{{}, {}}
	objects[0].Namespace, objects[0].Name, objects[0].Spec.Provider.Type = "mail", "b", v1alpha1.EmailEngine
	objects[1].Namespace, objects[1].Name, objects[1].Status.URL = "mail", "a", "https://hooks.example.com/a"
	objects[1].Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionRegistered, Status: metav1.ConditionFalse, Reason: "RateLimited", Message: "later"}}
	want := []Endpoint{
		{Name: "mail/a", URL: "https://hooks.example.com/a", Readiness: Readiness{Ready: "Unknown"}, Registered: "False", RegisteredMessage: "later", Receivers: 2, Counts: metrics.Counts{Accepted: 5}},
		{Name: "mail/b", Provider: "EmailEngine", Readiness: Readiness{Ready: "Unknown"}},
	}
	// What only a receiver knows has no object any more, and is left out.
	got := mergeEndpoints(objects, Answers[[]admin.Endpoint]{said("mail/a", 2), said("mail/gone", 1), said("mail/a", 3)})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestAsk checks that who does not answer hides nobody, and that one reason is told once.
func TestAsk(t *testing.T) {
	t.Parallel()
	denied := errors.New("you may not read its token")
	receivers := []*Receiver{{Name: "mail/a"}, {Name: "mail/b", Denied: denied}, {Name: "mail/c", Denied: denied}, {Name: "mail/d"}, {Name: "mail/e"}}
	answers, err := Ask(t.Context(), receivers, func(_ context.Context, r *Receiver) (string, error) {
		if r.Name == "mail/d" {
			return "", errors.New("no route to host")
		}
		return r.Name, nil
	})
	if len(answers) != 2 || answers[0].Said != "mail/a" || answers[1].From != receivers[4] {
		t.Errorf("%+v", answers)
	}
	if text := err.Error(); strings.Count(text, "you may not") != 1 || !strings.Contains(text, "mail/d: no route to host") {
		t.Errorf("%v", err)
	}
}
