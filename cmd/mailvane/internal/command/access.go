package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/cmd/mailvane/internal/cluster"
	"github.com/mailvane/mailvane/receiver/admin"
)

// accessLong ends the help of commands that ask receivers.
const accessLong = `

Without --admin it asks the cluster of the kubeconfig, with your own rights there: the pods of all receivers of the namespace,
through the API server's port-forward. With --admin it asks one receiver by its address, such as that of "run", and no cluster.`

// defaultAdmin is where `mailvane run` serves its admin API unless told otherwise.
const defaultAdmin = "127.0.0.1:9090"

// adminTimeout bounds one call of the admin API.
const adminTimeout = time.Minute

// access says whom a command asks: one receiver by its address, or a cluster.
type access struct {
	address string
	cluster cluster.Options
}

// flags adds the flags that choose.
func (a *access) flags(c *cobra.Command) {
	c.Long = c.Short + "." + accessLong
	f := c.Flags()
	f.StringVar(&a.address, "admin", "", "ask the receiver with this admin address, such as "+defaultAdmin+", and no cluster")
	f.BoolVarP(&a.cluster.AllNamespaces, "all-namespaces", "A", false, "ask the receivers of all namespaces")
	clusterFlags(c, &a.cluster)
	for _, other := range []string{"kubeconfig", "context", "namespace", "all-namespaces"} {
		c.MarkFlagsMutuallyExclusive("admin", other)
	}
}

// clusterFlags adds the flags that choose a namespace of a cluster.
func clusterFlags(c *cobra.Command, o *cluster.Options) {
	f := c.Flags()
	f.StringVar(&o.Kubeconfig, "kubeconfig", "", "kubeconfig file in place of $KUBECONFIG and ~/.kube/config")
	f.StringVar(&o.Context, "context", "", "context of the kubeconfig in place of the current one")
	f.StringVarP(&o.Namespace, "namespace", "n", "", "namespace in place of the context's")
}

// scope is what a command asks: receivers, and the cluster that they belong to.
type scope struct {
	// cluster is nil with --admin.
	cluster   *cluster.Cluster
	receivers []*receiver
}

// receiver is one receiver that is asked.
type receiver struct {
	*admin.Client
	// pod is nil with --admin.
	pod *cluster.Receiver
}

// String returns the pod as "namespace/name", or the address.
func (r *receiver) String() string {
	if r.pod == nil {
		return r.BaseURL
	}
	return r.pod.Namespace + "/" + r.pod.Pod
}

// open reads the kubeconfig, unless one receiver was named.
func (a *access) open() (*scope, error) {
	if a.address != "" {
		return &scope{receivers: []*receiver{{Client: localClient(a.address)}}}, nil
	}
	c, err := a.cluster.Open()
	if errors.Is(err, cluster.ErrNone) {
		return nil, fmt.Errorf("%w; or ask one receiver: --admin %s is that of \"run\"", err, defaultAdmin)
	}
	if err != nil {
		return nil, err
	}
	return &scope{cluster: c}, nil
}

// openReceivers opens a scope and finds its receivers.
func (a *access) openReceivers(ctx context.Context, stderr io.Writer) (*scope, error) {
	s, err := a.open()
	if err != nil {
		return nil, err
	}
	return s, s.find(ctx, stderr)
}

// find finds the receivers of the cluster, and says on stderr which are left out.
func (s *scope) find(ctx context.Context, stderr io.Writer) error {
	if s.cluster == nil {
		return nil
	}
	ready, others, err := s.cluster.Receivers(ctx)
	if err != nil {
		return err
	}
	for _, pod := range ready {
		s.receivers = append(s.receivers, &receiver{pod: pod, Client: &admin.Client{BaseURL: pod.URL(), HTTP: pod.Admin()}})
	}
	if len(others) > 0 {
		fmt.Fprintln(stderr, "not asked, because they are not ready:", strings.Join(others, ", "))
	}
	if len(ready) == 0 {
		fmt.Fprintf(stderr, "no receiver is ready in %s\n", s.cluster)
	}
	return nil
}

func localClient(address string) *admin.Client {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	return &admin.Client{BaseURL: address, HTTP: &http.Client{Timeout: adminTimeout}}
}
