// Package program brings configurations to the pods of receivers: it has them ask for it, asks what they have loaded, and says how they are.
package program

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/controllers/receiver/inventory"
	"github.com/mailvane/mailvane/controllers/receiver/memory"
	"github.com/mailvane/mailvane/controllers/receiver/requeue"
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/receiver/admin/access"
)

const (
	// Pods that are not as they should be are asked again after firstPoll; later, when something must be wrong with them, after a
	// tenth of the time that it has taken so far, but not less often than every lastPoll.
	firstPoll = 250 * time.Millisecond
	lastPoll  = 30 * time.Second
	// annotateAgain is after how long the annotation of a pod is changed again; then after twice that time, and so on.
	annotateAgain = 2 * time.Second
)

// Patcher patches pods.
type Patcher interface {
	Patch(ctx context.Context, o client.Object, patch client.Patch, options ...client.PatchOption) error
}

// Loader has pods load their configuration.
type Loader struct {
	// Patcher annotates pods.
	Patcher Patcher

	memory memory.Namespaces[memory.Receivers[waiting]]
}

// waiting is since when the pods of a receiver are not as they should be; zero when they are.
type waiting struct{ since time.Time }

// Input is what one pass works on.
type Input struct {
	// Namespace is the namespace.
	Namespace string
	// Targets are its receivers.
	Targets []Target
	// Answers are those of the targets' pods, by receiver.
	Answers map[string]Answers
	// Objects are what receivers consist of.
	Objects inventory.Objects
	// Now is the time.
	Now time.Time
}

// Result is what one pass found of a receiver.
type Result struct {
	// Loaded is whether its pods have loaded the configuration.
	Loaded condition.Finding
	// Journal is set when the journal of a pod takes no events.
	Journal condition.Finding
	// NotRunning says why no pod is available, if none is.
	NotRunning condition.Finding
	// Warnings says what is wrong with journals that work.
	Warnings string
	// After is when to look again; 0 = when something changes.
	After time.Duration
}

// Load has the kubelets of pods without the configuration, or without the newest token, look at what they mount, and says how the pods are.
// The result is by receiver.
func (l *Loader) Load(ctx context.Context, in Input) (map[string]Result, error) {
	known := l.memory.Of(in.Namespace).Retain(names(in.Targets))
	results := make(map[string]Result, len(in.Targets))
	var errs []error
	for i := range in.Targets {
		t := &in.Targets[i]
		answers := in.Answers[t.Name].ByPod
		result := t.journals(answers)
		var behind []*corev1.Pod
		result.Loaded, behind = t.loaded(answers)
		result.NotRunning = condition.First(podFinding(t), t.noPod())
		errs = append(errs, l.annotate(ctx, t, in.annotation(t, known[t.Name]), append(behind, t.starting()...)))
		known[t.Name].schedule(t, &result, len(behind) > 0, in.Now)
		results[t.Name] = result
	}
	return results, errors.Join(errs...)
}

// Forget drops what is known of a namespace.
func (l *Loader) Forget(namespace string) { l.memory.Forget(namespace) }

// loaded returns whether the ready pods have loaded the configuration, and those that have not, or that do not take the newest token.
func (t *Target) loaded(answers map[types.UID]Answer) (finding condition.Finding, behind []*corev1.Pod) {
	if finding = t.nothingToLoad(); !finding.OK() {
		return finding, nil
	}
	for _, pod := range t.ready() {
		a := answers[pod.UID]
		loaded := t.Configuration.IsLoaded(a.Loaded)
		if loaded && !a.StaleToken {
			continue
		}
		behind = append(behind, pod)
		if !loaded {
			finding = condition.First(finding, t.waitingFor(a))
		}
	}
	return finding, behind
}

// nothingToLoad returns why the configuration does not exist for pods to load, or no pod to load it.
func (t *Target) nothingToLoad() condition.Finding {
	switch {
	case t.Configuration.TooLarge != "":
		return condition.Finding{Reason: v1alpha1.ReasonConfigurationTooLarge, Message: "The receiver keeps its last configuration: " + t.Configuration.TooLarge + "."}
	case !t.Configuration.Refused.OK():
		return t.Configuration.Refused
	case len(t.ready()) == 0:
		return t.noPod()
	default:
		return condition.Finding{}
	}
}

