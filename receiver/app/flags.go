package app

import (
	"errors"
	"flag"
	"math"
	"strconv"
	"strings"
	"time"
)

var (
	errSize     = errors.New("write bytes, or a whole number with Ki, Mi, Gi or Ti, such as 64Mi")
	errDuration = errors.New("write a number with its unit, such as 500ms, 30s, 5m or 24h")
)

// sizeUnits are the suffixes of sizes, as manifests have them, and how far they shift a number.
func sizeUnits() []string { return []string{"Ki", "Mi", "Gi", "Ti"} }

const bitsPerUnit = 10

// size is the value of a flag: a number of bytes, written as in manifests.
type size int64

// Set implements flag.Value.
func (s *size) Set(text string) error {
	shift := 0
	for i, unit := range sizeUnits() {
		if number, ok := strings.CutSuffix(text, unit); ok {
			text, shift = number, (i+1)*bitsPerUnit
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n > math.MaxInt64>>shift || n < math.MinInt64>>shift {
		return errSize
	}
	*s = size(n << shift)
	return nil
}

// String implements flag.Value.
func (s *size) String() string {
	n, unit := int64(*s), ""
	for _, u := range sizeUnits() {
		if n == 0 || n%(1<<bitsPerUnit) != 0 {
			break
		}
		n, unit = n>>bitsPerUnit, u
	}
	return strconv.FormatInt(n, 10) + unit
}

// duration is the value of a flag, which says how a duration is written.
type duration time.Duration

// Set implements flag.Value.
func (d *duration) Set(text string) error {
	parsed, err := time.ParseDuration(text)
	if err != nil {
		return errDuration
	}
	*d = duration(parsed)
	return nil
}

// String implements flag.Value.
func (d *duration) String() string { return time.Duration(*d).String() }

func sizeFlag(f *flag.FlagSet, value *int64, name string, otherwise int64, usage string) {
	*value = otherwise
	f.Var((*size)(value), name, usage)
}

func durationFlag(f *flag.FlagSet, value *time.Duration, name string, otherwise time.Duration, usage string) {
	*value = otherwise
	f.Var((*duration)(value), name, usage)
}
