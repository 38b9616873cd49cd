package children_test

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/render/children"
)

// TestHistory renders what receivers are told of their history, and the disk that it needs: with the embedded journal the one that is there,
// with JetStream one that goes with the pod.
func TestHistory(t *testing.T) {
	t.Parallel()
	embedded := v1alpha1.History{Type: v1alpha1.HistoryEmbedded, MaxAge: "720h", MaxBytes: resource.MustParse("20Gi")}
	jetStream := v1alpha1.Journal{Type: v1alpha1.JournalJetStream, JetStream: &v1alpha1.JetStreamJournal{URLs: []v1alpha1.NATSURL{"nats://a:4222"}, Replicas: 3}}
	flags := []string{"--history=Embedded", "--history-max-age=720h", "--history-max-bytes=21474836480", "--data=/var/lib/mailvane"}
	for name, tc := range map[string]struct {
		spec  v1alpha1.Receiver
		want  []string
		disks int
	}{
		"by itself":           {v1alpha1.Receiver{}, []string{"--data=/var/lib/mailvane"}, 1},
		"embedded":            {v1alpha1.Receiver{History: embedded}, flags, 1},
		"none":                {v1alpha1.Receiver{History: v1alpha1.History{Type: v1alpha1.HistoryNone}}, []string{"--history=None"}, 1},
		"JetStream by itself": {v1alpha1.Receiver{Journal: jetStream}, nil, 0},
		"beside JetStream":    {v1alpha1.Receiver{Journal: jetStream, History: embedded}, flags, 1},
	} {
		r := children.Receiver{Namespace: "mail", Name: children.Name, Spec: tc.spec}
		got := text(t, r.Render(children.Options{Image: "mailvane.example.com/mailvane:v1", ManagerNamespace: "mailvane-system"}))
		for _, want := range tc.want {
			if strings.Count(got, want+"\n") != 1 {
				t.Errorf("%s: no %s", name, want)
			}
		}
		if disks := strings.Count(got, "mountPath: /var/lib/mailvane\n"); disks != tc.disks || len(tc.want) == 0 && strings.Contains(got, "--history") {
			t.Errorf("%s: %d disks", name, disks)
		}
	}
	inherited := children.Inherit(v1alpha1.Receiver{History: embedded}, v1alpha1.Receiver{})
	own := children.Inherit(v1alpha1.Receiver{History: embedded}, v1alpha1.Receiver{History: v1alpha1.History{Type: v1alpha1.HistoryNone}})
	if inherited.History.MaxAge != "720h" || own.History.Type != v1alpha1.HistoryNone || own.History.MaxAge != "" {
		t.Errorf("inherited %+v, own %+v", inherited.History, own.History)
	}
}
