package command

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/metrics"
)

// readiness is what the status of an object says in short.
type readiness struct {
	// Ready is True, False or Unknown.
	Ready   string `json:"ready"`
	Reason  string `json:"reason,omitzero"`
	Message string `json:"message,omitzero"`
}

func readinessOf(conditions []metav1.Condition) readiness {
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	if ready == nil {
		return readiness{Ready: string(metav1.ConditionUnknown)}
	}
	return readiness{Ready: string(ready.Status), Reason: ready.Reason, Message: ready.Message}
}

// endpoint is an endpoint of a cluster: what its status says, and what its receivers have counted.
type endpoint struct {
	Name     string `json:"name"`
	Provider string `json:"provider"`
	State    string `json:"state"`
	URL      string `json:"url,omitzero"`
	readiness
	// Receivers counts the pods that serve it, of those that were asked.
	Receivers int `json:"receivers"`
	metrics.Counts
}

func newEndpoints() *cobra.Command {
	var from whom
	var format string
	c := &cobra.Command{
		Use: "endpoints", Short: "List endpoints, and what came to them since their receivers started", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := from.open()
			if err != nil {
				return err
			}
			if s.cluster == nil {
				return servedEndpoints(c, s.receivers[0], format)
			}
			return clusterEndpoints(c, s, format)
		},
	}
	from.flags(c, read())
	outputFlag(c, &format)
	return c
}

// servedEndpoints lists the endpoints of one receiver.
func servedEndpoints(c *cobra.Command, r *receiver, format string) error {
	endpoints, err := r.Endpoints(c.Context())
	if err != nil {
		return err
	}
	t := table{header: []string{"ENDPOINT", "PROVIDER", "PATH", "VERIFICATION", "STATE", "ACCEPTED", "DUPLICATES", "REFUSED", "TOO LARGE", "PROBLEMS", "SINKS"}}
	for i := range endpoints {
		e := &endpoints[i]
		t.rows = append(t.rows, slices.Concat([]string{e.Name, e.Provider, e.Path, e.Verification, e.State}, counts(e.Counts), []string{problems(e.Problems), strings.Join(e.Routes, ",")}))
	}
	return write(c.OutOrStdout(), format, endpoints, t)
}

func counts(c metrics.Counts) []string {
	return []string{
		strconv.FormatUint(c.Accepted, 10), strconv.FormatUint(c.Duplicates, 10), strconv.FormatUint(c.Refused, 10), strconv.FormatUint(c.TooLarge, 10),
	}
}

// problems returns the kinds of problems, and the routes that have them. A cluster tells them in conditions.
func problems(all []config.Problem) string {
	if len(all) == 0 {
		return "-"
	}
	kinds := make([]string, len(all))
	for i, p := range all {
		kinds[i] = p.Kind
		if p.Route != "" {
			kinds[i] += "(" + p.Route + ")"
		}
	}
	return strings.Join(kinds, ",")
}

// clusterEndpoints lists the endpoints of a cluster. What the receivers do not say is missing, and said to be.
func clusterEndpoints(c *cobra.Command, s *scope, format string) error {
	objects, err := s.cluster.Endpoints(c.Context())
	if err != nil {
		return err
	}
	err = s.find(c.Context(), c.ErrOrStderr())
	served, failed := ask(c.Context(), s.receivers, func(ctx context.Context, r *receiver) ([]admin.Endpoint, error) { return r.Endpoints(ctx) })
	endpoints := mergeEndpoints(objects, served)
	t := table{header: []string{"ENDPOINT", "PROVIDER", "READY", "REASON", "RECEIVERS", "ACCEPTED", "DUPLICATES", "REFUSED", "TOO LARGE", "URL"}}
	for i := range endpoints {
		e := &endpoints[i]
		t.rows = append(t.rows, slices.Concat([]string{e.Name, e.Provider, e.Ready, e.Reason, strconv.Itoa(e.Receivers)}, counts(e.Counts), []string{e.URL}))
	}
	return errors.Join(write(c.OutOrStdout(), format, endpoints, t), err, failed)
}

func mergeEndpoints(objects []v1alpha1.WebhookEndpoint, served answers[[]admin.Endpoint]) []endpoint {
	counted := map[string]endpoint{}
	for _, answer := range served {
		for i := range answer.said {
			one := &answer.said[i]
			sum := counted[one.Name]
			sum.Receivers++
			sum.Counts = sum.Plus(one.Counts)
			counted[one.Name] = sum
		}
	}
	out := make([]endpoint, 0, len(objects))
	for i := range objects {
		o := &objects[i]
		e := counted[o.Namespace+"/"+o.Name]
		e.Name, e.URL = fmt.Sprintf("%s/%s", o.Namespace, o.Name), o.Status.URL
		e.Provider, e.State = string(o.Spec.Provider.Type), string(o.Spec.State)
		e.readiness = readinessOf(o.Status.Conditions)
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b endpoint) int { return strings.Compare(a.Name, b.Name) })
	return out
}
