package controllers_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers"
	"github.com/mailvane/mailvane/controllers/limits"
	"github.com/mailvane/mailvane/controllers/receiver"
	"github.com/mailvane/mailvane/controllers/registration/builtin"
	"github.com/mailvane/mailvane/controllers/render"
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/event/filter"
	"github.com/mailvane/mailvane/test/controlplane"
)

// patience bounds every wait for the controllers, on a machine that does much else.
const patience = time.Minute

var (
	cluster controlplane.ControlPlane
	running suite
)

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	os.Exit(cluster.Run(m))
}

// suite is one manager for all tests; each test has a namespace of its own.
type suite struct {
	manager ctrl.Manager
	writes  writes
	pods    fakePods
	// providers are what endpoints are registered at.
	providers providersAPIs
}

// options are those of every test's receivers.
func options(t testing.TB) controllers.Options {
	t.Helper()
	filters, err := filter.NewCompiler()
	if err != nil {
		t.Fatal(err)
	}
	return controllers.Options{
		Receiver: children.Options{Image: "mailvane.example.com/mailvane:v1", ManagerNamespace: "mailvane-system", ConfigBytes: 64 << 10},
		Checks: render.Checks{Filter: func(expression string) error {
			_, err := filters.Compile(expression)
			return err
		}},
		Pods:   &running.pods,
		Limits: limits.Limits{IngressAnnotations: []string{"example.com/*"}, MaxReplicas: 20},
		Claims: client.ObjectKey{Namespace: "mailvane-system", Name: "manager.mailvane.dev-hosts"},

		Registration: controllers.Registration{Vendors: builtin.Vendors(), Transport: &running.providers, Interval: time.Second},
	}
}

// start installs Mailvane and starts the manager, with the permissions that it has in a cluster. It ends with the test.
func (s *suite) start(t testing.TB) {
	t.Helper()
	restConfig := cluster.Config(t)
	cluster.Kubectl(t, "apply", "--server-side", "--force-conflicts", "-k", "../config/default")
	restConfig.Impersonate = rest.ImpersonationConfig{
		UserName: "system:serviceaccount:mailvane-system:mailvane-manager",
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:mailvane-system", "system:authenticated"},
	}
	scheme, err := controllers.Scheme()
	if err != nil {
		t.Fatal(err)
	}
	s.manager, err = ctrl.NewManager(restConfig, ctrl.Options{
		Scheme: scheme, Cache: controllers.CacheOptions(nil), Metrics: metricsserver.Options{BindAddress: "0"},
		NewClient: func(c *rest.Config, options client.Options) (client.Client, error) {
			inner, err := client.NewWithWatch(c, options)
			if err != nil {
				return nil, err
			}
			return interceptor.NewClient(inner, s.writes.funcs()), nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.pods.client = cluster.Client(t)
	if err := controllers.Setup(t.Context(), s.manager, options(t)); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.manager.Start(t.Context()) }()
	t.Cleanup(func() {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// writes counts the requests that would change something, by namespace and by what they are.
type writes struct {
	mu    sync.Mutex
	count map[string]map[string]int
	times map[string]time.Time // of the last of each
}

// last returns when something was written last.
func (w *writes) last(namespace, what string) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.times[namespace+" "+what]
}

func (w *writes) add(namespace, what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.count == nil {
		w.count = map[string]map[string]int{}
	}
	if w.count[namespace] == nil {
		w.count[namespace] = map[string]int{}
	}
	w.count[namespace][what]++
	if w.times == nil {
		w.times = map[string]time.Time{}
	}
	w.times[namespace+" "+what] = time.Now()
}

// take returns what was counted in a namespace, and begins anew.
func (w *writes) take(namespace string) map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	taken := w.count[namespace]
	delete(w.count, namespace)
	return taken
}

func (w *writes) funcs() interceptor.Funcs {
	return interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			w.add(o.GetNamespace(), "create "+o.GetName())
			return c.Create(ctx, o, opts...)
		},
		Update: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
			w.add(o.GetNamespace(), "update "+o.GetName())
			return c.Update(ctx, o, opts...)
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			w.add(o.GetNamespace(), "patch "+o.GetName())
			return c.Patch(ctx, o, p, opts...)
		},
		Delete: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			w.add(o.GetNamespace(), "delete "+o.GetName())
			return c.Delete(ctx, o, opts...)
		},
		Apply: func(ctx context.Context, c client.WithWatch, o runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
			if object, ok := o.(interface {
				GetNamespace() string
				GetKind() string
			}); ok {
				w.add(object.GetNamespace(), "apply "+object.GetKind())
			}
			return c.Apply(ctx, o, opts...)
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
			w.add(o.GetNamespace(), sub+" "+o.GetName())
			return c.SubResource(sub).Patch(ctx, o, p, opts...)
		},
	}
}

