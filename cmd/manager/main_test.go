package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/internal/simulate/emailengine"
	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/admin/access"
	"github.com/mailvane/mailvane/receiver/app"
	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/test/controlplane"
)

const (
	// patience bounds every wait, on a machine that does much else.
	patience = time.Minute
	// podIP is an address of the loopback interface that nothing else uses; the admin port of receivers is fixed.
	podIP = "127.83.0.2"
)

var cluster controlplane.ControlPlane

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	os.Exit(cluster.Run(m))
}

func TestSettings(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		arguments []string
		ok        bool
	}{
		"what is needed": {[]string{"--receiver-image=i", "--namespace=n"}, true},
		"no image":       {[]string{"--namespace=n"}, false},
		"no namespace":   {[]string{"--receiver-image=i", "--namespace="}, false},
		"no Lease":       {[]string{"--receiver-image=i", "--namespace=n", "--leader-election-id="}, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s settings
			flags := flag.NewFlagSet("manager", flag.ContinueOnError)
			s.define(flags)
			if err := errors.Join(flags.Parse(tc.arguments), s.validate()); (err == nil) != tc.ok {
				t.Errorf("got %v", err)
			}
		})
	}
}

// world is a cluster with the manager and one receiver, which are real; the test stands for kubelet and kube-controller-manager.
type world struct {
	t         *testing.T
	client    client.Client
	namespace string
	mount     string // where the kubelet mounts the configuration
	tokens    string // and the tokens of the admin API
	mounted   bool   // whether it is
	told      string // the pod's annotation then
	receiver  *app.Instance
}

func (w *world) get(name string, o client.Object) error {
	return w.client.Get(w.t.Context(), client.ObjectKey{Namespace: w.namespace, Name: name}, o)
}

func (w *world) create(o client.Object, name string) {
	w.t.Helper()
	o.SetNamespace(w.namespace)
	o.SetName(name)
	if err := w.client.Create(w.t.Context(), o); err != nil {
		w.t.Fatal(err)
	}
}

func eventually(t *testing.T, check func() error) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("it did not happen within %v: %v", patience, err)
		}
	}
}

// until waits for a condition of the endpoint, and mounts what the manager asks the kubelet to look at.
func (w *world) until(conditionType, want string) {
	w.t.Helper()
	eventually(w.t, func() error {
		if err := w.kubelet(); err != nil {
			return err
		}
		var e v1alpha1.WebhookEndpoint
		if err := w.get("ee", &e); err != nil {
			return err
		}
		c := meta.FindStatusCondition(e.Status.Conditions, conditionType)
		if c == nil || c.ObservedGeneration != e.Generation || string(c.Status)+" "+c.Reason != want {
			return fmt.Errorf("generation %d: %+v", e.Generation, c)
		}
		return nil
	})
}

// kubelet mounts the configuration when the pod begins, and again when its annotation changes: never for any other reason.
func (w *world) kubelet() error {
	var pod corev1.Pod
	if err := client.IgnoreNotFound(w.get("receiver-0", &pod)); err != nil {
		return err
	}
	told := pod.Annotations[children.NudgeAnnotation]
	if w.mounted && told == w.told {
		return nil
	}
	var secret corev1.Secret
	if err := w.get(children.ConfigSecretName(children.Name), &secret); err != nil {
		return err
	}
	if secret.Annotations[children.ConfigHashAnnotation] == "" {
		return errors.New("the Secret holds no configuration yet") // a pod, which is made after it, never sees that
	}
	tokens := map[string][]byte{}
	for _, right := range access.Rights() {
		var secret corev1.Secret
		if err := w.get(children.AdminSecretName(children.Name, right), &secret); err != nil {
			return err
		}
		tokens[right.String()] = secret.Data[children.AdminTokenKey]
	}
	w.mounted, w.told = true, told
	return errors.Join(mountFiles(w.mount, secret.Data), mountFiles(w.tokens, tokens))
}

func mountFiles(folder string, files map[string][]byte) error {
	for name, content := range files {
		unfinished := filepath.Join(folder, ".unfinished")
		if err := os.WriteFile(unfinished, content, 0o600); err != nil {
			return err
		}
		if err := os.Rename(unfinished, filepath.Join(folder, name)); err != nil {
			return err
		}
	}
	return nil
}

