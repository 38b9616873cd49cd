package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/internal/console"
	"github.com/mailvane/mailvane/internal/inspect"
	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/app"
)

const consoleLong = `Serve the web page of receivers on this machine: what fails, what happened to a mail, dead letters. It prints a link, which opens the page
once, and serves until it is interrupted. What the page shows and may do is what your token may: without the right privacy, personal data is masked.`

// anyPort is where the page is served unless told otherwise: the link says which port it is.
const anyPort = "127.0.0.1:0"

// consoleStop bounds the end of the page's server, and consoleHeader the wait for a request's header.
const consoleStop, consoleHeader = time.Second, 5 * time.Second

func newConsole() *cobra.Command {
	var from whom
	var listen string
	c := &cobra.Command{
		Use: "console", Short: "Serve the web page of receivers on this machine", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			find := func(ctx context.Context) ([]*inspect.Receiver, error) {
				s, err := from.openReceivers(ctx, io.Discard)
				if err != nil {
					return nil, err
				}
				return s.receivers, nil
			}
			if _, err := find(c.Context()); err != nil {
				return err
			}
			page, err := openConsole(c.Context(), listen, from.where(), find)
			if err != nil {
				return err
			}
			defer page.stop()
			fmt.Fprintf(c.OutOrStdout(), "console: %s\n", page.link())
			<-c.Context().Done()
			return nil
		},
	}
	from.flags(c, readClear())
	c.Long = consoleLong + accessLong
	consoleFlag(c, &listen)
	return c
}

// where says what is looked at.
func (a *whom) where() string {
	switch {
	case a.address != "":
		return a.address
	case a.cluster.AllNamespaces:
		return "all namespaces"
	default:
		return a.cluster.Namespace
	}
}

func consoleFlag(c *cobra.Command, listen *string) {
	c.Flags().StringVar(listen, "console-listen", anyPort, "address of the web page, on loopback; empty = there is none")
}

// consolePage is a console that is served.
type consolePage struct {
	console *console.Console
	server  *http.Server
	address string
}

// openConsole serves a console on a loopback address.
func openConsole(ctx context.Context, address, where string, find func(context.Context) ([]*inspect.Receiver, error)) (*consolePage, error) {
	if !isLoopback(address) {
		return nil, &usageError{fmt.Sprintf("--console-listen is %q: the page is served on loopback alone, such as 127.0.0.1:9092", address)}
	}
	page, err := console.New(console.Options{Receivers: find, Where: where, Now: time.Now})
	if err != nil {
		return nil, err
	}
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("--console-listen: %w", err)
	}
	p := &consolePage{console: page, server: &http.Server{Handler: page, ReadHeaderTimeout: consoleHeader}, address: l.Addr().String()}
	go func() {
		if err := p.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			_ = l.Close() // there is nobody to tell, and the page is gone
		}
	}()
	return p, nil
}

// isLoopback reports whether an address is one of this machine that others cannot reach.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// link opens the page.
func (p *consolePage) link() string { return "http://" + p.address + p.console.Link() }

func (p *consolePage) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), consoleStop)
	defer cancel()
	if p.server.Shutdown(ctx) != nil {
		_ = p.server.Close() // what is left is a page that waits for news
	}
}

// openOwnConsole serves the console of a receiver of this process, and prints its link; nil = there is none.
func openOwnConsole(ctx context.Context, listen string, settings *app.Settings, address string, w io.Writer) (stop func(), err error) {
	if listen == "" || address == "" {
		return func() {}, nil
	}
	client := &admin.Client{BaseURL: "http://" + address, Token: settings.AdminToken, HTTP: &http.Client{Timeout: adminTimeout}}
	if settings.AdminTokenFile != "" {
		if client, err = localClient(address, settings.AdminTokenFile); err != nil {
			return nil, err
		}
	}
	own := []*inspect.Receiver{{Client: client, Name: address}}
	page, err := openConsole(ctx, listen, address, func(context.Context) ([]*inspect.Receiver, error) { return own, nil })
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(w, "console: %s\n", page.link())
	return page.stop, nil
}
