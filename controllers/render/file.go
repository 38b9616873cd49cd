package render

// fileKey returns the value of a Secret's key that holds the text of a file, such as PEM, of which line breaks are part.
func (s *settingsResolver) fileKey(field, name, key string) string {
	data, found := s.secret(s.object.Namespace, name)
	readable := s.secretType == nil || refusedType(s.secretType(s.object.Namespace, name)) == ""
	if found && readable && len(data[key]) > 0 {
		return string(data[key])
	}
	return s.secretKey(field, name, key, 0) // it says what is wrong
}