// tokenOf returns the token of a right that the cluster has.
func (w *world) tokenOf(right access.Right) (string, error) {
	var secret corev1.Secret
	if err := w.get(children.AdminSecretName(children.Name, right), &secret); err != nil {
		return "", err
	}
	return string(secret.Data[children.AdminTokenKey]), nil
}

// admin returns a client of the receiver's admin API.
func (w *world) admin(token string) *admin.Client {
	return &admin.Client{BaseURL: "http://" + w.receiver.AdminAddress(), Token: token, HTTP: &http.Client{Timeout: patience}}
}

// rotate deletes the token by which the manager asks, and expects another in its place, in the pod as well.
func (w *world) rotate() {
	w.t.Helper()
	before, err := w.tokenOf(access.Viewer)
	if err != nil {
		w.t.Fatal(err)
	}
	secret := &corev1.Secret{}
	secret.Namespace, secret.Name = w.namespace, children.AdminSecretName(children.Name, access.Viewer)
	if err := w.client.Delete(w.t.Context(), secret); err != nil {
		w.t.Fatal(err)
	}
	eventually(w.t, func() error {
		token, err := w.tokenOf(access.Viewer)
		if err != nil || token == before {
			return fmt.Errorf("there is no other token yet: %w", err)
		}
		if err := w.kubelet(); err != nil {
			return err
		}
		_, err = w.admin(token).Sinks(w.t.Context())
		return err
	})
	if _, err := w.admin(before).Sinks(w.t.Context()); err == nil {
		w.t.Error("the token from before is taken")
	}
}

// startManager installs Mailvane and runs the manager as the service account that it has in a cluster.
func startManager(t *testing.T) {
	t.Helper()
	restConfig := cluster.Config(t)
	cluster.Kubectl(t, "apply", "--server-side", "--force-conflicts", "-k", "../../config/default")
	restConfig.Impersonate = rest.ImpersonationConfig{
		UserName: "system:serviceaccount:mailvane-system:mailvane-manager",
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:mailvane-system", "system:authenticated"},
	}
	s := &settings{
		receiverImage: "mailvane.example.com/mailvane:v1", namespace: "mailvane-system",
		metricsAddress: "0", probeAddress: "0", leaderElect: true, leaderElectionID: leaderElectionID,
	}
	goOn(t, func(ctx context.Context) error { return serve(ctx, restConfig, s) })
}

