package sinkbatch_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/sinkbatch"
)

var (
	errNever = errors.New("never")
	errLater = errors.New("later")
)

// TestSendAll has requests refused for good and for now, at the beginning, in the middle and at the end.
func TestSendAll(t *testing.T) {
	t.Parallel()
	limits := sinkbatch.Limits{Messages: 3, Bytes: 10}
	for name, tc := range map[string]struct {
		sizes    []int
		says     func(positions []int) (map[int]error, error)
		requests string
		failed   map[int]error
		whole    error
	}{
		"nothing":           {nil, fine, "", nil, nil},
		"by number":         {[]int{1, 1, 1, 1, 1, 1, 1}, fine, "[0 1 2][3 4 5][6]", nil, nil},
		"by size":           {[]int{5, 5, 5, 9, 1, 1}, fine, "[0 1][2][3 4][5]", nil, nil},
		"too large, alone":  {[]int{1, 99, 1}, fine, "[0][1][2]", nil, nil},
		"one of them":       {[]int{1, 1}, func([]int) (map[int]error, error) { return map[int]error{1: errLater}, nil }, "[0 1]", map[int]error{1: errLater}, nil},
		"all for now":       {[]int{1, 1, 1, 1}, func([]int) (map[int]error, error) { return nil, errLater }, "[0 1 2]", nil, errLater},
		"the second, later": {[]int{5, 5, 5, 5, 5}, at(2, errLater), "[0 1][2 3]", map[int]error{2: errLater, 3: errLater, 4: errLater}, nil},
		"one, never":        {[]int{1, 1, 1, 1}, at(1, sink.Permanent(errNever)), "[0 1 2][0][1][2][3]", map[int]error{1: errNever}, nil},
		"the last, never":   {[]int{1, 1, 1, 1}, at(3, sink.Permanent(errNever)), "[0 1 2][3]", map[int]error{3: errNever}, nil},
	} {
		requests := ""
		err := sinkbatch.SendAll(t.Context(), tc.sizes, limits, func(_ context.Context, positions []int) (map[int]error, error) {
			requests += fmt.Sprint(positions)
			return tc.says(positions)
		})
		if diff := cmp.Diff(tc.requests, requests); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if tc.whole != nil && !errors.Is(err, tc.whole) {
			t.Errorf("%s: %v", name, err)
		}
		got := sink.FailedOf(err, len(tc.sizes))
		if len(got) != len(tc.failed) {
			t.Errorf("%s: %v", name, got)
		}
		for i, want := range tc.failed {
			if !errors.Is(got[i], want) {
				t.Errorf("%s: %d: %v, want %v", name, i, got[i], want)
			}
		}
	}
}

func fine([]int) (map[int]error, error) { return nil, nil }

// at has every request with one position fail.
func at(position int, err error) func([]int) (map[int]error, error) {
	return func(positions []int) (map[int]error, error) {
		if slices.Contains(positions, position) {
			return nil, err
		}
		return nil, nil
	}
}
