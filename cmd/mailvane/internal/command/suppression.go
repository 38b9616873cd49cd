package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/suppressionsink"
	"github.com/mailvane/mailvane/receiver/suppression"
)

const suppressionLong = `Ask and change the list of a Suppression sink: addresses that should get no more mail. It is the list itself that is asked, with
the settings and the credentials of the sink in the manifests of -f; no receiver has to run.`

// suppressionStatus is what "check" ends with for an address that is suppressed.
const suppressionStatus = 3

// suppressionTimeout bounds one question to the store.
const suppressionTimeout = 30 * time.Second

// listed says which list is asked.
type listed struct{ folder, sink string }

func newSuppression() *cobra.Command {
	c := &cobra.Command{Use: "suppression", Short: "Ask and change the list of addresses that should get no more mail", Long: suppressionLong}
	c.AddCommand(newSuppressionCheck(), newSuppressionList(), newSuppressionExport(), newSuppressionAdd(), newSuppressionRelease())
	return c
}

func (l *listed) flags(c *cobra.Command) {
	folderFlag(c, &l.folder)
	c.Flags().StringVar(&l.sink, "sink", "", "the Suppression sink, NAME or NAMESPACE/NAME; by default the only one")
}

// open returns the store of the sink.
func (l *listed) open(ctx context.Context) (suppression.Store, error) {
	f, err := loadFolder(ctx, l.folder, "")
	if err != nil {
		return nil, err
	}
	found := slices.DeleteFunc(f.config.Sinks, func(s config.Sink) bool { return !l.means(&s) })
	switch {
	case len(found) == 0 && l.sink != "":
		return nil, fmt.Errorf("%s has no Suppression sink %s", l.folder, l.sink)
	case len(found) == 0:
		return nil, fmt.Errorf("%s has no sink of type Suppression", l.folder)
	case len(found) > 1:
		return nil, &usageError{fmt.Sprintf("there is more than one such sink; write --sink %s/%s, or another", found[0].Namespace, found[0].Name)}
	}
	store, err := suppressionsink.Open(found[0].Kind.Settings, sink.Environment{}) //nolint:contextcheck // It connects when it is used.
	if err != nil {
		return nil, fmt.Errorf("sink %s/%s: %w", found[0].Namespace, found[0].Name, err)
	}
	return store, nil
}

// means reports whether a sink is the list that is asked for.
func (l *listed) means(s *config.Sink) bool {
	return s.Kind.Type == "Suppression" && (l.sink == "" || l.sink == s.Name || l.sink == s.Namespace+"/"+s.Name)
}

// with calls use with the store.
func (l *listed) with(c *cobra.Command, use func(ctx context.Context, s suppression.Store) error) error {
	store, err := l.open(c.Context())
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // what was asked is answered
	return use(c.Context(), store)
}

// suppressed is a row as it is told to programs.
type suppressed struct {
	Address    string    `json:"address"`
	Scope      string    `json:"scope"`
	Class      string    `json:"class"`
	InForce    bool      `json:"inForce"`
	FirstAt    time.Time `json:"firstAt,omitzero"`
	LastAt     time.Time `json:"lastAt,omitzero"`
	Count      int64     `json:"count"`
	Provider   string    `json:"provider,omitzero"`
	Event      string    `json:"event,omitzero"`
	Reason     string    `json:"reason,omitzero"`
	Source     string    `json:"source,omitzero"`
	EventID    string    `json:"eventId,omitzero"`
	ReleasedAt time.Time `json:"releasedAt,omitzero"`
	ReleasedBy string    `json:"releasedBy,omitzero"`
}

func told(r *suppression.Row) suppressed {
	return suppressed{
		Address: r.Address, Scope: r.Scope, Class: string(r.Class), InForce: r.InForce(), FirstAt: r.FirstAt, LastAt: r.LastAt, Count: r.Count,
		Provider: r.Last.Provider, Event: r.Last.Event, Reason: r.Last.Reason, Source: r.Last.Source, EventID: r.Last.ID, ReleasedAt: r.ReleasedAt, ReleasedBy: r.ReleasedBy,
	}
}