// goOn runs something until the test ends.
func goOn(t *testing.T, run func(context.Context) error) {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- run(t.Context()) }()
	t.Cleanup(func() {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// startPod runs a receiver on the mounted configuration and reports the pod as ready.
func (w *world) startPod() {
	w.t.Helper()
	eventually(w.t, w.kubelet)
	var s app.Settings
	s.Flags(flag.NewFlagSet("receiver", flag.ContinueOnError), app.Settings{Data: w.t.TempDir(), Listen: "127.0.0.1:0", AdminListen: podIP + ":9090"})
	s.AdminTokens, s.HandoffKey = w.tokens, filepath.Join(w.mount, "handoff.key")
	instance, err := s.Open(w.t.Context(), slog.New(slog.DiscardHandler), io.Discard)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := instance.Follow(w.t.Context(), w.mount, func() (*config.Config, error) { return config.Load(w.mount) }); err != nil {
		w.t.Fatal(err)
	}
	w.receiver = instance
	goOn(w.t, instance.Run)

	var deployment appsv1.Deployment
	eventually(w.t, func() error {
		if err := w.get(children.Name, &deployment); err != nil {
			return err
		}
		deployment.Status.Replicas, deployment.Status.ReadyReplicas, deployment.Status.AvailableReplicas = 1, 1, 1
		return w.client.Status().Update(w.t.Context(), &deployment)
	})
	pod := &corev1.Pod{Spec: deployment.Spec.Template.Spec}
	pod.Labels = maps.Clone(deployment.Spec.Template.Labels)
	pod.Labels[appsv1.DefaultDeploymentUniqueLabelKey] = "5f6d8"
	pod.OwnerReferences = []metav1.OwnerReference{{ // as the Deployment's controller gives it
		APIVersion: "apps/v1", Kind: "ReplicaSet", Name: deployment.Name + "-5f6d8", UID: "1", Controller: new(true),
	}}
	w.create(pod, "receiver-0")
	pod.Status = corev1.PodStatus{
		PodIP: podIP, PodIPs: []corev1.PodIP{{IP: podIP}}, Phase: corev1.PodRunning,
		Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
	}
	if err := w.client.Status().Update(w.t.Context(), pod); err != nil {
		w.t.Fatal(err)
	}
}

// post sends what EmailEngine would send, and returns the status of the answer.
func (w *world) post(key string) int {
	w.t.Helper()
	body := fmt.Sprintf(`{"account":"a","date":"2026-01-02T03:04:05.678Z","event":"trackOpen","data":{"messageId":"<%s@example.com>"}}`, rand.Text())
	request, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost,
		"http://"+w.receiver.Address()+"/hooks/"+w.namespace+"/ee", bytes.NewReader([]byte(body)))
	if err != nil {
		w.t.Fatal(err)
	}
	signed := &provider.Request{Header: request.Header, Body: []byte(body), ReceivedAt: time.Now()}
	if err := emailengine.Sign(fmt.Appendf(nil, `{"serviceSecrets":[%q]}`, key), nil, signed); err != nil {
		w.t.Fatal(err)
	}
	c := &http.Client{Timeout: patience}
	response, err := c.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

func (w *world) expect(key string, status int) {
	w.t.Helper()
	if got := w.post(key); got != status {
		w.t.Errorf("answered %d, want %d", got, status)
	}
}

// eventually waits for an answer that no condition speaks of.
func (w *world) eventually(key string, status int) {
	w.t.Helper()
	eventually(w.t, func() error {
		if err := w.kubelet(); err != nil {
			return err
		}
		if got := w.post(key); got != status {
			return fmt.Errorf("answered %d, want %d", got, status)
		}
		return nil
	})
}

func (w *world) edit(change func(*v1alpha1.WebhookEndpoint)) {
	w.t.Helper()
	var e v1alpha1.WebhookEndpoint
	if err := w.get("ee", &e); err != nil {
		w.t.Fatal(err)
	}
	before := e.DeepCopy()
	change(&e)
	if err := w.client.Patch(w.t.Context(), &e, client.MergeFrom(before)); err != nil {
		w.t.Fatal(err)
	}
}

func secretOf(key string) *corev1.Secret {
	return &corev1.Secret{Data: map[string][]byte{"key": []byte(key)}}
}

func reference(name string) v1alpha1.SecretKeyReference {
	return v1alpha1.SecretKeyReference{Name: name, Key: "key"}
}

// retryAll expects the dead letters to live again.
func (w *world) retryAll() {
	w.t.Helper()
	token, err := w.tokenOf(access.Operator)
	if err != nil {
		w.t.Fatal(err)
	}
	c := w.admin(token)
	err = c.DeadLetters(w.t.Context(), func(d *admin.DeadLetter) error {
		result, err := c.Retry(w.t.Context(), []uint64{d.ID})
		if result.Done != 1 {
			w.t.Errorf("%+v: %v", d, result.Failed)
		}
		return err
	})
	if n := w.receiver.Status().DeadLetters; err != nil || n != 0 {
		w.t.Errorf("%d dead letters are left, %v", n, err)
	}
}

// TestLeases starts two managers in one namespace that compete for no Lease.
func TestLeases(t *testing.T) {
	t.Parallel()
	place := cluster.Namespace(t)
	for _, arguments := range [][]string{{}, {"--leader-election-id=other"}} {
		var s settings
		flags := flag.NewFlagSet("manager", flag.ContinueOnError)
		s.define(flags)
		if err := flags.Parse(append(arguments, "--namespace="+place, "--metrics-bind-address=0", "--health-probe-bind-address=0")); err != nil {
			t.Fatal(err)
		}
		mgr, err := newManager(cluster.Config(t), &s)
		if err != nil {
			t.Fatal(err)
		}
		goOn(t, mgr.Start)
		select {
		case <-mgr.Elected():
		case <-time.After(patience):
			t.Fatalf("%v: the Lease is another's", arguments)
		}
	}
	for _, name := range []string{"manager.mailvane.dev", "other"} {
		var lease coordinationv1.Lease
		if err := cluster.Client(t).Get(t.Context(), client.ObjectKey{Namespace: place, Name: name}, &lease); err != nil {
			t.Error(err)
		}
	}
}

// TestFromManifestToAnswer follows an endpoint from its manifest to the answers of its receiver, through edits, a rotation and
// a mistake. When the endpoint says that it is programmed, the next request finds it so.
func TestFromManifestToAnswer(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux gives every process all of 127.0.0.0/8")
	}
	startManager(t)
	w := &world{t: t, client: cluster.Client(t), namespace: cluster.Namespace(t), mount: t.TempDir(), tokens: t.TempDir()}
	w.create(secretOf("the-first-key"), "first")
	w.create(&v1alpha1.EventSink{Spec: v1alpha1.EventSinkSpec{Type: v1alpha1.SinkStdout}}, "console")
	w.create(&v1alpha1.WebhookEndpoint{Spec: v1alpha1.WebhookEndpointSpec{
		Provider: v1alpha1.Provider{Type: v1alpha1.EmailEngine, EmailEngine: &v1alpha1.EmailEngineProvider{
			ServiceSecretRefs: []v1alpha1.SecretKeyReference{reference("first")},
		}},
		Routes: []v1alpha1.Route{{Name: "all", SinkRef: v1alpha1.SinkReference{Name: "console"}}},
	}}, "ee")
	w.startPod()
	w.until(v1alpha1.ConditionReady, "True Reconciled")
	w.expect("the-first-key", http.StatusOK)
	w.expect("another-key", http.StatusUnauthorized)

	w.edit(func(e *v1alpha1.WebhookEndpoint) {
		e.Spec.Provider.EmailEngine.ServiceSecretRefs = []v1alpha1.SecretKeyReference{reference("second"), reference("first")}
	})
	w.until(v1alpha1.ConditionReady, "False SecretNotFound")
	w.eventually("the-first-key", http.StatusServiceUnavailable)

	w.create(secretOf("the-second-key"), "second")
	w.until(v1alpha1.ConditionReady, "True Reconciled")
	w.expect("the-first-key", http.StatusOK)
	w.expect("the-second-key", http.StatusOK)

	w.edit(func(e *v1alpha1.WebhookEndpoint) {
		e.Spec.Routes = append(e.Spec.Routes, v1alpha1.Route{Name: "opened", SinkRef: v1alpha1.SinkReference{Name: "console"}, Filter: "event.typ == 1"})
	})
	w.until(v1alpha1.ConditionRoutesReady, "False InvalidFilter")
	w.until(v1alpha1.ConditionProgrammed, "True Reconciled")
	w.expect("the-first-key", http.StatusOK)
	if n := w.receiver.Status().DeadLetters; n != 1 {
		t.Errorf("%d dead letters of the route that does not work, want 1", n)
	}
	w.edit(func(e *v1alpha1.WebhookEndpoint) { e.Spec.Routes[1].Filter = `event.type == "email.opened"` })
	w.until(v1alpha1.ConditionReady, "True Reconciled")
	w.expect("the-first-key", http.StatusOK)
	if n := w.receiver.Status().DeadLetters; n != 1 {
		t.Errorf("%d dead letters once it is mended, want the former one", n)
	}
	w.retryAll()
	w.rotate()

	w.edit(func(e *v1alpha1.WebhookEndpoint) { e.Spec.State = v1alpha1.EndpointPaused })
	w.until(v1alpha1.ConditionProgrammed, "True Reconciled")
	w.expect("the-first-key", http.StatusServiceUnavailable)

	if err := w.client.Delete(t.Context(), &v1alpha1.WebhookEndpoint{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "ee"}}); err != nil {
		t.Fatal(err)
	}
	w.eventually("the-first-key", http.StatusNotFound)
}
