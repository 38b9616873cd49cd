package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/cmd/mailvane/internal/cluster"
	"github.com/mailvane/mailvane/cmd/mailvane/internal/tokenfile"
	"github.com/mailvane/mailvane/internal/inspect"
	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/admin/access"
)

// accessLong ends the help of commands that ask receivers.
const accessLong = `

Without --admin it asks the cluster of the kubeconfig, with your own rights there: the pods of all receivers of the namespace,
through the API server's port-forward, with a token from a Secret that you may read. With --admin it asks one receiver by its
address, such as that of "run", and no cluster; the token of a "run" of yours is found, that of another is in --admin-token-file.`

// defaultAdmin is where `mailvane run` serves its admin API unless told otherwise.
const defaultAdmin = "127.0.0.1:9090"

// defaultMetrics is where it serves metrics and probes.
const defaultMetrics = "127.0.0.1:9091"

// adminTimeout bounds one call of the admin API.
const adminTimeout = time.Minute

// whom says whom a command asks: one receiver by its address, or a cluster.
type whom struct {
	address   string
	tokenFile string
	cluster   cluster.Options
	// rights are those that suffice; the first that the user has is used.
	rights []access.Right
}

// flags adds the flags that choose. rights are those that suffice for the command.
func (a *whom) flags(c *cobra.Command, rights []access.Right) {
	a.rights = rights
	c.Long = c.Short + "." + accessLong
	f := c.Flags()
	f.StringVar(&a.address, "admin", "", "ask the receiver with this admin address, such as "+defaultAdmin+", and no cluster")
	f.StringVar(&a.tokenFile, "admin-token-file", "", "file with the token of that receiver, where it is not one that you run")
	f.BoolVarP(&a.cluster.AllNamespaces, "all-namespaces", "A", false, "ask the receivers of all namespaces")
	clusterFlags(c, &a.cluster)
	for _, other := range []string{"kubeconfig", "context", "namespace", "all-namespaces"} {
		c.MarkFlagsMutuallyExclusive("admin", other)
		c.MarkFlagsMutuallyExclusive("admin-token-file", other)
	}
}

// read returns the rights that suffice to read what is not personal, the least first.
func read() []access.Right { return access.Rights() }

// readClear returns the rights to read with personal data, or else without: it is masked then.
func readClear() []access.Right {
	return []access.Right{access.Privacy, access.Operator, access.Viewer}
}

// act returns the rights that suffice to act, the least first.
func act() []access.Right { return []access.Right{access.Operator, access.Privacy} }

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
	receivers []*inspect.Receiver
	// rights are those that suffice.
	rights []access.Right
}

// open reads the kubeconfig, unless one receiver was named.
func (a *whom) open() (*scope, error) {
	if a.address != "" {
		client, err := localClient(a.address, a.tokenFile)
		if err != nil {
			return nil, err
		}
		return &scope{receivers: []*inspect.Receiver{{Client: client, Name: client.BaseURL}}}, nil
	}
	c, err := a.cluster.Open()
	if errors.Is(err, cluster.ErrNone) {
		return nil, fmt.Errorf("%w; or ask one receiver: --admin %s is that of \"run\"", err, defaultAdmin)
	}
	if err != nil {
		return nil, err
	}
	return &scope{cluster: c, rights: a.rights}, nil
}

// openReceivers opens a scope and finds its receivers.
func (a *whom) openReceivers(ctx context.Context, stderr io.Writer) (*scope, error) {
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
	credentials := map[string]credential{}
	for _, pod := range ready {
		name := pod.Namespace + "/" + pod.Name
		known, asked := credentials[name]
		if !asked {
			known.token, known.err = s.cluster.Token(ctx, pod.Namespace, pod.Name, s.rights)
			credentials[name] = known
		}
		client := &admin.Client{BaseURL: pod.AdminURL(), Token: known.token, HTTP: pod.Admin()}
		s.receivers = append(s.receivers, &inspect.Receiver{Client: client, Name: pod.Namespace + "/" + pod.Pod, Pod: pod.Pod, Denied: known.err})
	}
	if len(others) > 0 {
		fmt.Fprintln(stderr, "not asked, because they are not ready:", strings.Join(others, ", "))
	}
	if len(ready) == 0 {
		fmt.Fprintf(stderr, "no receiver is ready in %s\n", s.cluster)
	}
	return nil
}

// credential is what a receiver's pods are asked with, or why they cannot be.
type credential struct {
	token string
	err   error
}

// localClient returns a client of the receiver at an address, with the token in a file, or else that of the user's own receiver.
func localClient(address, tokenFile string) (*admin.Client, error) {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	parsed, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("--admin: %w", err)
	}
	client := &admin.Client{BaseURL: address, HTTP: &http.Client{Timeout: adminTimeout}}
	if tokenFile == "" {
		client.Token = tokenfile.Find(parsed.Host)
		return client, nil
	}
	tokens, err := access.ReadTokens(tokenFile)
	if err != nil {
		return nil, fmt.Errorf("--admin-token-file: %w", err)
	}
	client.Token = tokens[0]
	return client, nil
}
