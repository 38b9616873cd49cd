package sinkaws

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/sink"
)

// said is the error of an answer.
func said(status int, code string) error {
	return &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status, Header: http.Header{}}},
		Err:      &smithy.GenericAPIError{Code: code, Message: "no"},
	}
}

func TestSendAll(t *testing.T) {
	t.Parallel()
	const large = maxRequestBytes + 1
	repeat := func(n, size int) (sizes []int) {
		for range n {
			sizes = append(sizes, size)
		}
		return sizes
	}
	for name, tc := range map[string]struct {
		sizes    []int
		failing  map[int]error // by the first position of a request
		entry    map[int]error
		requests [][]int
		failed   []int // nil = none
		whole    bool
	}{
		"ten at a time":              {repeat(12, 1), nil, nil, [][]int{{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {10, 11}}, nil, false},
		"as much as fits":            {[]int{maxRequestBytes / 2, maxRequestBytes / 2, 1}, nil, nil, [][]int{{0, 1}, {2}}, nil, false},
		"a large one alone":          {[]int{1, large, 1}, nil, nil, [][]int{{0}, {1}, {2}}, nil, false},
		"too large alone":            {[]int{1, large, 1}, map[int]error{1: said(http.StatusBadRequest, "InvalidParameterValue")}, nil, [][]int{{0}, {1}, {2}}, []int{1}, false},
		"too large alone and first":  {[]int{large}, map[int]error{0: said(http.StatusRequestEntityTooLarge, "")}, nil, [][]int{{0}}, []int{0}, false},
		"a large one without rights": {[]int{1, large, 1}, map[int]error{1: said(http.StatusBadRequest, "AccessDenied")}, nil, [][]int{{0}, {1}}, []int{1, 2}, false},
		"the first request fails":    {repeat(12, 1), map[int]error{0: said(http.StatusInternalServerError, "InternalFailure")}, nil, [][]int{{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}}, nil, true},
		"the second request fails":   {repeat(12, 1), map[int]error{10: said(http.StatusInternalServerError, "InternalFailure")}, nil, [][]int{{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {10, 11}}, []int{10, 11}, false},
		"a request is too long": {
			repeat(12, 1),
			map[int]error{0: said(http.StatusBadRequest, "BatchRequestTooLong")},
			nil,
			[][]int{{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}, {8}, {9}, {10, 11}},
			[]int{0},
			false,
		},
		"an entry fails": {repeat(12, 1), nil, map[int]error{3: errors.New("no"), 11: errors.New("no")}, [][]int{{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {10, 11}}, []int{3, 11}, false},
	} {
		var requests [][]int
		codes := Codes{Service: "SQS", Permanent: []string{"BatchRequestTooLong"}}
		err := codes.SendAll(t.Context(), tc.sizes, func(_ context.Context, positions []int) (map[int]error, error) {
			requests = append(requests, positions)
			failed := map[int]error{}
			for _, i := range positions {
				if tc.entry[i] != nil {
					failed[i] = tc.entry[i]
				}
			}
			return failed, tc.failing[positions[0]]
		})
		if diff := cmp.Diff(tc.requests, requests); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		var failed []int
		parts := sink.FailedOf(err, len(tc.sizes))
		for i := range tc.sizes {
			if parts[i] != nil {
				failed = append(failed, i)
			}
		}
		if diff := cmp.Diff(tc.failed, failed); diff != "" || (err != nil && parts == nil) != tc.whole {
			t.Errorf("%s: %v %s", name, err, diff)
		}
		if strings.Contains(name, "too l") && !sink.IsPermanent(parts[tc.failed[0]]) || name == "a large one without rights" && sink.IsPermanent(parts[1]) {
			t.Errorf("%s: %v", name, parts)
		}
	}
}

func TestGroupOf(t *testing.T) {
	t.Parallel()
	for key, kept := range map[string]bool{
		"m1@example.com": true, strings.Repeat("k", 128): true, strings.Repeat("k", 129): false, "two words": false, "ü@example.com": false,
	} {
		got := GroupOf(&sink.Message{ID: "1", Key: key})
		if (got == key) != kept || len(got) > 128 || got == "" {
			t.Errorf("%s: %s", key, got)
		}
	}
	if got := GroupOf(&sink.Message{ID: "1"}); got != "1" {
		t.Errorf("no key: %s", got)
	}
}
