package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"

	"github.com/mailvane/mailvane/controllers/render/children"
)

// kubelet is as much of a node as a port-forward needs: the API server connects to it, and it to the processes of the test,
// which stand for pods.
type kubelet struct {
	t    *testing.T
	node string

	mu        sync.Mutex
	addresses map[string]string // "pod:port" -> address on loopback
}

// newKubelet starts a kubelet and registers its node.
func newKubelet(t *testing.T, node string) *kubelet {
	t.Helper()
	k := &kubelet{t: t, node: node, addresses: map[string]string{}}
	server := httptest.NewTLSServer(k)
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.ParseInt(port, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	object := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: node}}
	api := cluster.Client(t)
	if err := api.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = api.Delete(context.Background(), object) })
	object.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "127.0.0.1"}}
	object.Status.DaemonEndpoints.KubeletEndpoint.Port = int32(number)
	if err := api.Status().Update(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	return k
}

// run makes a pod of a receiver on the node, whose ports are those of a process. A pod without a process refuses connections.
func (k *kubelet) run(namespace, name string, ready bool, p *process) {
	k.t.Helper()
	k.runOwned(namespace, name, ready, p, metav1.OwnerReference{
		APIVersion: "apps/v1", Kind: "StatefulSet", Name: children.Name, UID: types.UID(name), Controller: new(true),
	})
}

// runOwned makes a pod that says that it has these owners.
func (k *kubelet) runOwned(namespace, name string, ready bool, p *process, owners ...metav1.OwnerReference) {
	k.t.Helper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{
			"app.kubernetes.io/managed-by": "mailvane", "app.kubernetes.io/component": "receiver", "app.kubernetes.io/instance": children.Name,
		}, OwnerReferences: owners},
		Spec: corev1.PodSpec{NodeName: k.node, Containers: []corev1.Container{{Name: "receiver", Image: "receiver"}}},
	}
	api := cluster.Client(k.t)
	if err := api.Create(k.t.Context(), pod); err != nil {
		k.t.Fatal(err)
	}
	k.t.Cleanup(func() { _ = api.Delete(context.Background(), pod) })
	status := corev1.ConditionFalse
	if ready {
		status = corev1.ConditionTrue
	}
	pod.Status.Phase = corev1.PodRunning
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: status}}
	if err := api.Status().Update(k.t.Context(), pod); err != nil {
		k.t.Fatal(err)
	}
	if p == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.addresses[name+":8080"] = strings.TrimPrefix(p.url, "http://")
	k.addresses[name+":9090"] = strings.TrimPrefix(p.admin, "http://")
}

// ServeHTTP forwards ports, as /portForward/NAMESPACE/POD of a kubelet does.
func (k *kubelet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	segments := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if len(segments) != 3 || segments[0] != "portForward" {
		http.NotFound(w, r)
		return
	}
	if _, err := httpstream.Handshake(r, w, []string{portforward.PortForwardProtocolV1Name}); err != nil {
		return
	}
	ctx := r.Context()
	reports := make(chan httpstream.Stream, 64)
	connection := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(s httpstream.Stream, _ <-chan struct{}) error {
		if s.Headers().Get(corev1.StreamType) == corev1.StreamTypeError {
			reports <- s
			return nil
		}
		go k.forward(ctx, segments[2], s, <-reports)
		return nil
	})
	if connection != nil {
		<-connection.CloseChan()
	}
}

// forward carries one stream, and reports on another what went wrong.
func (k *kubelet) forward(ctx context.Context, pod string, data, report httpstream.Stream) {
	defer func() { _ = errors.Join(data.Close(), report.Close()) }()
	port := pod + ":" + data.Headers().Get(corev1.PortHeader)
	k.mu.Lock()
	address := k.addresses[port]
	k.mu.Unlock()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		fmt.Fprintf(report, "nothing listens on %s", port)
		return
	}
	defer func() { _ = conn.Close() }()
	go func() { _, _ = io.Copy(conn, data) }()
	_, _ = io.Copy(data, conn)
}
