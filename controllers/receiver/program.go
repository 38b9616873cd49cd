package receiver

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/controllers/render/children"
)

// Pods that have not loaded the configuration are asked again after firstPoll; later, when something must be wrong with
// them, after a tenth of the time that it has taken so far, but not less often than every lastPoll.
const (
	firstPoll = time.Second
	lastPoll  = 30 * time.Second
)

// answer is what a pod said about the configuration.
type answer struct {
	hash string
	err  error
}

// program brings the configuration to the pods: it asks those that have not reported its hash yet, and nudges the kubelets
// of those that have another.
func (r *Reconciler) program(ctx context.Context, s *scope) error {
	if s.loaded = r.written(s); !s.loaded.OK() {
		return nil
	}
	answers := r.ask(ctx, s)
	loaded := make(map[types.UID]string, len(s.pods))
	for i := range s.pods {
		pod := &s.pods[i]
		loaded[pod.UID] = answers[i].hash
		if answers[i].hash == s.memory.hash {
			continue
		}
		s.loaded = condition.First(s.loaded, waitingFor(answers[i]))
		if err := r.nudge(ctx, s, pod); err != nil {
			return err
		}
	}
	s.memory.loaded = loaded
	r.schedule(s)
	return nil
}

// written says why the configuration is not there for pods to load.
func (r *Reconciler) written(s *scope) condition.Finding {
	switch {
	case s.memory.tooLarge != "":
		return condition.Finding{Reason: v1alpha1.ReasonConfigurationTooLarge, Message: "The receiver keeps its last configuration: " + s.memory.tooLarge + "."}
	case !s.unwritten.OK():
		return s.unwritten
	case len(s.pods) == 0:
		return condition.Finding{Reason: v1alpha1.ReasonMinimumReplicasUnavailable, Message: noPod}
	default:
		return condition.Finding{}
	}
}

// noPod is the message of an endpoint without a receiver.
const noPod = "No pod of the receiver is ready; see Deployment " + children.Name + "."

func waitingFor(a answer) condition.Finding {
	if a.err != nil {
		return condition.Finding{
			Reason:  v1alpha1.ReasonReceiverUnreachable,
			Message: "The manager cannot ask a pod of the receiver what it has loaded; is the admin port open to the manager?",
		}
	}
	return condition.Finding{Reason: v1alpha1.ReasonConfigurationPending, Message: "Not every pod of the receiver has loaded the configuration yet."}
}

// ask returns, for each ready pod, the hash that it has loaded. Who has reported the present one is not asked again.
func (r *Reconciler) ask(ctx context.Context, s *scope) []answer {
	answers := make([]answer, len(s.pods))
	var group errgroup.Group
	group.SetLimit(requestsAtOnce)
	for i := range s.pods {
		if s.memory.loaded[s.pods[i].UID] == s.memory.hash {
			answers[i].hash = s.memory.hash
			continue
		}
		group.Go(func() error {
			answers[i].hash, answers[i].err = r.Pods.LoadedHash(ctx, &s.pods[i])
			return nil
		})
	}
	_ = group.Wait() // the errors are in the answers
	return answers
}

// nudge changes an annotation of a pod, at which its kubelet looks at the mounted Secret. When the cache has not seen the
// Secret yet, the next pass does it.
func (r *Reconciler) nudge(ctx context.Context, s *scope, pod *corev1.Pod) error {
	secret := s.children[secretKind()]
	if secret == nil {
		return nil
	}
	sum := sha256.Sum256([]byte(string(secret.UID) + s.memory.hash))
	token := hex.EncodeToString(sum[:8])
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

// schedule asks for another pass while pods have not loaded the configuration.
func (r *Reconciler) schedule(s *scope) {
	if s.loaded.OK() {
		s.memory.waiting = time.Time{}
		return
	}
	if s.memory.waiting.IsZero() {
		s.memory.waiting = r.Now()
	}
	s.lookAgain(min(max(firstPoll, r.Now().Sub(s.memory.waiting)/10), lastPoll))
}
