package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/cmd/mailvane/internal/manifest"
	"github.com/mailvane/mailvane/cmd/mailvane/internal/tryout"
	"github.com/mailvane/mailvane/receiver/app"
	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/netguard"
)

// tryOptions say what of "check --try" is asked for.
type tryOptions struct {
	file, endpoint, at, format string
}

// maxShown is how many bytes of a dead letter are shown to people.
const maxShown = 500

// check refuses what only --try has.
func (o *tryOptions) check() error {
	if o.file == "" && (o.endpoint != "" || o.at != "" || o.format != "table") {
		return &usageError{"--endpoint, --at and -o go with --try"}
	}
	if o.format != "table" && o.format != "json" {
		return &usageError{fmt.Sprintf("unknown output format %q: use table or json", o.format)}
	}
	return nil
}

// run tries the request on the endpoints of a folder that have no problems, and fails when any of it would be lost.
func (o *tryOptions) run(ctx context.Context, f *folder, problems []manifest.Problem, out io.Writer) error {
	at := time.Now()
	if o.at != "" {
		var err error
		if at, err = time.Parse(time.RFC3339, o.at); err != nil {
			return &usageError{"--at: a time such as 2026-01-01T10:00:00Z"}
		}
	}
	captured, err := tryout.ReadFile(o.file)
	if err != nil {
		return err
	}
	usable := usableEndpoints(&f.config)
	// As "mailvane run" does: keys may come from this machine, and from no metadata service.
	table, err := tryout.Table(usable, app.KeyClient(netguard.Guard{}))
	if err != nil {
		return err
	}
	spec, e, token, err := tryout.Find(usable, table, o.endpoint, captured.URL.Path)
	if faults := manifest.Faults(problems); err != nil && len(faults) > 0 {
		return fmt.Errorf("%w; endpoints with problems are left out, and the first problem is %s", err, faults[0])
	}
	if err != nil {
		return err
	}
	trial := tryout.Trial{Endpoint: e, Spec: spec, Token: token, Request: captured, At: at}
	result := trial.Run(ctx)
	if err := o.write(out, result); err != nil {
		return err
	}
	if result.Failed() {
		return errReported
	}
	return nil
}

// usableEndpoints leaves out those that cannot work.
func usableEndpoints(all *config.Config) *config.Config {
	usable := *all
	usable.Endpoints = nil
	for i := range all.Endpoints {
		if all.Endpoints[i].State != config.Unavailable {
			usable.Endpoints = append(usable.Endpoints, all.Endpoints[i])
		}
	}
	return &usable
}

func (o *tryOptions) write(out io.Writer, r *tryout.Result) error {
	if o.format == "json" {
		return write(out, o.format, r, table{})
	}
	var errs []error
	say := func(format string, arguments ...any) {
		_, err := fmt.Fprintf(out, format+"\n", arguments...)
		errs = append(errs, err)
	}
	say("endpoint %s (%s)", r.Endpoint, r.Provider)
	sayVerdict(say, r)
	for i := range r.Events {
		e := &r.Events[i]
		where := "no route takes it"
		if len(e.Sinks) > 0 {
			where = "to " + strings.Join(e.Sinks, ", ")
		}
		_ = e.Event.Indent(jsontext.WithIndent("  ")) // it was encoded just now
		say("event %d, %s:\n%s", i+1, where, e.Event)
	}
	for i := range r.DeadLetters {
		d := &r.DeadLetters[i]
		body := d.Body
		if len(body) > maxShown {
			body = body[:maxShown] + "..."
		}
		say("dead letter %d, %s: %s\n%s", i+1, d.Cause, d.Reason, body)
	}
	for _, c := range r.Confirmations {
		say("would be called, and was not: %s", c)
	}
	if r.Foreign > 0 {
		say("items for others, which are dropped: %d", r.Foreign)
	}
	return errors.Join(errs...)
}

// sayVerdict says whether the request is authentic, and why.
func sayVerdict(say func(string, ...any), r *tryout.Result) {
	switch {
	case r.Handshake != nil:
		say("a handshake: answered %d %s", r.Handshake.Status, r.Handshake.Body)
	case r.Verified && r.Key != "":
		say("verified, by key %s", r.Key)
	case r.Verified:
		say("taken: all that the endpoint asks for is right")
	default:
		say("refused: %s", r.Refusal)
		if r.Shadow {
			say("the endpoint is in shadow mode, and takes it as unverified")
		}
		if len(r.Events)+len(r.DeadLetters) > 0 {
			say("if it were authentic, it would become:")
		}
	}
}
