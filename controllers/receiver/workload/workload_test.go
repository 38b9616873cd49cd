package workload_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/apply/applytest"
	"github.com/mailvane/mailvane/controllers/limits"
	"github.com/mailvane/mailvane/controllers/receiver/configuration"
	"github.com/mailvane/mailvane/controllers/receiver/inventory"
	"github.com/mailvane/mailvane/controllers/receiver/plan"
	"github.com/mailvane/mailvane/controllers/receiver/requeue"
	"github.com/mailvane/mailvane/controllers/receiver/workload"
	"github.com/mailvane/mailvane/controllers/render/children"
)

func claims() v1alpha1.Journal {
	return v1alpha1.Journal{Type: v1alpha1.JournalEmbedded, Embedded: &v1alpha1.EmbeddedJournal{Persistence: v1alpha1.PersistenceClaim}}
}

func autoscaled() v1alpha1.Autoscaling { return v1alpha1.Autoscaling{MinReplicas: 2, MaxReplicas: 4} }

// receiver returns that of endpoint mail/r.
func receiver(spec v1alpha1.Receiver) *plan.Receiver {
	e := &v1alpha1.WebhookEndpoint{}
	e.Namespace, e.Name, e.Spec.Receiver = "mail", "r", &spec
	return &plan.Receiver{Receiver: children.Receiver{Namespace: "mail", Name: "r", Owner: e, Spec: spec}}
}

func phase(applier *applytest.Applier, live client.Reader) *workload.Phase {
	return &workload.Phase{
		Applier: applier, Live: live, Limits: limits.Default(),
		Options: children.Options{Image: "mailvane.example.com/mailvane:v1", ManagerNamespace: "mailvane-system"},
	}
}

// cluster adds objects of receiver r, by kind and name, and which of its workloads has an available pod.
func cluster(in workload.Input, available string, objects ...string) workload.Input {
	in.Objects, in.Workloads = inventory.Objects{}, inventory.Workloads{}
	groups := map[string]string{"Deployment": "apps", "StatefulSet": "apps", "HorizontalPodAutoscaler": "autoscaling", "NetworkPolicy": "networking.k8s.io", "PodDisruptionBudget": "policy"}
	for _, object := range objects {
		kind, name, _ := strings.Cut(object, "/")
		o := inventory.MetadataOf(schema.GroupVersionKind{Group: groups[kind], Version: "v1", Kind: kind})
		o.Name, o.Namespace, o.Labels = name, "mail", children.Labels("r")
		id := inventory.ID{Kind: schema.GroupKind{Group: groups[kind], Kind: kind}, Name: name}
		in.Objects[id] = o
		if groups[kind] == "apps" {
			in.Workloads[id] = inventory.Workload{Available: kind == available, Replicas: 7}
		}
	}
	return in
}

func input(receivers ...*plan.Receiver) workload.Input {
	return workload.Input{Receivers: receivers, Configurations: map[string]configuration.Written{"r": {Hash: "abc"}}}
}

// TestApply makes one pass.
func TestApply(t *testing.T) {
	t.Parallel()
	failing := errors.New("no")
	deployment := []string{"apply ServiceAccount/r", "apply Service/r", "apply Service/r-peers", "apply NetworkPolicy/r", "apply Deployment/r", "apply PodDisruptionBudget/r"}
	stateful := slices.Clone(deployment)
	stateful[4] = "apply StatefulSet/r"
	scaled := append(slices.Clone(deployment), "apply HorizontalPodAutoscaler/r")
	retiring := receiver(v1alpha1.Receiver{})
	retiring.Retiring = true
	unconfigured := input(receiver(v1alpha1.Receiver{}))
	unconfigured.Configurations = nil
	for name, tc := range map[string]struct {
		reason   string
		in       workload.Input
		applier  applytest.Applier
		requests []string
		refused  string
		words    string
		after    time.Duration
		fails    bool
	}{
		"first pass":           {reason: "in the order in which they are needed", in: input(receiver(v1alpha1.Receiver{})), requests: deployment},
		"claims":               {reason: "", in: input(receiver(v1alpha1.Receiver{Journal: claims()})), requests: stateful},
		"no configuration yet": {reason: "its pods would wait for the Secret", in: unconfigured},
		"retiring":             {reason: "it serves on as it is", in: input(retiring)},
		"autoscaled":           {reason: "there is no Deployment whose pods could be lost", in: input(receiver(v1alpha1.Receiver{Autoscaling: autoscaled()})), requests: scaled},
		"to be autoscaled":     {reason: "the Deployment keeps its pods until the autoscaler is there", in: cluster(input(receiver(v1alpha1.Receiver{Autoscaling: autoscaled()})), "Deployment", "Deployment/r"), requests: append([]string{"leave Deployment/r"}, scaled...)},
		"autoscaled for long":  {reason: "the number is the autoscaler's", in: cluster(input(receiver(v1alpha1.Receiver{Autoscaling: autoscaled()})), "Deployment", "Deployment/r", "HorizontalPodAutoscaler/r"), requests: scaled},
		"replicas cannot be left": {
			reason: "the API server would make it 1", in: cluster(input(receiver(v1alpha1.Receiver{Autoscaling: autoscaled()})), "Deployment", "Deployment/r"),
			applier: applytest.Applier{Refuse: map[string]error{"Deployment": failing}}, requests: []string{"leave Deployment/r"}, refused: v1alpha1.ReasonApplyFailed, fails: true,
		},
		"autoscaled with claims": {
			reason: "the defaults have brought the claims", in: input(receiver(v1alpha1.Receiver{Autoscaling: autoscaled(), Journal: claims()})),
			refused: v1alpha1.ReasonInvalidSettings, words: "spec.receiver.autoscaling",
		},
		"beyond the limits": {reason: "what runs goes on", in: input(receiver(v1alpha1.Receiver{Replicas: 21})), refused: v1alpha1.ReasonNotAllowed, words: "stays as it was"},
		"one is refused": {
			reason: "a quota: the others are written", in: input(receiver(v1alpha1.Receiver{})), applier: applytest.Applier{Refuse: map[string]error{"Deployment": failing}},
			requests: deployment, refused: v1alpha1.ReasonApplyFailed, words: "the manager tries again by itself", fails: true,
		},
		"one is somebody else's": {
			reason: "no watch tells when it goes", in: input(receiver(v1alpha1.Receiver{})), applier: applytest.Applier{Foreign: map[string]bool{"Service/r": true}},
			requests: deployment, refused: v1alpha1.ReasonNameTaken, words: "delete or rename it", after: requeue.Foreign,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			results, err := phase(&tc.applier, fake.NewClientBuilder().Build()).Apply(t.Context(), tc.in)
			if diff := cmp.Diff(tc.requests, tc.applier.Requests); diff != "" {
				t.Errorf("%s: requests (-want +got):\n%s", tc.reason, diff)
			}
			r := results["r"]
			if r.Refused.Reason != tc.refused || !strings.Contains(r.Refused.Message, tc.words) || r.After != tc.after || (err != nil) != tc.fails {
				t.Errorf("%s: %+v, %v", tc.reason, r, err)
			}
		})
	}
}

