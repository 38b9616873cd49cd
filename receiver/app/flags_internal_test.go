package app

import (
	"testing"
	"time"
)

func TestSizes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		size  int64
		shown string
		ok    bool
	}{
		"0":                    {0, "0", true},
		"67108864":             {64 << 20, "64Mi", true},
		"64Mi":                 {64 << 20, "64Mi", true},
		"1536Mi":               {1536 << 20, "1536Mi", true},
		"1000":                 {1000, "1000", true},
		"8Gi":                  {8 << 30, "8Gi", true},
		"2Ti":                  {2 << 40, "2Ti", true},
		"1024Ti":               {1024 << 40, "1024Ti", true},
		"-1Ki":                 {-1 << 10, "-1Ki", true},
		"9Ei":                  {},
		"8388608Ti":            {},
		"64MB":                 {},
		"64 Mi":                {},
		"1.5Gi":                {},
		"Mi":                   {},
		"":                     {},
		"99999999999999999999": {},
	} {
		var got size
		err := got.Set(text)
		if (err == nil) != want.ok || int64(got) != want.size || err == nil && got.String() != want.shown {
			t.Errorf("%q: %d, %q, %v", text, got, got.String(), err)
		}
	}
}

func TestDurations(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"24h": 24 * time.Hour, "0": 0, "1m30s": 90 * time.Second, "5": -1, "1d": -1, "": -1} {
		got := duration(-1)
		if err := got.Set(text); (err == nil) != (want != -1) || time.Duration(got) != want {
			t.Errorf("%q: %v, %v", text, time.Duration(got), err)
		}
	}
}
