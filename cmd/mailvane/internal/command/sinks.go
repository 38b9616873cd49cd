package command

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/receiver/admin"
)

// sink is a sink of a cluster: what its status says, and what its receivers say together.
type sink struct {
	admin.Sink
	readiness
	// Receivers counts the pods that deliver to it, of those that were asked.
	Receivers int `json:"receivers"`
}

// stored is what one receiver says of its sinks, and which journal it speaks of.
type stored struct {
	journal string
	sinks   []admin.Sink
}

func newSinks() *cobra.Command {
	var from whom
	var format string
	c := &cobra.Command{
		Use: "sinks", Short: "List sinks: what waits and what fails", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := from.open()
			if err != nil {
				return err
			}
			if s.cluster == nil {
				return fedSinks(c, s.receivers[0], format)
			}
			return clusterSinks(c, s, format)
		},
	}
	from.flags(c, read())
	outputFlag(c, &format)
	return c
}

// fedSinks lists the sinks of one receiver.
func fedSinks(c *cobra.Command, r *receiver, format string) error {
	sinks, err := r.Sinks(c.Context())
	if err != nil {
		return err
	}
	t := table{header: []string{"SINK", "TYPE", "STATE", "PENDING", "OLDEST", "LAST ERROR"}}
	for i := range sinks {
		s := &sinks[i]
		t.rows = append(t.rows, slices.Concat([]string{s.Name, s.Type}, delivering(s)))
	}
	return write(c.OutOrStdout(), format, sinks, t)
}

// delivering returns the columns that say how a sink does.
func delivering(s *admin.Sink) []string {
	state, oldest := "failing", "-"
	if s.Healthy {
		state = "ok"
	}
	if s.Pending > 0 {
		oldest = (time.Duration(s.OldestSeconds) * time.Second).String()
	}
	return []string{state, strconv.FormatInt(s.Pending, 10), oldest, s.LastError}
}

// clusterSinks lists the sinks of a cluster. What the receivers do not say is missing, and said to be.
func clusterSinks(c *cobra.Command, s *scope, format string) error {
	objects, err := s.cluster.Sinks(c.Context())
	if err != nil {
		return err
	}
	err = s.find(c.Context(), c.ErrOrStderr())
	answered, failed := ask(c.Context(), s.receivers, func(ctx context.Context, r *receiver) (stored, error) {
		journal, err := r.Journal(ctx)
		if err != nil {
			return stored{}, err
		}
		sinks, err := r.Sinks(ctx)
		return stored{journal: journal.Shared, sinks: sinks}, err
	})
	sinks := mergeSinks(objects, answered)
	t := table{header: []string{"SINK", "TYPE", "READY", "REASON", "RECEIVERS", "STATE", "PENDING", "OLDEST", "LAST ERROR"}}
	for i := range sinks {
		k := &sinks[i]
		columns := delivering(&k.Sink)
		if k.Receivers == 0 {
			columns = []string{"-", "-", "-", ""}
		}
		t.rows = append(t.rows, slices.Concat([]string{k.Name, k.Type, k.Ready, k.Reason, strconv.Itoa(k.Receivers)}, columns))
	}
	return errors.Join(write(c.OutOrStdout(), format, sinks, t), err, failed)
}

// mergeSinks adds up what receivers say: a sink is healthy if it is for all of them. What waits in a journal that several
// share counts once. A sink that only receivers know is owed events of an object that is gone.
func mergeSinks(objects []v1alpha1.EventSink, answered answers[stored]) []sink {
	merged := map[string]*sink{}
	for i := range objects {
		o := &objects[i]
		name := o.Namespace + "/" + o.Name
		merged[name] = &sink{Sink: admin.Sink{Name: name, Type: string(o.Spec.Type)}, readiness: readinessOf(o.Status.Conditions)}
	}
	counted := map[[2]string]bool{}
	for _, answer := range answered {
		for _, one := range answer.said.sinks {
			key := [2]string{answer.said.journal, one.Name}
			if answer.said.journal != "" && counted[key] {
				one.Pending, one.OldestSeconds = 0, 0
			}
			counted[key] = true
			if merged[one.Name] == nil {
				merged[one.Name] = &sink{Sink: admin.Sink{Name: one.Name, Type: one.Type}, readiness: readinessOf(nil)}
			}
			merged[one.Name].add(&one)
		}
	}
	out := make([]sink, 0, len(merged))
	for _, name := range slices.Sorted(maps.Keys(merged)) {
		out = append(out, *merged[name])
	}
	return out
}

func (s *sink) add(one *admin.Sink) {
	s.Healthy = one.Healthy && (s.Healthy || s.Receivers == 0)
	s.Receivers++
	s.Pending += one.Pending
	s.OldestSeconds = max(s.OldestSeconds, one.OldestSeconds)
	if one.LastErrorTime.After(s.LastErrorTime) {
		s.LastError, s.LastErrorTime = one.LastError, one.LastErrorTime
	}
}
