package receiver

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/receiver/config"
)

// talkative answers for every pod, and counts.
type talkative struct {
	said  config.Loaded
	asked int
}

func (p *talkative) Loaded(context.Context, *corev1.Pod) (config.Loaded, error) {
	p.asked++
	return p.said, nil
}

func podIn(uid string, ready bool) corev1.Pod {
	pod := corev1.Pod{Status: corev1.PodStatus{PodIP: "192.0.2.1"}}
	pod.UID = types.UID(uid)
	if ready {
		pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	}
	return pod
}

// TestWhoIsAskedAgain runs passes at given times, in seconds, and counts the questions of each.
func TestWhoIsAskedAgain(t *testing.T) {
	t.Parallel()
	const hash = "abc"
	jetStream := v1alpha1.Journal{Type: v1alpha1.JournalJetStream, JetStream: &v1alpha1.JetStreamJournal{}}
	cases := map[string]struct {
		reason    string
		journal   v1alpha1.Journal
		pod       corev1.Pod
		available bool
		said      config.Loaded
		times     []int
		want      []int // questions so far
		after     time.Duration
	}{
		"loaded":           {"its journal can fill up at any time", v1alpha1.Journal{}, podIn("a", true), true, config.Loaded{Hash: hash}, []int{0, 1, 29, 30, 31, 60}, []int{1, 1, 1, 2, 2, 3}, journalPoll},
		"not loaded":       {"it will be", v1alpha1.Journal{}, podIn("a", true), true, config.Loaded{Hash: "old"}, []int{0, 1, 2}, []int{1, 2, 3}, firstPoll},
		"a full journal":   {"there will be room", v1alpha1.Journal{}, podIn("a", true), true, config.Loaded{Hash: hash, JournalProblem: "full"}, []int{0, 1}, []int{1, 2}, firstPoll},
		"NATS":             {"it can fail at any time", jetStream, podIn("a", true), true, config.Loaded{Hash: hash}, []int{0, 1, 29, 30, 31, 60}, []int{1, 1, 1, 2, 2, 3}, journalPoll},
		"starting":         {"it may say why", v1alpha1.Journal{}, podIn("a", false), false, config.Loaded{}, []int{0, 1}, []int{1, 2}, firstPoll},
		"one more, starts": {"others serve", v1alpha1.Journal{}, podIn("a", false), true, config.Loaded{}, []int{0, 1}, []int{0, 0}, journalPoll},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pods := &talkative{said: tc.said}
			now := time.Unix(1_000, 0)
			r := New(Options{Pods: pods, Now: func() time.Time { return now }})
			remembered := &receiverMemory{hash: hash}
			var got []int
			var after time.Duration
			for _, seconds := range tc.times {
				now = time.Unix(1_000+int64(seconds), 0)
				s := &scope{}
				u := &unit{
					Receiver: children.Receiver{Name: "r", Spec: v1alpha1.Receiver{Journal: tc.journal}},
					memory:   remembered, pods: []corev1.Pod{tc.pod}, available: tc.available,
				}
				s.units = []*unit{u}
				r.askPods(t.Context(), s)
				if err := r.program(t.Context(), s, u); err != nil {
					t.Fatal(err)
				}
				if u.journal.OK() != (tc.said.JournalProblem == "") {
					t.Errorf("journal: %+v", u.journal)
				}
				got, after = append(got, pods.asked), s.after
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			if after != tc.after {
				t.Errorf("looks again after %v, want %v", after, tc.after)
			}
		})
	}
}
