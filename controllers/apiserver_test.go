package controllers_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	ctrlconfig "sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers"
	"github.com/mailvane/mailvane/controllers/render/children"
)

// troubled is a client of an API server that is slow and refuses each kind of request the first time.
type troubled struct {
	mu     sync.Mutex
	failed map[string]bool
	err    error
}

func (c *troubled) try(what string) error {
	time.Sleep(20 * time.Millisecond) // the API server's, not the test's
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed[what] {
		return nil
	}
	c.failed[what] = true
	return c.err
}

func (c *troubled) funcs() interceptor.Funcs {
	return interceptor.Funcs{
		Apply: func(ctx context.Context, next client.WithWatch, o runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
			if err := c.try("apply " + o.(interface{ GetKind() string }).GetKind()); err != nil {
				return err
			}
			return next.Apply(ctx, o, opts...)
		},
		SubResourcePatch: func(ctx context.Context, next client.Client, sub string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
			if err := c.try("status"); err != nil {
				return err
			}
			return next.SubResource(sub).Patch(ctx, o, p, opts...)
		},
		Patch: func(ctx context.Context, next client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			if err := c.try("patch"); err != nil {
				return err
			}
			return next.Patch(ctx, o, p, opts...)
		},
	}
}

// testATroubledAPIServer runs passes by hand against an API server that conflicts, or times out. A pass that fails is run again, as
// the queue does; in the end all is written, and no condition speaks of it any more.
func testATroubledAPIServer(t *testing.T) {
	t.Parallel()
	secrets := schema.GroupResource{Resource: "secrets"}
	for name, trouble := range map[string]error{
		"conflict": apierrors.NewConflict(secrets, "any", errors.New("the object has been modified")),
		"timeout":  apierrors.NewServerTimeout(secrets, "patch", 1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := served(t, 2)
			api := &troubled{failed: map[string]bool{}, err: trouble}
			reconciler := byHand(t, api.funcs())
			request := reconcile.Request{NamespacedName: client.ObjectKey{Namespace: p.namespace, Name: children.Name}}
			failures := 0
			eventually(t, func() error {
				_, err := reconciler.Reconcile(t.Context(), request)
				if err != nil {
					failures++
				}
				return err
			})
			// A pass that cannot write an object, the configuration included, goes on with the others.
			if failures < 1 || len(api.failed) < 5 {
				t.Errorf("%d passes failed, at %v", failures, api.failed)
			}
			var e v1alpha1.WebhookEndpoint
			if err := errors.Join(p.get("e0", &e), p.ready("e0"), p.ready("e1")); err != nil {
				t.Error(err)
			}
			for _, c := range e.Status.Conditions {
				if strings.Contains(c.Message, "modified") {
					t.Errorf("%+v", c)
				}
			}
		})
	}
}

// testLimitedToANamespace runs a second manager with the rules of the role in one namespace only, as the chart installs it for some
// namespaces: what it watches and writes there is allowed, and it needs nothing elsewhere.
func testLimitedToANamespace(t *testing.T) {
	t.Parallel()
	p := served(t, 1)
	var rules rbacv1.ClusterRole
	if err := p.client.Get(t.Context(), client.ObjectKey{Name: "mailvane-manager"}, &rules); err != nil {
		t.Fatal(err)
	}
	role := &rbacv1.Role{Rules: rules.Rules}
	role.Name = "limited"
	binding := &rbacv1.RoleBinding{
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
		Subjects: []rbacv1.Subject{{Kind: "User", APIGroup: rbacv1.GroupName, Name: p.namespace}},
	}
	binding.Name = role.Name
	p.create(role, binding)

	restConfig := cluster.Config(t)
	restConfig.Impersonate = rest.ImpersonationConfig{UserName: p.namespace, Groups: []string{"system:authenticated"}}
	scheme, err := controllers.Scheme()
	if err != nil {
		t.Fatal(err)
	}
	var counted writes
	again := true // this process has another controller of the name
	limited, err := manager.New(restConfig, manager.Options{
		Scheme: scheme, Cache: controllers.CacheOptions([]string{p.namespace}), Metrics: metricsserver.Options{BindAddress: "0"},
		Controller: ctrlconfig.Controller{SkipNameValidation: &again}, Logger: logr.Discard(),
		NewClient: func(c *rest.Config, options client.Options) (client.Client, error) {
			inner, err := client.NewWithWatch(c, options)
			if err != nil {
				return nil, err
			}
			return interceptor.NewClient(inner, counted.funcs()), nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	o := options(t)
	o.Claims = client.ObjectKey{} // which the role of another namespace is about
	if err := controllers.Setup(t.Context(), limited, o); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- limited.Start(t.Context()) }()
	t.Cleanup(func() {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	all := map[string]int{}
	eventually(t, func() error { // it applies everything once when it starts, without effect
		for what, count := range counted.take(p.namespace) {
			all[what] += count
		}
		for _, kind := range []string{"Secret", "ServiceAccount", "Service", "NetworkPolicy", "Deployment", "PodDisruptionBudget"} {
			if all["apply "+kind] == 0 {
				return errors.New("no " + kind + " yet")
			}
		}
		return nil
	})
	p.create(exposed("e1", p.namespace+".example.com"))
	eventually(t, func() error {
		if counted.take(p.namespace)["apply Ingress"] == 0 {
			return errors.New("no Ingress yet")
		}
		return nil
	})
	var everywhere v1alpha1.WebhookEndpointList
	if err := limited.GetClient().List(t.Context(), &everywhere); err != nil {
		t.Fatal(err)
	}
	for i := range everywhere.Items {
		if everywhere.Items[i].Namespace != p.namespace {
			t.Errorf("it sees %s", everywhere.Items[i].Namespace)
		}
	}
}
