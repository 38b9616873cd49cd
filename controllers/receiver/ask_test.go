package receiver

import (
	"context"
	"errors"
	"strings"
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

func (p *talkative) Loaded(context.Context, *corev1.Pod, string) (config.Loaded, error) {
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

// TestTroublesOfAllPodsAreTold adds up what pods tell, also of one that cannot be asked for a moment, and nothing of what others tell.
func TestTroublesOfAllPodsAreTold(t *testing.T) {
	t.Parallel()
	at := time.Unix(1_000, 0)
	problem := func(endpoint string, count uint64, since time.Time) config.Problem {
		return config.Problem{Endpoint: endpoint, Kind: config.FilterFailing, Route: "crm", Message: "it divides by zero", Count: count, Since: since, Last: since}
	}
	pods := &tellers{answers: map[types.UID]config.Loaded{
		"a": {Hash: "abc", Problems: []config.Problem{problem("mail/ee", 2, at.Add(time.Minute)), problem("mail/other", 1, at)}},
		"b": {Hash: "abc", Problems: []config.Problem{problem("mail/ee", 40, at)}},
	}}
	now := at
	r := New(Options{Pods: pods, Now: func() time.Time { return now }})
	remembered := &receiverMemory{hash: "abc"}
	pass := func() *unit {
		now = now.Add(journalPoll)
		u := &unit{
			Receiver: children.Receiver{Name: "r", Namespace: "mail"}, memory: remembered,
			pods: []corev1.Pod{podIn("a", true), podIn("b", true)}, available: true,
		}
		s := &scope{units: []*unit{u}}
		r.askPods(t.Context(), s)
		if err := r.program(t.Context(), s, u); err != nil {
			t.Fatal(err)
		}
		return u
	}
	want := problem("mail/ee", 42, at)
	want.Last = at.Add(time.Minute)
	for _, when := range []string{"both answer", "one does not answer"} {
		u := pass()
		if diff := cmp.Diff([]config.Problem{want}, u.troublesOf("mail", "ee")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
		delete(pods.answers, "b")
	}
	pods.answers["a"], pods.answers["b"] = config.Loaded{Hash: "abc"}, config.Loaded{Hash: "abc"}
	if got := pass().troubles; len(got) != 0 {
		t.Errorf("after it is mended: %+v", got)
	}
}

// tellers answer each for itself; one without an answer cannot be asked.
type tellers struct{ answers map[types.UID]config.Loaded }

func (p *tellers) Loaded(_ context.Context, pod *corev1.Pod, _ string) (config.Loaded, error) {
	said, ok := p.answers[pod.UID]
	if !ok {
		return said, errors.New("connection refused")
	}
	return said, nil
}

// TestATokenIsReplacedWithoutAGap has pods that have mounted the new token later than the manager knows it.
func TestATokenIsReplacedWithoutAGap(t *testing.T) {
	t.Parallel()
	pods := &keepers{mounted: "old"}
	now := time.Unix(1_000, 0)
	r := New(Options{Pods: pods, Now: func() time.Time { return now }})
	remembered := &receiverMemory{hash: "abc"}
	remembered.learn("old")
	pass := func() *unit {
		now = now.Add(time.Second)
		u := &unit{Receiver: children.Receiver{Name: "r"}, memory: remembered, pods: []corev1.Pod{podIn("a", true)}, available: true}
		s := &scope{units: []*unit{u}}
		r.askPods(t.Context(), s)
		if err := r.program(t.Context(), s, u); err != nil {
			t.Fatal(err)
		}
		return u
	}
	if u := pass(); !u.loaded.OK() || u.behind {
		t.Errorf("before: %+v", u.loaded)
	}
	remembered.learn("new")
	if u := pass(); !u.loaded.OK() || !u.behind {
		t.Errorf("the pod has the old one, and is as it should be until it is told: %+v, %t", u.loaded, u.behind)
	}
	pods.mounted = "new"
	if u := pass(); !u.loaded.OK() || u.behind {
		t.Errorf("after: %+v, %t", u.loaded, u.behind)
	}
	pods.mounted = "another"
	now = now.Add(journalPoll)
	if u := pass(); u.loaded.Reason != v1alpha1.ReasonReceiverUnreachable || !strings.Contains(u.loaded.Message, "delete the Secret") {
		t.Errorf("no token is taken: %+v", u.loaded)
	}
	for _, token := range []string{"third", "fourth"} {
		remembered.learn(token)
	}
	if diff := cmp.Diff([]string{"fourth", "third"}, remembered.tokens); diff != "" {
		t.Errorf("known tokens (-want +got):\n%s", diff)
	}
}

// keepers take one token.
type keepers struct{ mounted string }

func (p *keepers) Loaded(_ context.Context, _ *corev1.Pod, token string) (config.Loaded, error) {
	if token != p.mounted {
		return config.Loaded{}, ErrToken
	}
	return config.Loaded{Hash: "abc"}, nil
}

// TestWhatIsLoadedIsRecognised compares what pods say, of this release and of the one before, which said the hash itself.
func TestWhatIsLoadedIsRecognised(t *testing.T) {
	t.Parallel()
	m := &receiverMemory{hash: "abc", key: []byte("key")}
	for said, want := range map[string]bool{
		"abc": true, config.Fingerprint([]byte("key"), "abc"): true,
		"": false, "other": false, config.Fingerprint([]byte("other"), "abc"): false, config.Fingerprint([]byte("key"), "other"): false,
	} {
		if got := m.isLoaded(config.Loaded{Hash: said}); got != want {
			t.Errorf("%q: %t, want %t", said, got, want)
		}
	}
	if (&receiverMemory{}).isLoaded(config.Loaded{}) {
		t.Error("nothing has been written, and it is loaded")
	}
}
