package program

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/json"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/controllers/receiver/inventory"
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/receiver/admin/access"
	"github.com/mailvane/mailvane/receiver/config"
)

// annotated returns the annotations of a pod after a patch, with the pod's name before it.
func annotated(patch string) map[string]string {
	var object struct {
		Metadata struct {
			Annotations map[string]string `json:"annotations"`
		} `json:"metadata"`
	}
	_, text, _ := strings.Cut(patch, " ")
	_ = json.Unmarshal([]byte(text), &object) // a patch that is none has no annotations
	return object.Metadata.Annotations
}

// TestLoad makes one pass over a receiver.
func TestLoad(t *testing.T) {
	t.Parallel()
	const pending, unreachable = v1alpha1.ReasonConfigurationPending, v1alpha1.ReasonReceiverUnreachable
	loaded, old := config.Loaded{Hash: "abc"}, config.Loaded{Hash: "old"}
	refused := condition.Finding{Reason: v1alpha1.ReasonApplyFailed, Message: "no"}
	for name, tc := range map[string]struct {
		reason  string
		pods    []corev1.Pod
		answers map[types.UID]config.Loaded
		change  func(*Target, *cluster)
		loaded  string   // the reason of the finding
		patched []string // pods
		after   time.Duration
	}{
		"no pod":             {"what makes pods is watched", nil, nil, nil, v1alpha1.ReasonMinimumReplicasUnavailable, nil, 0},
		"all have it":        {"", []corev1.Pod{podIn("a", true), podIn("b", true)}, map[types.UID]config.Loaded{"a": loaded, "b": loaded}, nil, "", nil, journalPoll},
		"one has another":    {"its kubelet is to look", []corev1.Pod{podIn("a", true), podIn("b", true)}, map[types.UID]config.Loaded{"a": loaded, "b": old}, nil, pending, []string{"b"}, firstPoll},
		"one has none":       {"it has just become ready", []corev1.Pod{podIn("a", true)}, map[types.UID]config.Loaded{"a": {}}, nil, pending, []string{"a"}, firstPoll},
		"cannot be asked":    {"a NetworkPolicy of somebody else", []corev1.Pod{podIn("a", true)}, nil, nil, unreachable, []string{"a"}, firstPoll},
		"one starts":         {"it may have mounted what was before", []corev1.Pod{podIn("a", true), podIn("b", false)}, map[types.UID]config.Loaded{"a": loaded}, nil, "", []string{"b"}, journalPoll},
		"all start":          {"", []corev1.Pod{podIn("a", false)}, nil, func(x *Target, _ *cluster) { x.Available = false }, v1alpha1.ReasonMinimumReplicasUnavailable, []string{"a"}, firstPoll},
		"no Secret in cache": {"its event makes another pass", []corev1.Pod{podIn("a", true)}, map[types.UID]config.Loaded{"a": old}, func(_ *Target, c *cluster) { c.objects = nil }, pending, nil, firstPoll},
		"too large": {
			"pods cannot load what is not written",
			[]corev1.Pod{podIn("a", true), podIn("b", false)},
			map[types.UID]config.Loaded{"a": old},
			func(x *Target, _ *cluster) { x.Configuration.TooLarge = "9 MiB" }, v1alpha1.ReasonConfigurationTooLarge, nil, journalPoll,
		},
		"refused": {
			"pods cannot load what is not written",
			[]corev1.Pod{podIn("a", true), podIn("b", false)},
			map[types.UID]config.Loaded{"a": old},
			func(x *Target, _ *cluster) { x.Configuration.Refused = refused }, v1alpha1.ReasonApplyFailed, nil, journalPoll,
		},
		"pod that is gone": {
			"the cache does not know it yet",
			[]corev1.Pod{podIn("a", true)},
			map[types.UID]config.Loaded{"a": old},
			func(_ *Target, c *cluster) {
				c.patcher.err = apierrors.NewNotFound(corev1.Resource("pods"), "a")
			}, pending,
			[]string{"a"},
			firstPoll,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, one := newCluster(tc.answers), target(tc.pods...)
			if tc.change != nil {
				tc.change(&one, c)
			}
			result, _ := c.pass(t, 0, one)
			var patched []string
			for _, patch := range c.patcher.values {
				pod, _, _ := strings.Cut(patch, " ")
				patched = append(patched, pod)
			}
			if diff := cmp.Diff(tc.patched, patched); diff != "" || result.Loaded.Reason != tc.loaded || result.After != tc.after {
				t.Errorf("%s: %+v, looks again after %v, patched (-want +got):\n%s", tc.reason, result.Loaded, result.After, diff)
			}
		})
	}
}

