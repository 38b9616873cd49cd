// Package nats runs real nats-server processes with JetStream for the tests, on loopback, and does to them what happens to
// servers: kills, pauses, partitions and restarts. The program is compiled from the module in hack/nats.
package nats

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Options say what to start.
type Options struct {
	// Servers is how many servers form the cluster; 1 stands alone.
	Servers int
	// Dir is the folder for what they store and log. It must exist.
	Dir string
	// Config is added to the configuration of each server, as NATS writes it.
	Config string
	// SyncAlways makes the servers fsync every write before they acknowledge it.
	SyncAlways bool
	// Progress is told what takes long.
	Progress io.Writer
}

// Cluster is a set of servers that know each other.
type Cluster struct {
	// Servers are the servers, running or not.
	Servers []*Server
	links   []*link
}

// readyWithin bounds the wait for a server that was started.
const readyWithin = 90 * time.Second

// Start starts the servers and waits until JetStream answers on all of them.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	program, err := program(ctx, o.Progress)
	if err != nil {
		return nil, err
	}
	c := &Cluster{}
	for i := range o.Servers {
		s, err := newServer(ctx, program, filepath.Join(o.Dir, fmt.Sprintf("n%d", i+1)), i)
		if err != nil {
			return nil, err
		}
		c.Servers = append(c.Servers, s)
	}
	if err := c.configure(ctx, &o); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	for _, s := range c.Servers {
		if err := s.launch(ctx); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	for _, s := range c.Servers {
		if err := s.WaitReady(ctx); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	return c, nil
}

// configure writes the configurations. Every server reaches every other by a link of its own, which can be cut.
func (c *Cluster) configure(ctx context.Context, o *Options) error {
	for i, s := range c.Servers {
		var routes []string
		for j, peer := range c.Servers {
			if i == j {
				continue
			}
			l, err := newLink(ctx, i, j, peer.routes)
			if err != nil {
				return err
			}
			c.links = append(c.links, l)
			routes = append(routes, "nats://"+l.Address())
		}
		if err := os.WriteFile(s.config, []byte(s.document(o, routes)), 0o600); err != nil {
			return fmt.Errorf("configure %s: %w", s.Name, err)
		}
	}
	return nil
}

// document is a server's configuration.
func (s *Server) document(o *Options, routes []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "server_name: %s\nlisten: %q\nhttp: %q\npid_file: %q\n", s.Name, s.clients, s.monitor, filepath.Join(s.dir, "pid"))
	fmt.Fprintf(&b, "jetstream {store_dir: %q, max_memory_store: 256MB, max_file_store: 4GB", s.store())
	if o.SyncAlways {
		b.WriteString(", sync_interval: always")
	}
	b.WriteString("}\n")
	if len(routes) > 0 {
		// Nobody answers at the address that the servers tell each other, so that there is no way around the links.
		fmt.Fprintf(&b, "cluster {name: test, listen: %q, advertise: %q, no_advertise: true, pool_size: -1, routes: [%q]}\n",
			s.routes, nowhere, strings.Join(routes, `", "`))
	}
	b.WriteString(strings.ReplaceAll(o.Config, "\t", " "))
	return strings.ReplaceAll(b.String(), `\"`, `"`)
}

// nowhere is an address at which nobody listens.
const nowhere = "127.0.0.1:1"

// URLs returns the addresses for clients.
func (c *Cluster) URLs() []string {
	var all []string
	for _, s := range c.Servers {
		all = append(all, s.URL())
	}
	return all
}

// Isolate cuts a server off from all others; clients still reach it.
func (c *Cluster) Isolate(i int) { c.cut(i, true) }

// Rejoin ends what Isolate did.
func (c *Cluster) Rejoin(i int) { c.cut(i, false) }

func (c *Cluster) cut(i int, cut bool) {
	for _, l := range c.links {
		if l.from == i || l.to == i {
			if cut {
				l.Cut()
			} else {
				l.Mend()
			}
		}
	}
}

// Close kills all servers.
func (c *Cluster) Close() error {
	var errs []error
	for _, s := range c.Servers {
		errs = append(errs, s.Kill())
	}
	for _, l := range c.links {
		l.Close()
	}
	return errors.Join(errs...)
}
