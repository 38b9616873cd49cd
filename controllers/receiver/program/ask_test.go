package program

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/receiver/config"
)

// TestWhoIsAskedAgain runs passes at given times, in seconds, and counts the questions of each.
func TestWhoIsAskedAgain(t *testing.T) {
	t.Parallel()
	const hash = "abc"
	jetStream := v1alpha1.Journal{Type: v1alpha1.JournalJetStream, JetStream: &v1alpha1.JetStreamJournal{}}
	noAddress := podIn("a", false)
	noAddress.Status.PodIP = ""
	for name, tc := range map[string]struct {
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
		"never loaded":     {"something is wrong with it", v1alpha1.Journal{}, podIn("a", true), true, config.Loaded{Hash: "old"}, []int{0, 100}, []int{1, 2}, 10 * time.Second},
		"for an hour":      {"it is looked at all the same", v1alpha1.Journal{}, podIn("a", true), true, config.Loaded{Hash: "old"}, []int{0, 3600}, []int{1, 2}, lastPoll},
		"a full journal":   {"there will be room", v1alpha1.Journal{}, podIn("a", true), true, config.Loaded{Hash: hash, JournalProblem: "full"}, []int{0, 1}, []int{1, 2}, firstPoll},
		"NATS":             {"it can fail at any time", jetStream, podIn("a", true), true, config.Loaded{Hash: hash}, []int{0, 1, 29, 30, 31, 60}, []int{1, 1, 1, 2, 2, 3}, journalPoll},
		"starting":         {"it may say why", v1alpha1.Journal{}, podIn("a", false), false, config.Loaded{}, []int{0, 1}, []int{1, 2}, firstPoll},
		"without address":  {"it cannot be asked yet", v1alpha1.Journal{}, noAddress, false, config.Loaded{}, []int{0, 1}, []int{0, 0}, firstPoll},
		"one more, starts": {"others serve", v1alpha1.Journal{}, podIn("a", false), true, config.Loaded{}, []int{0, 1}, []int{0, 0}, journalPoll},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(map[types.UID]config.Loaded{"a": tc.said})
			var got []int
			var after time.Duration
			for _, seconds := range tc.times {
				one := target(tc.pod)
				one.Spec.Journal, one.Available = tc.journal, tc.available
				result, _ := c.pass(t, seconds, one)
				if result.Journal.OK() != (tc.said.JournalProblem == "") {
					t.Errorf("journal: %+v", result.Journal)
				}
				got, after = append(got, c.pods.asked), result.After
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

// TestProblemsOfAllPodsAreReported adds up what pods report, also of one that cannot be asked for a moment.
func TestProblemsOfAllPodsAreReported(t *testing.T) {
	t.Parallel()
	at := time.Unix(1_000, 0)
	problem := func(endpoint string, count uint64, since time.Time) config.Problem {
		return config.Problem{Endpoint: endpoint, Kind: config.FilterFailing, Route: "crm", Message: "it divides by zero", Count: count, Since: since, Last: since}
	}
	c := newCluster(map[types.UID]config.Loaded{
		"a": {Hash: "abc", Problems: []config.Problem{problem("mail/ee", 2, at.Add(time.Minute)), problem("mail/other", 1, at)}},
		"b": {Hash: "abc", Problems: []config.Problem{problem("mail/ee", 40, at)}},
	})
	sum := problem("mail/ee", 42, at)
	sum.Last = at.Add(time.Minute)
	want := []config.Problem{sum, problem("mail/other", 1, at)}
	for i, when := range []string{"both answer", "one does not answer"} {
		_, answers := c.pass(t, 30*i, target(podIn("a", true), podIn("b", true)))
		if diff := cmp.Diff(want, answers.Problems); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
		delete(c.pods.answers, "b")
	}
	c.pods.answers["a"], c.pods.answers["b"] = config.Loaded{Hash: "abc"}, config.Loaded{Hash: "abc"}
	if _, answers := c.pass(t, 60, target(podIn("a", true), podIn("b", true))); len(answers.Problems) != 0 {
		t.Errorf("after it is mended: %+v", answers.Problems)
	}
	c.pods.answers["a"] = config.Loaded{Hash: "abc", Problems: want}
	c.pass(t, 90, target(podIn("a", true), podIn("b", true)))
	if _, answers := c.pass(t, 91, target(podIn("b", true))); len(answers.Problems) != 0 {
		t.Errorf("of a pod that is gone: %+v", answers.Problems)
	}
}

// TestATokenIsReplacedWithoutAGap has pods that have mounted the new token later than the manager knows it.
func TestATokenIsReplacedWithoutAGap(t *testing.T) {
	t.Parallel()
	c := newCluster(map[types.UID]config.Loaded{"a": {Hash: "abc"}})
	for i, step := range []struct {
		reason  string
		mounted string
		known   []string
		finding string
		stale   bool
		patches int
	}{
		{"as always", "old", []string{"old"}, "", false, 0},
		{"it is as it should be until its kubelet has looked", "old", []string{"new", "old"}, "", true, 1},
		{"it has mounted the new one", "new", []string{"new", "old"}, "", false, 1},
		{"which is known", "new", []string{"new", "old"}, "", false, 1},
		{"it takes neither", "another", []string{"third", "new"}, v1alpha1.ReasonReceiverUnreachable, true, 1},
	} {
		c.pods.token = step.mounted
		one := target(podIn("a", true))
		one.Tokens = step.known
		if len(c.patcher.values) > 0 { // the annotation is there
			one.Pods[0].Annotations = annotated(c.patcher.values[0])
		}
		result, answers := c.pass(t, i, one)
		if result.Loaded.Reason != step.finding || answers.ByPod["a"].StaleToken != step.stale || len(c.patcher.values) != step.patches {
			t.Errorf("%s: %+v, %+v, patches %v", step.reason, result.Loaded, answers.ByPod["a"], c.patcher.values)
		}
		if step.finding != "" && !strings.Contains(result.Loaded.Message, "delete the Secret") {
			t.Errorf("%s: %s", step.reason, result.Loaded.Message)
		}
	}
}

// TestAnAnswerIsForgottenWithItsNamespace has the last endpoint and the last sink go.
func TestAnAnswerIsForgottenWithItsNamespace(t *testing.T) {
	t.Parallel()
	c := newCluster(map[types.UID]config.Loaded{"a": {Hash: "abc"}})
	for i, want := range []int{1, 1} {
		if c.pass(t, i, target(podIn("a", true))); c.pods.asked != want {
			t.Errorf("pass %d: asked %d times", i, c.pods.asked)
		}
	}
	c.asker.Forget("mail")
	c.loader.Forget("mail")
	if c.pass(t, 2, target(podIn("a", true))); c.pods.asked != 2 {
		t.Errorf("asked %d times", c.pods.asked)
	}
}
