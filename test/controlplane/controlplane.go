// Package controlplane gives tests a real Kubernetes API server that knows Mailvane's kinds. It is kube-apiserver and etcd, on
// the loopback interface, without the controllers and nodes of a cluster: objects are admitted, stored and watched, nothing runs.
package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/config/crd"
	"github.com/mailvane/mailvane/test/controlplane/assets"
)

const (
	// startWithin bounds how long etcd and kube-apiserver may each take to start, on a machine that does much else.
	startWithin = 2 * time.Minute
	// stopWithin bounds how long each may take to stop.
	stopWithin = time.Minute
	// timeToReport is what is left of a test's time when compiling is given up, so that the test can say so.
	timeToReport = 15 * time.Second
)

// ControlPlane is one API server for all the tests of a process. Its zero value is ready for use:
//
//	var cluster controlplane.ControlPlane
//
//	func TestMain(m *testing.M) { os.Exit(cluster.Run(m)) }
//
// It starts when the first test asks for it. It is safe for concurrent use.
type ControlPlane struct {
	start       sync.Once
	environment *envtest.Environment
	api         client.Client
	err         error
	// users is held while a user is made: the environment's authority is not safe for concurrent use.
	users sync.Mutex
}

// Run runs the tests, then stops the control plane if one of them started it, and returns the exit code. Whatever still watches the
// API server then makes it stop late.
func (c *ControlPlane) Run(m *testing.M) int {
	code := m.Run()
	if c.environment == nil {
		return code
	}
	if err := c.environment.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stop the control plane:", err)
		return max(code, 1)
	}
	return code
}

// Config returns how to reach the API server as an administrator. On a system where the control plane cannot be had, the test is skipped.
func (c *ControlPlane) Config(t testing.TB) *rest.Config {
	t.Helper()

	c.start.Do(func() { c.err = c.run(t) })
	if errors.Is(c.err, errors.ErrUnsupported) {
		t.Skip(c.err)
	}
	if c.err != nil {
		t.Fatal(c.err)
	}
	return rest.CopyConfig(c.environment.Config)
}

// Client returns a client of the API server that knows the kinds of Kubernetes and of Mailvane, and does not cache.
func (c *ControlPlane) Client(t testing.TB) client.Client {
	t.Helper()

	c.Config(t)
	return c.api
}

// Namespace makes a namespace for one test and returns its name. It stays until the control plane stops: nothing here empties one.
func (c *ControlPlane) Namespace(t testing.TB) string {
	t.Helper()

	namespace := corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}
	if err := c.Client(t).Create(t.Context(), &namespace); err != nil {
		t.Fatal(err)
	}
	return namespace.Name
}

// Kubeconfig returns a kubeconfig for a user with no rights but those that the test gives to that name.
func (c *ControlPlane) Kubeconfig(t *testing.T, name string) []byte {
	t.Helper()

	config := c.Config(t)
	user, err := c.addUser(envtest.User{Name: name}, config)
	if err != nil {
		t.Fatal(err)
	}
	kubeconfig, err := user.KubeConfig()
	if err != nil {
		t.Fatal(err)
	}
	return kubeconfig
}

func (c *ControlPlane) addUser(user envtest.User, config *rest.Config) (*envtest.AuthenticatedUser, error) {
	c.users.Lock()
	defer c.users.Unlock()
	return c.environment.AddUser(user, config)
}

// Kubectl runs kubectl as an administrator and returns what it prints. It fails the test if kubectl fails.
func (c *ControlPlane) Kubectl(t testing.TB, args ...string) string {
	t.Helper()

	config := c.Config(t)
	user, err := c.addUser(envtest.User{Name: "kubectl", Groups: []string{"system:masters"}}, config)
	if err != nil {
		t.Fatal(err)
	}
	kubectl, err := user.Kubectl()
	if err != nil {
		t.Fatal(err)
	}
	stdout, stderr, err := kubectl.Run(args...)
	if err != nil {
		complaint, _ := io.ReadAll(stderr)
		t.Fatalf("kubectl %v: %v\n%s", args, err, complaint)
	}
	output, err := io.ReadAll(stdout)
	if err != nil {
		t.Fatal(err)
	}
	return string(output)
}

// Scheme returns the kinds of Kubernetes, of its extensions, and of Mailvane.
func Scheme() (*runtime.Scheme, error) {
	types := runtime.NewScheme()
	err := errors.Join(scheme.AddToScheme(types), apiextensionsv1.AddToScheme(types), v1alpha1.AddToScheme(types))
	if err != nil {
		return nil, fmt.Errorf("register kinds: %w", err)
	}
	return types, nil
}

// run starts the control plane and installs Mailvane's definitions.
func (c *ControlPlane) run(t testing.TB) error {
	definitions, err := Definitions()
	if err != nil {
		return err
	}
	dir, err := programs(t)
	if err != nil {
		return err
	}
	existing := false
	environment := &envtest.Environment{
		BinaryAssetsDirectory:    dir,
		CRDs:                     definitions,
		ControlPlaneStartTimeout: startWithin,
		ControlPlaneStopTimeout:  stopWithin,
		// Whatever the environment says, no test touches a cluster that somebody uses.
		UseExistingCluster: &existing,
	}
	config, err := environment.Start()
	if err != nil {
		return errors.Join(fmt.Errorf("start the control plane: %w", err), environment.Stop())
	}
	c.environment = environment
	types, err := Scheme()
	if err != nil {
		return err
	}
	c.api, err = client.New(config, client.Options{Scheme: types})
	if err != nil {
		return fmt.Errorf("make a client of the control plane: %w", err)
	}
	return nil
}

// programs returns the folder of the programs, and sees to it that the test can still say so if its time is too short to compile them.
func programs(t testing.TB) (string, error) {
	ctx := t.Context()
	if test, ok := t.(*testing.T); ok { // a benchmark has no deadline
		if deadline, limited := test.Deadline(); limited {
			var cancel context.CancelFunc
			ctx, cancel = context.WithDeadline(ctx, deadline.Add(-timeToReport))
			defer cancel()
		}
	}
	dir, err := assets.Dir(ctx, os.Stderr)
	if errors.Is(err, context.DeadlineExceeded) {
		return "", fmt.Errorf("%w: run \"make test\", or these tests again, which goes on where this stopped", err)
	}
	return dir, err
}

// Definitions returns Mailvane's custom resource definitions.
func Definitions() ([]*apiextensionsv1.CustomResourceDefinition, error) {
	files := crd.Files()
	names, err := fs.Glob(files, "bases/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list definitions: %w", err)
	}
	definitions := make([]*apiextensionsv1.CustomResourceDefinition, 0, len(names))
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read definition: %w", err)
		}
		var definition apiextensionsv1.CustomResourceDefinition
		if err := yaml.UnmarshalStrict(text, &definition); err != nil {
			return nil, fmt.Errorf("decode %s: %w", name, err)
		}
		definitions = append(definitions, &definition)
	}
	return definitions, nil
}
