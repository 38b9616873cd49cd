package render

import "strings"

// Nearest returns the known name that differs least from name, in at most limit letters and not in most of them; none if a typing error does not
// explain the difference. Upper and lower case are the same.
func Nearest(name string, known []string, limit int) string {
	best, bound := "", min(len(name)/3, limit)+1
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