// noPod is the finding of a receiver without a pod that takes requests.
func (t *Target) noPod() condition.Finding {
	return condition.Finding{
		Reason:  v1alpha1.ReasonMinimumReplicasUnavailable,
		Message: fmt.Sprintf("No pod of the receiver is ready; see %s %s.", t.WorkloadKind(), t.Name),
	}
}

func (t *Target) waitingFor(a Answer) condition.Finding {
	switch {
	case errors.Is(a.Err, ErrToken):
		return condition.Finding{
			Reason: v1alpha1.ReasonReceiverUnreachable,
			Message: fmt.Sprintf("A pod of the receiver does not take the manager's token, that of Secret %s. If this lasts, delete the Secret: the manager makes another.",
				children.AdminSecretName(t.Name, access.Viewer)),
		}
	case a.Err != nil:
		return condition.Finding{
			Reason:  v1alpha1.ReasonReceiverUnreachable,
			Message: "The manager cannot ask a pod of the receiver what it has loaded; is the admin port open to the manager?",
		}
	default:
		return condition.Finding{Reason: v1alpha1.ReasonConfigurationPending, Message: "Not every pod of the receiver has loaded the configuration yet."}
	}
}

// starting returns the pods that are not ready yet: what they have mounted may have been replaced since, and a pod that became ready with it
// would answer 503 for the newest endpoints, and 404 when it is older than its --unknown-path-grace.
func (t *Target) starting() []*corev1.Pod {
	if t.Configuration.TooLarge != "" || !t.Configuration.Refused.OK() {
		return nil
	}
	var starting []*corev1.Pod
	for i := range t.Pods {
		if !IsReady(&t.Pods[i]) {
			starting = append(starting, &t.Pods[i])
		}
	}
	return starting
}

// annotation returns what pods are annotated with so that their kubelets look at what they mount; empty while the cache has not seen the Secret,
// which another pass follows. A kubelet that learns of the annotation before it learns of the Secret mounts the old one again, and would leave
// it at that for a minute: so the annotation changes again, ever more seldom, until the pod has loaded the new one.
func (in *Input) annotation(t *Target, w *waiting) string {
	secret := in.Objects.ConfigSecret(t.Name)
	if secret == nil {
		return ""
	}
	mounted := string(secret.UID) + t.Configuration.Hash + in.Objects.SecretVersion(children.AdminSecretName(t.Name, access.Viewer))
	return annotationValue(mounted, w.at(in.Now))
}

// annotationValue is another one for anything else that is mounted, and whenever the time that a pod has waited has doubled.
func annotationValue(mounted string, waited time.Duration) string {
	sum := sha256.Sum256([]byte(mounted))
	return fmt.Sprintf("%x-%d", sum[:8], bits.Len64(uint64(waited/annotateAgain)))
}

// annotate gives pods an annotation, at whose change their kubelets look at what is mounted.
func (l *Loader) annotate(ctx context.Context, t *Target, value string, pods []*corev1.Pod) error {
	if value == "" {
		return nil
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{children.NudgeAnnotation: value}}})
	if err != nil {
		return fmt.Errorf("encode patch: %w", err)
	}
	for _, pod := range pods {
		if pod.Annotations[children.NudgeAnnotation] == value {
			continue
		}
		target := &corev1.Pod{ObjectMeta: pod.ObjectMeta}
		if err := l.Patcher.Patch(ctx, target, client.RawPatch(types.MergePatchType, patch)); err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("annotate pod %s of receiver %s: %w", pod.Name, t.Name, err)
		}
	}
	return nil
}

// at returns for how long pods have not been as they should be.
func (w *waiting) at(now time.Time) time.Duration {
	if w.since.IsZero() {
		return 0
	}
	return max(0, now.Sub(w.since))
}

// schedule asks for another pass while pods have not loaded the configuration, or have a reason to be asked again.
func (w *waiting) schedule(t *Target, result *Result, behind bool, now time.Time) {
	if len(t.Pods) > 0 {
		result.After = requeue.Sooner(result.After, journalPoll)
	}
	canLoad := len(t.ready()) > 0 && t.Configuration.TooLarge == "" && t.Configuration.Refused.OK()
	pending := canLoad && (!result.Loaded.OK() || behind)
	starting := !t.Available && len(t.Pods) > 0
	if !pending && !starting && result.Journal.OK() {
		w.since = time.Time{}
		return
	}
	if w.since.IsZero() {
		w.since = now
	}
	result.After = requeue.Sooner(result.After, min(max(firstPoll, w.at(now)/10), lastPoll))
}
