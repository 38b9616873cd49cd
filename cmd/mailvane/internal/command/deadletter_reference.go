package command

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mailvane/mailvane/internal/inspect"
)

// reference returns what names a dead letter of one of the receivers: its ID, and before it, in a cluster, whose it is:
// POD/ID, or NAMESPACE/POD/ID when all namespaces are asked.
func (s *scope) reference(r *inspect.Receiver, id uint64) string {
	text := strconv.FormatUint(id, 10)
	switch {
	case s.cluster == nil:
		return text
	case s.cluster.Namespace != "":
		return r.Pod + "/" + text
	default:
		return r.String() + "/" + text
	}
}

// resolve returns the receiver and the ID that a reference names.
func (s *scope) resolve(reference string) (*inspect.Receiver, uint64, error) {
	place, text := "", reference
	if i := strings.LastIndexByte(reference, '/'); i >= 0 {
		place, text = reference[:i], reference[i+1:]
	}
	id, err := strconv.ParseUint(text, 10, 64)
	if err != nil || (place != "") != (s.cluster != nil) {
		return nil, 0, fmt.Errorf("%q is not the ID of a dead letter here; \"deadletter list\" shows them", reference)
	}
	if s.cluster == nil {
		return s.receivers[0], id, nil
	}
	if !strings.Contains(place, "/") {
		place = s.cluster.Namespace + "/" + place
	}
	i := slices.IndexFunc(s.receivers, func(r *inspect.Receiver) bool { return r.String() == place })
	if i < 0 {
		return nil, 0, fmt.Errorf("%s: no receiver %s is ready in %s; \"deadletter list\" shows what there is", reference, place, s.cluster)
	}
	return s.receivers[i], id, s.receivers[i].Denied
}
