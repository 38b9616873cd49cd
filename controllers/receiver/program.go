package receiver

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
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/receiver/admin/access"
	"github.com/mailvane/mailvane/receiver/config"
)

const (
	// Pods that are not as they should be are asked again after firstPoll; later, when something must be wrong with them, after a
	// tenth of the time that it has taken so far, but not less often than every lastPoll.
	firstPoll = 250 * time.Millisecond
	lastPoll  = 30 * time.Second
	// nudgeAgain is after how long a kubelet is nudged again; then after twice that time, and so on.
	nudgeAgain = 2 * time.Second
	// journalPoll is how often pods say how their journal is: a disk can fill up, and a NATS cluster fail, at any time.
	journalPoll = 30 * time.Second
)

// answer is what a pod said.
type answer struct {
	config.Loaded
	err    error
	behind bool // it does not take the newest token
}

// remembered returns what is kept of the answer of a pod that has said something before.
func (a *answer) remembered(before config.Loaded) config.Loaded {
	kept := a.Loaded
	if a.err != nil { // what it told before may still be so
		kept.Problems = before.Problems
	}
	if a.behind { // it is asked again
		kept.Hash = ""
	}
	return kept
}

// program brings the configuration to the pods: it asks those that have not reported its hash yet, and nudges the kubelets
// of those that have another.
func (r *Reconciler) program(ctx context.Context, s *scope, u *unit) error {
	ready := u.ready()
	answers := u.answers
	for i := range u.pods {
		if damage := answers[u.pods[i].UID].JournalDamage; damage != "" {
			u.damage = "Pod " + u.pods[i].Name + ": " + damage + "."
		}
		if problem := answers[u.pods[i].UID].JournalProblem; problem != "" {
			u.journal = condition.First(u.journal, condition.Finding{
				Reason: v1alpha1.ReasonJournalUnavailable, Message: "The journal of a pod takes no events, so it answers 503: " + problem,
			})
		}
	}
	u.loaded = r.written(u, len(ready))
	said := make(map[types.UID]config.Loaded, len(u.pods))
	var failed error
	for _, pod := range ready {
		a := answers[pod.UID]
		said[pod.UID] = a.remembered(u.memory.said[pod.UID])
		if (u.memory.isLoaded(a.Loaded) && !a.behind) || !r.written(u, len(ready)).OK() {
			continue
		}
		u.behind = true
		if !u.memory.isLoaded(a.Loaded) {
			u.loaded = condition.First(u.loaded, u.waitingFor(a))
		}
		if failed = r.nudge(ctx, s, u, pod); failed != nil {
			break
		}
	}
	u.memory.said, u.troubles = said, mergeTroubles(said)
	r.schedule(s, u, len(ready) > 0)
	return errors.Join(failed, r.nudgeStarting(ctx, s, u))
}

// nudgeStarting nudges the kubelets of pods that are not ready yet: what they have mounted may have been replaced since, and a pod
// that became ready with it would answer 503 for the newest endpoints, and 404 when it is older than its --unknown-path-grace.
func (r *Reconciler) nudgeStarting(ctx context.Context, s *scope, u *unit) error {
	if u.memory.tooLarge != "" || !u.unwritten.OK() {
		return nil
	}
	for i := range u.pods {
		if isReady(&u.pods[i]) {
			continue
		}
		if err := r.nudge(ctx, s, u, &u.pods[i]); err != nil {
			return err
		}
	}
	return nil
}

// written says why the configuration is not there for pods to load.
func (r *Reconciler) written(u *unit, ready int) condition.Finding {
	switch {
	case u.memory.tooLarge != "":
		return condition.Finding{Reason: v1alpha1.ReasonConfigurationTooLarge, Message: "The receiver keeps its last configuration: " + u.memory.tooLarge + "."}
	case !u.unwritten.OK():
		return u.unwritten
	case ready == 0:
		return u.noPod()
	default:
		return condition.Finding{}
	}
}

func (u *unit) waitingFor(a answer) condition.Finding {
	switch {
	case errors.Is(a.err, ErrToken):
		return condition.Finding{
			Reason: v1alpha1.ReasonReceiverUnreachable,
			Message: fmt.Sprintf("A pod of the receiver does not take the manager's token, that of Secret %s. If this lasts, delete the Secret: the manager makes another.",
				children.AdminSecretName(u.Name, access.Viewer)),
		}
	case a.err != nil:
		return condition.Finding{
			Reason:  v1alpha1.ReasonReceiverUnreachable,
			Message: "The manager cannot ask a pod of the receiver what it has loaded; is the admin port open to the manager?",
		}
	default:
		return condition.Finding{Reason: v1alpha1.ReasonConfigurationPending, Message: "Not every pod of the receiver has loaded the configuration yet."}
	}
}

// isTimeToAsk says whether all pods are to say how their journal is. It then begins to wait anew.
func (r *Reconciler) isTimeToAsk(u *unit) bool {
	now := r.Now()
	if now.Sub(u.memory.asked) < journalPoll {
		return false
	}
	u.memory.asked = now
	return true
}

// nudge changes an annotation of a pod, at which its kubelet looks at the mounted Secret. When the cache has not seen the
// Secret yet, the next pass does it. A kubelet that learns of the annotation before it learns of the Secret mounts the old one
// again, and would leave it at that for a minute: so it is nudged again, ever more seldom, until the pod has loaded the new one.
func (r *Reconciler) nudge(ctx context.Context, s *scope, u *unit, pod *corev1.Pod) error {
	secret := s.configSecret(u.Name)
	if secret == nil {
		return nil
	}
	mounted := string(secret.UID) + u.memory.hash + s.versionOf(children.AdminSecretName(u.Name, access.Viewer))
	token := nudgeToken(mounted, r.waited(u))
	if pod.Annotations[children.NudgeAnnotation] == token {
		return nil
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{children.NudgeAnnotation: token}}})
	if err != nil {
		return fmt.Errorf("encode patch: %w", err)
	}
	target := &corev1.Pod{ObjectMeta: pod.ObjectMeta}
	if err := r.Client.Patch(ctx, target, client.RawPatch(types.MergePatchType, patch)); err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("annotate pod %s: %w", pod.Name, err)
	}
	return nil
}

// nudgeToken returns what a pod is annotated with when it has waited for so long. It is another one whenever that time has doubled.
func nudgeToken(configuration string, waited time.Duration) string {
	sum := sha256.Sum256([]byte(configuration))
	return fmt.Sprintf("%x-%d", sum[:8], bits.Len64(uint64(waited/nudgeAgain)))
}

// waited returns for how long pods have not been as they should be.
func (r *Reconciler) waited(u *unit) time.Duration {
	if u.memory.waiting.IsZero() {
		return 0
	}
	return max(0, r.Now().Sub(u.memory.waiting))
}

// schedule asks for another pass while pods have not loaded the configuration, or have a reason to be asked again.
func (r *Reconciler) schedule(s *scope, u *unit, serves bool) {
	if len(u.pods) > 0 {
		s.lookAgain(journalPoll)
	}
	pending := (!u.loaded.OK() || u.behind) && serves && u.memory.tooLarge == "" && u.unwritten.OK()
	starting := !u.available && len(u.pods) > 0
	if !pending && !starting && u.journal.OK() {
		u.memory.waiting = time.Time{}
		return
	}
	if u.memory.waiting.IsZero() {
		u.memory.waiting = r.Now()
	}
	s.lookAgain(min(max(firstPoll, r.waited(u)/10), lastPoll))
}
