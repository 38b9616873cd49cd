package sink

// JoinLines returns the envelopes of the messages, each on a line of its own.
func JoinLines(messages []Message) []byte {
	size := 0
	for i := range messages {
		size += len(messages[i].Envelope) + 1
	}
	lines := make([]byte, 0, size)
	for i := range messages {
		lines = append(append(lines, messages[i].Envelope...), '\n')
	}
	return lines
}