// byHand returns a reconciler beside that of the manager, whose cache it reads. It has just started.
func byHand(t testing.TB, funcs interceptor.Funcs) *receiver.Reconciler {
	t.Helper()
	inner, ok := running.manager.GetClient().(client.WithWatch)
	if !ok {
		t.Fatal("the manager's client cannot be wrapped")
	}
	o := options(t)
	return receiver.New(receiver.Options{
		Client: interceptor.NewClient(inner, funcs), Live: running.manager.GetAPIReader(), Pods: o.Pods,
		Recorder: events.NewFakeRecorder(100), Checks: o.Checks, Receiver: o.Receiver, Limits: o.Limits, Claims: o.Claims, Now: time.Now,
	})
}

// dry are the functions of a client that writes nothing, and shows what it would apply. write applies it after all.
func dry(show func(o *unstructured.Unstructured, owner string, write func() error) error) interceptor.Funcs {
	return interceptor.Funcs{
		Apply: func(ctx context.Context, c client.WithWatch, o runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
			text, err := json.Marshal(o)
			if err != nil {
				return err
			}
			u := &unstructured.Unstructured{}
			if err := json.Unmarshal(text, &u.Object); err != nil {
				return err
			}
			var asked client.ApplyOptions
			asked.ApplyOptions(opts)
			return show(u, asked.FieldManager, func() error { return c.Apply(ctx, o, opts...) })
		},
		SubResourcePatch: func(context.Context, client.Client, string, client.Object, client.Patch, ...client.SubResourcePatchOption) error {
			return nil
		},
		Patch: func(context.Context, client.WithWatch, client.Object, client.Patch, ...client.PatchOption) error {
			return nil
		},
		Delete: func(context.Context, client.WithWatch, client.Object, ...client.DeleteOption) error { return nil },
	}
}

// eventually waits until check returns nil.
func eventually(t testing.TB, check func() error) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
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

// place is one test's namespace.
type place struct {
	t         testing.TB
	namespace string
	client    client.Client
}

func newPlace(t testing.TB) *place {
	t.Helper()
	return &place{t: t, namespace: cluster.Namespace(t), client: cluster.Client(t)}
}

func (p *place) create(objects ...client.Object) {
	p.t.Helper()
	for _, o := range objects {
		o.SetNamespace(p.namespace)
		if err := p.client.Create(p.t.Context(), o); err != nil {
			p.t.Fatal(err)
		}
	}
}

func (p *place) get(name string, o client.Object) error {
	return p.client.Get(p.t.Context(), client.ObjectKey{Namespace: p.namespace, Name: name}, o)
}

// edit changes an object as a user does.
func (p *place) edit(o client.Object, change func()) {
	p.t.Helper()
	if err := p.get(o.GetName(), o); err != nil {
		p.t.Fatal(err)
	}
	before, ok := o.DeepCopyObject().(client.Object)
	if !ok {
		p.t.Fatal("not an object")
	}
	change()
	if err := p.client.Patch(p.t.Context(), o, client.MergeFrom(before)); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) remove(o client.Object) {
	p.t.Helper()
	o.SetNamespace(p.namespace)
	if err := p.client.Delete(p.t.Context(), o); err != nil {
		p.t.Fatal(err)
	}
}

// config returns the configuration of the shared receiver as it would load it.
func (p *place) config() (*config.Config, error) { return p.configOf(children.Name) }

