package wire

// Mend is mend.
func Mend(body []byte) []byte { return mend(body) }