// TestAPodThatCannotBeAnnotated tells the queue, which tries again.
func TestAPodThatCannotBeAnnotated(t *testing.T) {
	t.Parallel()
	c := newCluster(map[types.UID]config.Loaded{"a": {Hash: "old"}})
	c.patcher.err = errors.New("no")
	result, _, err := c.try(t, 0, target(podIn("a", true)))
	if !errors.Is(err, c.patcher.err) || result.Loaded.Reason != v1alpha1.ReasonConfigurationPending {
		t.Errorf("%+v, %v", result, err)
	}
}

// TestWhenTheAnnotationChanges counts patches of a pod that does not load, while its annotation is kept.
func TestWhenTheAnnotationChanges(t *testing.T) {
	t.Parallel()
	c := newCluster(map[types.UID]config.Loaded{"a": {Hash: "old"}})
	pod := podIn("a", true)
	token := inventory.MetadataOf(corev1.SchemeGroupVersion.WithKind("Secret"))
	for _, step := range []struct {
		reason  string
		seconds int
		change  func(*Target)
		patches int
	}{
		{"at once", 0, nil, 1},
		{"it may not have looked yet", 1, nil, 1},
		{"it may have looked too early", 2, nil, 2},
		{"", 3, nil, 2},
		{"after twice the time", 4, nil, 3},
		{"and twice that", 8, nil, 4},
		{"", 15, nil, 4},
		{"an edit", 15, func(x *Target) { x.Configuration.Hash = "def" }, 5},
		{"another token", 15, func(x *Target) {
			x.Configuration.Hash, token.UID = "def", "2"
			c.objects[inventory.SecretID(children.AdminSecretName("r", access.Viewer))] = token
		}, 6},
	} {
		one := target(pod)
		if step.change != nil {
			step.change(&one)
		}
		c.pass(t, step.seconds, one)
		if n := len(c.patcher.values); n != step.patches {
			t.Errorf("%s, after %d s: %d patches, want %d", step.reason, step.seconds, n, step.patches)
		}
		pod.Annotations = annotated(c.patcher.values[len(c.patcher.values)-1])
	}
	for _, patch := range c.patcher.values {
		if strings.Contains(patch, "abc") || strings.Contains(patch, "def") {
			t.Errorf("the hash is there for all to read: %s", patch)
		}
	}
}

// TestJournals has pods of one receiver say different things of their journals.
func TestJournals(t *testing.T) {
	t.Parallel()
	said := func(problem, warning, damage string) config.Loaded {
		return config.Loaded{Hash: "abc", JournalProblem: problem, JournalWarning: warning, JournalDamage: damage}
	}
	for name, tc := range map[string]struct {
		reason   string
		a, b     config.Loaded
		journal  string
		warnings string
	}{
		"nothing":            {"", said("", "", ""), said("", "", ""), "", ""},
		"one is full":        {"a part of the requests is answered 503", said("", "", ""), said("full", "", ""), "The journal of a pod takes no events, so it answers 503: full", ""},
		"both":               {"the first is told", said("full", "", ""), said("broken", "", ""), "The journal of a pod takes no events, so it answers 503: full", ""},
		"a warning of both":  {"they share a journal", said("", "slow", ""), said("", "slow", ""), "", "the journal of a pod: slow."},
		"damage of one":      {"which one matters to who mends it", said("", "", "lost 2 events"), said("", "", ""), "", "Pod a: lost 2 events."},
		"damage and warning": {"", said("", "", "lost 2 events"), said("", "slow", ""), "", "Pod a: lost 2 events. the journal of a pod: slow."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(map[types.UID]config.Loaded{"a": tc.a, "b": tc.b})
			result, _ := c.pass(t, 0, target(podIn("a", true), podIn("b", true)))
			if result.Journal.Message != tc.journal || result.Warnings != tc.warnings || !result.Loaded.OK() {
				t.Errorf("%s: %+v", tc.reason, result)
			}
		})
	}
}

