package version

import "testing"

func TestChoose(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ release, module, want string }{
		"a release":              {"v1.2.3", "(devel)", "v1.2.3"},
		"a build of a commit":    {"", "v0.0.0-20260101000000-0123456789ab", "v0.0.0-20260101000000-0123456789ab"},
		"a build of a work tree": {"", "(devel)", "(devel)"},
		"a build that says none": {"", "", "unknown"},
	} {
		if got := choose(c.release, c.module); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if String() == "" {
		t.Error("this test has no version")
	}
}
