package workload

import (
	"context"
	"errors"
	"fmt"

	"github.com/mailvane/mailvane/controllers/receiver/inventory"
	"github.com/mailvane/mailvane/controllers/receiver/plan"
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/receiver/admin/access"
)

// Prune deletes what no receiver consists of any more. Of a receiver that changes its form, for example from a Deployment to a
// StatefulSet, the old objects go when a pod of the new form is available, and what pods need to stop in order goes after them. The
// NetworkPolicy goes after the last pod, whose admin port every pod of the cluster could reach without it.
func (p *Phase) Prune(ctx context.Context, in Input) error {
	receivers := make(map[string]*plan.Receiver, len(in.Receivers))
	for _, r := range in.Receivers {
		receivers[r.Name] = r
	}
	wanted := p.wanted(&in)
	var errs []error
	for id, object := range in.Objects {
		name := inventory.ReceiverOf(object)
		r, protects := receivers[name], id.Kind.Kind == "NetworkPolicy"
		if wanted[id] || (r != nil && !in.isUnused(r, id)) || (protects && in.HasPods[name]) {
			continue
		}
		if err := p.Applier.Delete(ctx, object); err != nil {
			errs = append(errs, fmt.Errorf("delete an object of receiver %s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

// wanted returns what the receivers consist of.
func (p *Phase) wanted(in *Input) map[inventory.ID]bool {
	wanted := map[inventory.ID]bool{}
	for _, r := range in.Receivers {
		wanted[inventory.SecretID(children.ConfigSecretName(r.Name))] = true
		for i := range in.Configurations[r.Name].Parts {
			wanted[inventory.SecretID(children.PartSecretName(r.Name, i))] = true
		}
		for _, right := range access.Rights() {
			wanted[inventory.SecretID(children.AdminSecretName(r.Name, right))] = true
		}
		for _, object := range r.Render(p.Options) {
			wanted[inventory.IDOf(object)] = true
		}
	}
	return wanted
}

// isUnused reports whether an object that a receiver does not consist of any more is of no use to its pods.
func (in *Input) isUnused(r *plan.Receiver, id inventory.ID) bool {
	if r.Retiring || !in.Workloads[inventory.WorkloadID(r.WorkloadKind(), r.Name)].Available {
		return false
	}
	if _, isWorkload := in.Workloads[id]; isWorkload {
		return true
	}
	former := "Deployment"
	if r.WorkloadKind() == former {
		former = "StatefulSet"
	}
	return in.Objects[inventory.WorkloadID(former, r.Name)] == nil
}