// TestWhyPodsDoNotRun reads what kubelets and the scheduler report.
func TestWhyPodsDoNotRun(t *testing.T) {
	t.Parallel()
	waits := func(reason string) corev1.ContainerStatus {
		return corev1.ContainerStatus{Name: children.ContainerName, State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}}}
	}
	ended := func(message string) corev1.ContainerStatus {
		return corev1.ContainerStatus{Name: children.ContainerName, LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Message: message}}}
	}
	sidecar := waits("ErrImagePull")
	sidecar.Name = "proxy"
	for name, tc := range map[string]struct {
		reason     string
		containers []corev1.ContainerStatus
		conditions []corev1.PodCondition
		finding    string
		handoff    string
	}{
		"nothing yet":       {"the kubelet has not said anything", nil, nil, v1alpha1.ReasonMinimumReplicasUnavailable, ""},
		"no image":          {"", []corev1.ContainerStatus{waits("ErrImagePull")}, nil, v1alpha1.ReasonImagePullFailed, ""},
		"still no image":    {"kubelets alternate", []corev1.ContainerStatus{waits("ImagePullBackOff")}, nil, v1alpha1.ReasonImagePullFailed, ""},
		"of a sidecar":      {"a mesh's own trouble", []corev1.ContainerStatus{sidecar}, nil, v1alpha1.ReasonMinimumReplicasUnavailable, ""},
		"creating":          {"as usual", []corev1.ContainerStatus{waits("ContainerCreating")}, nil, v1alpha1.ReasonMinimumReplicasUnavailable, ""},
		"crash loop":        {"", []corev1.ContainerStatus{waits("CrashLoopBackOff")}, nil, v1alpha1.ReasonReceiverCrashing, ""},
		"between crashes":   {"it runs for a moment", []corev1.ContainerStatus{{Name: children.ContainerName, RestartCount: crashes}}, nil, v1alpha1.ReasonReceiverCrashing, ""},
		"one restart":       {"a node may have been restarted", []corev1.ContainerStatus{{Name: children.ContainerName, RestartCount: 1}}, nil, v1alpha1.ReasonMinimumReplicasUnavailable, ""},
		"no node":           {"", nil, []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable}}, v1alpha1.ReasonUnschedulable, ""},
		"a gate":            {"somebody else holds it", nil, []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonSchedulingGated}}, v1alpha1.ReasonMinimumReplicasUnavailable, ""},
		"a failed hand-off": {"", []corev1.ContainerStatus{ended("HandoffFailed: 3 events\n")}, nil, v1alpha1.ReasonMinimumReplicasUnavailable, "3 events"},
		"another message":   {"", []corev1.ContainerStatus{ended("panic: HandoffFailed: 3")}, nil, v1alpha1.ReasonMinimumReplicasUnavailable, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pod := podIn("a", false)
			before := StateOf(&pod)
			pod.Spec.Containers = []corev1.Container{{Name: children.ContainerName, Image: "mailvane.example.com/mailvane:v1"}}
			pod.Status.ContainerStatuses, pod.Status.Conditions = tc.containers, tc.conditions
			one := target(pod)
			one.Available = false
			result, _ := newCluster(nil).pass(t, 0, one)
			if result.NotRunning.Reason != tc.finding || HandoffFailure(&pod) != tc.handoff {
				t.Errorf("%s: %+v, %q", tc.reason, result.NotRunning, HandoffFailure(&pod))
			}
			matters := tc.finding != v1alpha1.ReasonMinimumReplicasUnavailable || tc.handoff != ""
			if after := StateOf(&pod); (after != before) != matters {
				t.Errorf("%s: a pass is made: %t", tc.reason, after != before)
			}
		})
	}
	ready, going := podIn("a", true), podIn("a", true)
	going.DeletionTimestamp = &metav1.Time{Time: time.Unix(1_000, 0)}
	if !IsReady(&ready) || IsReady(&going) || StateOf(&ready) == StateOf(&going) {
		t.Error("a pod that is about to go takes requests")
	}
}