// writeRows writes rows, by address.
func writeRows(c *cobra.Command, format string, rows []suppression.Row) error {
	slices.SortFunc(rows, func(a, b suppression.Row) int {
		return cmp.Or(cmp.Compare(a.Address, b.Address), cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Class, b.Class))
	})
	all := []suppressed{}
	t := table{header: []string{"ADDRESS", "SCOPE", "CLASS", "IN FORCE", "LAST", "COUNT", "PROVIDER", "REASON"}}
	for i := range rows {
		s := told(&rows[i])
		all = append(all, s)
		t.rows = append(t.rows, []string{s.Address, s.Scope, s.Class, yesNo(s.InForce), stamp(s.LastAt), strconv.FormatInt(s.Count, 10), s.Provider, cmp.Or(s.Reason, s.Event, s.EventID)})
	}
	return write(c.OutOrStdout(), format, all, t)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func stamp(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}

func newSuppressionCheck() *cobra.Command {
	var l listed
	var scope, format string
	c := &cobra.Command{
		Use: "check ADDRESS", Short: "Say whether an address should get mail", Args: cobra.ExactArgs(1),
		Long: "Say whether an address should get mail. The exit status is 0 when it should, 3 when it should not, and 1 or 2 when that could not be found out.",
		RunE: func(c *cobra.Command, arguments []string) error {
			return l.with(c, func(ctx context.Context, s suppression.Store) error {
				rows, err := find(ctx, s, arguments[0])
				if err != nil {
					return err
				}
				inForce := suppression.InForce(rows, cmp.Or(scope, suppression.Everything))
				if len(inForce) == 0 && format == "table" {
					_, err := fmt.Fprintln(c.OutOrStdout(), "not suppressed")
					return err
				}
				if err := writeRows(c, format, inForce); err != nil || len(inForce) == 0 {
					return err
				}
				return &statusError{suppressionStatus}
			})
		},
	}
	l.flags(c)
	outputFlag(c, &format)
	c.Flags().StringVar(&scope, "scope", "", "the list that the mail is of, such as postmark:newsletter; by default what is of all mail alone")
	return c
}

func find(ctx context.Context, s suppression.Store, address string) ([]suppression.Row, error) {
	ctx, cancel := context.WithTimeout(ctx, suppressionTimeout)
	defer cancel()
	return s.Find(ctx, suppression.Fold(address))
}

// listFilter says which rows are listed.
type listFilter struct {
	class    string
	released bool
	limit    int
}

func (f *listFilter) check() error {
	if f.class != "" && !slices.Contains(suppression.Classes(), suppression.Class(f.class)) {
		return &usageError{fmt.Sprintf("--class is %q: it is one of %s", f.class, classes())}
	}
	if f.limit < 1 {
		return &usageError{"--limit must be 1 or more"}
	}
	return nil
}

// rows returns the rows of a store that pass.
func (f *listFilter) rows(ctx context.Context, s suppression.Store) (rows []suppression.Row, err error) {
	err = s.Walk(ctx, func(r suppression.Row) error {
		if (f.released || r.InForce()) && (f.class == "" || string(r.Class) == f.class) {
			rows = append(rows, r)
		}
		if len(rows) == f.limit {
			return errLimit
		}
		return nil
	})
	if errors.Is(err, errLimit) {
		err = nil
	}
	return rows, err
}

func newSuppressionList() *cobra.Command {
	var l listed
	var f listFilter
	var format string
	c := &cobra.Command{
		Use: "list", Short: "List what is suppressed", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return err
			}
			return l.with(c, func(ctx context.Context, s suppression.Store) error {
				rows, err := f.rows(ctx, s)
				if err != nil {
					return err
				}
				if len(rows) == f.limit {
					fmt.Fprintf(c.ErrOrStderr(), "There may be more than %d; write --limit, or export.\n", f.limit)
				}
				return writeRows(c, format, rows)
			})
		},
	}
	l.flags(c)
	outputFlag(c, &format)
	c.Flags().StringVar(&f.class, "class", "", "only these: "+classes())
	c.Flags().BoolVar(&f.released, "released", false, "also what is not in force any more")
	c.Flags().IntVar(&f.limit, "limit", 100, "how many at most")
	return c
}

// errLimit ends a walk that has found enough.
var errLimit = errors.New("enough")

func classes() string {
	var names []string
	for _, class := range suppression.Classes() {
		names = append(names, string(class))
	}
	return strings.Join(names, ", ")
}
