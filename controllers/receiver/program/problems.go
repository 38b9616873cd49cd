package program

import (
	"cmp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/mailvane/mailvane/receiver/config"
)

// mergeProblems adds up what pods report: each has seen a part of the requests.
func mergeProblems(said map[types.UID]config.Loaded) []config.Problem {
	type identity struct{ endpoint, kind, route string }
	merged := map[identity]config.Problem{}
	for _, loaded := range said {
		for _, p := range loaded.Problems {
			id := identity{p.Endpoint, p.Kind, p.Route}
			sum, known := merged[id]
			if !known {
				merged[id] = p
				continue
			}
			sum.Count += p.Count
			if p.Since.Before(sum.Since) {
				sum.Since = p.Since
			}
			if p.Last.After(sum.Last) {
				sum.Last, sum.Message = p.Last, p.Message
			}
			merged[id] = sum
		}
	}
	all := make([]config.Problem, 0, len(merged))
	for _, p := range merged {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b config.Problem) int {
		return cmp.Or(strings.Compare(a.Endpoint, b.Endpoint), strings.Compare(a.Kind, b.Kind), strings.Compare(a.Route, b.Route))
	})
	return all
}
