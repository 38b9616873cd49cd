package configuration

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFiltersAreJudgedOnce follows three passes: what one does not use is forgotten.
func TestFiltersAreJudgedOnce(t *testing.T) {
	t.Parallel()
	var asked []string
	wrong := errors.New("wrong")
	check := func(filter string) error {
		asked = append(asked, filter)
		if filter == "bad" {
			return wrong
		}
		return nil
	}
	var k known
	for _, pass := range [][]string{{"a", "bad", "a"}, {"bad", "b"}, {"a", "b"}} {
		judge := k.judge(check)
		for _, filter := range pass {
			if err := judge(filter); (filter == "bad") != errors.Is(err, wrong) {
				t.Errorf("%s: %v", filter, err)
			}
		}
	}
	if diff := cmp.Diff([]string{"a", "bad", "b", "a"}, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	if k.judge(nil) != nil {
		t.Error("there is nothing to ask")
	}
}