// TestOneReceiverDoesNotKeepAnother has two of a namespace, of which one is refused.
func TestOneReceiverDoesNotKeepAnother(t *testing.T) {
	t.Parallel()
	other := receiver(v1alpha1.Receiver{})
	other.Name = "s"
	in := input(receiver(v1alpha1.Receiver{}), other)
	in.Configurations["s"] = configuration.Written{Hash: "def"}
	applier := &applytest.Applier{Refuse: map[string]error{"Deployment/r": errors.New("no")}}
	results, err := phase(applier, fake.NewClientBuilder().Build()).Apply(t.Context(), in)
	if err == nil || results["r"].Refused.OK() || !results["s"].Refused.OK() || applier.Objects["Deployment/s"] == nil {
		t.Errorf("%+v, %v", results, err)
	}
}

// TestReplicasThatAreLeft are those that the cache has: the autoscaler begins with them.
func TestReplicasThatAreLeft(t *testing.T) {
	t.Parallel()
	applier := &applytest.Applier{}
	in := cluster(input(receiver(v1alpha1.Receiver{Autoscaling: autoscaled()})), "Deployment", "Deployment/r")
	if _, err := phase(applier, fake.NewClientBuilder().Build()).Apply(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	left, _, err := unstructured.NestedFloat64(applier.Left["Deployment/r"].Object, "spec", "replicas")
	_, says, _ := unstructured.NestedFieldNoCopy(applier.Objects["Deployment/r"].Object, "spec", "replicas")
	if left != 7 || says || err != nil {
		t.Errorf("it leaves %v, and sets a number itself: %t; %v", left, says, err)
	}
}

// TestMissingSecrets looks, while no pod is available, for what the pods mount.
func TestMissingSecrets(t *testing.T) {
	t.Parallel()
	jetStream := v1alpha1.Receiver{Journal: v1alpha1.Journal{Type: v1alpha1.JournalJetStream, JetStream: &v1alpha1.JetStreamJournal{
		CredentialsRef: &v1alpha1.SecretKeyReference{Name: "nats", Key: "creds"},
	}}}
	secret := func(key, value string) *corev1.Secret {
		return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "mail", Name: "nats"}, Data: map[string][]byte{key: []byte(value)}}
	}
	failing := errors.New("no")
	for name, tc := range map[string]struct {
		reason    string
		available bool
		secret    *corev1.Secret
		err       error
		finding   string
	}{
		"there":           {"", false, secret("creds", "any"), nil, ""},
		"not there":       {"no kubelet reports it as a condition", false, nil, nil, v1alpha1.ReasonSecretNotFound},
		"another key":     {"", false, secret("credentials", "any"), nil, v1alpha1.ReasonCredentialMissing},
		"empty":           {"", false, secret("creds", ""), nil, v1alpha1.ReasonCredentialMissing},
		"a pod runs":      {"it has mounted it, and need not be asked for", true, nil, failing, ""},
		"cannot be asked": {"nothing is known", false, nil, failing, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := fake.NewClientBuilder()
			if tc.err != nil {
				b = b.WithInterceptorFuncs(interceptor.Funcs{
					Get: func(context.Context, client.WithWatch, client.ObjectKey, client.Object, ...client.GetOption) error {
						return tc.err
					},
				})
			}
			if tc.secret != nil {
				b = b.WithObjects(tc.secret)
			}
			in := input(receiver(jetStream))
			if tc.available {
				in = cluster(in, "Deployment", "Deployment/r")
			}
			results, err := phase(&applytest.Applier{}, b.Build()).Apply(t.Context(), in)
			if got := results["r"].Missing; got.Reason != tc.finding || (err != nil) != (tc.err != nil && !tc.available) {
				t.Errorf("%s: %+v, %v", tc.reason, got, err)
			}
		})
	}
}
