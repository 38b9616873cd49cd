package program

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"github.com/mailvane/mailvane/receiver/config"
)

// TestConnectionsOfAllPodsAreTold has pods that differ, one that cannot be asked for a moment, and two receivers of one namespace.
func TestConnectionsOfAllPodsAreTold(t *testing.T) {
	t.Parallel()
	at := time.Unix(1_000, 0)
	well := func(sink string) config.Connection { return config.Connection{Sink: sink, Since: at} }
	failing := func(cause string, since time.Time) config.Connection {
		return config.Connection{Sink: "mail/crm", Cause: cause, Message: "at " + cause, Since: since}
	}
	first, later := failing(config.CredentialRefused, at), failing(config.DeliveryFailing, at.Add(time.Minute))
	for name, tc := range map[string]struct {
		shared, own map[types.UID][]config.Connection
		want        *config.Connection
	}{
		"nothing is known":         {nil, nil, nil},
		"another sink":             {map[types.UID][]config.Connection{"a": {well("mail/other")}}, nil, nil},
		"another namespace":        {map[types.UID][]config.Connection{"a": {well("other/crm")}}, nil, nil},
		"one pod knows":            {map[types.UID][]config.Connection{"a": {well("mail/crm")}, "b": nil}, nil, new(well("mail/crm"))},
		"one pod fails":            {map[types.UID][]config.Connection{"a": {well("mail/crm")}, "b": {later}}, nil, &later},
		"both fail":                {map[types.UID][]config.Connection{"a": {later}, "b": {first}}, nil, &first},
		"a receiver of its own":    {map[types.UID][]config.Connection{"a": {well("mail/crm")}}, map[types.UID][]config.Connection{"b": {first}}, &first},
		"another receiver is well": {map[types.UID][]config.Connection{"a": {first}}, map[types.UID][]config.Connection{"b": {well("mail/crm")}}, &first},
	} {
		pods := &fakePods{answers: map[types.UID]config.Loaded{}}
		var targets []Target
		for receiver, connections := range map[string]map[types.UID][]config.Connection{"r": tc.shared, "s": tc.own} {
			one := target()
			one.Name = receiver
			for pod, said := range connections {
				pods.answers[pod] = config.Loaded{Hash: "abc", Connections: said}
				one.Pods = append(one.Pods, podIn(string(pod), true))
			}
			targets = append(targets, one)
		}
		asker := &Asker{Pods: pods}
		for i, when := range []string{"all answer", "none answers"} {
			answers := asker.Ask(t.Context(), "mail", targets, at.Add(time.Duration(i)*journalPoll))
			if diff := cmp.Diff(tc.want, ConnectionOf(answers, "mail/crm")); diff != "" {
				t.Errorf("%s, %s:\n%s", name, when, diff)
			}
			pods.answers = map[types.UID]config.Loaded{}
		}
	}
}
