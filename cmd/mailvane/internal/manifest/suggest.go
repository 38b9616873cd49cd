package manifest

import (
	"fmt"
	"strings"
)

// unknown says that name is not one of the known ones, and which one was probably meant.
func unknown(name, what string, known []string) string {
	if near := nearest(name, known); near != "" {
		return fmt.Sprintf("there is no %s %q; did you mean %q?", what, name, near)
	}
	if len(known) == 0 {
		return fmt.Sprintf("there is no %s %q here", what, name)
	}
	return fmt.Sprintf("there is no %s %q; there are %s", what, name, strings.Join(known, ", "))
}

// nearest returns the known name that differs least from name, or none if a typing error does not explain the difference.
func nearest(name string, known []string) string {
	best, bound := "", len(name)/3+1
	for _, candidate := range known {
		if d := distance(strings.ToLower(name), strings.ToLower(candidate)); d < bound {
			best, bound = candidate, d
		}
	}
	return best
}

// distance is the number of bytes to insert, delete or replace to turn a into b (the Levenshtein distance).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