func (p *place) configOf(receiver string) (*config.Config, error) {
	var secret corev1.Secret
	if err := p.get(children.ConfigSecretName(receiver), &secret); err != nil {
		return nil, err
	}
	folder := p.t.TempDir()
	for i := 0; ; i++ {
		for name, content := range secret.Data {
			if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
				return nil, err
			}
		}
		secret = corev1.Secret{}
		if err := p.get(children.PartSecretName(receiver, i), &secret); apierrors.IsNotFound(err) {
			return config.Load(folder)
		} else if err != nil {
			return nil, err
		}
	}
}

// serve does what a cluster's other parts do: the shared receiver gets a pod, which is ready and loads what is mounted.
func (p *place) serve() {
	p.t.Helper()
	p.available(&appsv1.Deployment{}, children.Name)
	p.pod("receiver-0", children.Name)
	running.pods.follow(p.namespace, true)
}

// available says that one pod of a Deployment or StatefulSet is.
func (p *place) available(o client.Object, name string) {
	p.t.Helper()
	eventually(p.t, func() error {
		if err := p.get(name, o); err != nil {
			return err
		}
		switch w := o.(type) {
		case *appsv1.Deployment:
			w.Status.Replicas, w.Status.ReadyReplicas, w.Status.AvailableReplicas = 1, 1, 1
		case *appsv1.StatefulSet:
			w.Status.Replicas, w.Status.ReadyReplicas, w.Status.AvailableReplicas = 1, 1, 1
		}
		return p.client.Status().Update(p.t.Context(), o)
	})
}

// pod makes a ready pod of a receiver.
func (p *place) pod(name, receiver string) *corev1.Pod {
	p.t.Helper()
	return p.podWith(name, receiver, corev1.PodStatus{
		PodIP: "192.0.2.1", PodIPs: []corev1.PodIP{{IP: "192.0.2.1"}}, Phase: corev1.PodRunning,
		Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
	})
}

func (p *place) podWith(name, receiver string, status corev1.PodStatus) *corev1.Pod {
	p.t.Helper()
	pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: children.ContainerName, Image: "mailvane.example.com/mailvane:v1"}}}}
	pod.Name, pod.Labels = name, children.Labels(receiver)
	pod.Labels[appsv1.DefaultDeploymentUniqueLabelKey] = "5f6d8"
	pod.OwnerReferences = []metav1.OwnerReference{{ // as the Deployment's controller gives it
		APIVersion: "apps/v1", Kind: "ReplicaSet", Name: receiver + "-5f6d8", UID: types.UID(name), Controller: new(true),
	}}
	p.create(pod)
	p.report(pod, status)
	return pod
}

// report gives a pod a status, as its kubelet would, while the manager may write to it.
func (p *place) report(pod *corev1.Pod, status corev1.PodStatus) {
	p.t.Helper()
	wanted := status.DeepCopy() // what is got below may be written into the same memory
	eventually(p.t, func() error {
		if err := p.get(pod.Name, pod); err != nil {
			return err
		}
		pod.Status = *wanted
		return p.client.Status().Update(p.t.Context(), pod)
	})
}

func secret(name, value string) *corev1.Secret {
	s := &corev1.Secret{Data: map[string][]byte{"key": []byte(value)}}
	s.Name = name
	return s
}

func sink(name string) *v1alpha1.EventSink {
	s := &v1alpha1.EventSink{Spec: v1alpha1.EventSinkSpec{Type: v1alpha1.SinkStdout}}
	s.Name = name
	return s
}

func endpoint(name, secretName, sinkName string) *v1alpha1.WebhookEndpoint {
	e := &v1alpha1.WebhookEndpoint{Spec: v1alpha1.WebhookEndpointSpec{
		Provider: v1alpha1.Provider{Type: v1alpha1.EmailEngine, EmailEngine: &v1alpha1.EmailEngineProvider{
			ServiceSecretRefs: []v1alpha1.SecretKeyReference{{Name: secretName, Key: "key"}},
		}},
		Routes: []v1alpha1.Route{{Name: "all", SinkRef: v1alpha1.SinkReference{Name: sinkName}}},
	}}
	e.Name = name
	return e
}
