package render

import (
	"bytes"
	"encoding/base64"
	"strings"
	"unicode"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
)

const (
	// minFactorBytes is the length from which a secret in a path or a header counts as a factor: 16 bytes, as 32 hexadecimal digits or
	// 24 characters of base64 hold at least.
	minFactorBytes = 16
	// minPasswordBytes is the same for passwords, which people may have to type.
	minPasswordBytes = 12
	// byteOrderMark is what some editors put in front of a text.
	byteOrderMark = "\ufeff"
)

// unusable says why a value can never be what somebody else sends, and what to do; empty when it may be. It says nothing of the value
// itself.
func unusable(value []byte, least int) string {
	switch {
	case len(value) == 0:
		return "is empty"
	case !utf8.Valid(value):
		return "is not UTF-8 text; is it encoded twice?"
	case bytes.HasPrefix(value, []byte(byteOrderMark)):
		return "begins with a byte order mark, which an editor has put there; recreate it without one"
	case bytes.IndexByte(value, 0) >= 0:
		return "holds a NUL; recreate it from text"
	case len(bytes.TrimSpace(value)) == 0:
		return "holds nothing but blanks"
	case isLineBreak(value[len(value)-1]):
		return "ends with a line break; recreate it without one (printf %s, not echo)"
	case isLineBreak(value[0]):
		return "begins with a line break; recreate it without one"
	case len(value) < least:
		return tooShort(least)
	}
	return ""
}

func tooShort(least int) string {
	if least == minPasswordBytes {
		return "is shorter than 12 bytes, which can be guessed; recreate it longer"
	}
	return "is shorter than 16 bytes, which can be guessed; recreate it longer, for example by: openssl rand -hex 32"
}

func isLineBreak(b byte) bool { return b == '\n' || b == '\r' }

// suspicious says what is odd about a value that may be right all the same; empty when nothing is.
func suspicious(value string) string {
	first, _ := utf8.DecodeRuneInString(value)
	last, _ := utf8.DecodeLastRuneInString(value)
	switch {
	case isBlank(first), isBlank(last):
		return "begins or ends with a blank, which is part of it; recreate it unless it belongs there"
	case len(value) > 1 && first == last && (first == '"' || first == '\''):
		return "is between quotation marks, which are part of it; recreate it unless they belong there"
	case isTwiceEncoded(value):
		return "is the base64 of a text; if the text is the credential, it is encoded twice: recreate it, or use stringData"
	}
	return ""
}

// isBlank takes also those that nobody sees: the no-break space, which pages put between words, and characters without a width.
func isBlank(r rune) bool {
	return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r)
}

// isTwiceEncoded says whether a value decodes to a text that people or programs write. Random bytes hardly ever do.
func isTwiceEncoded(value string) bool {
	const least = 8 // shorter words may be base64 by chance
	text, err := base64.StdEncoding.DecodeString(value)
	return err == nil && len(text) >= least && !strings.ContainsFunc(string(text), func(r rune) bool {
		return r > unicode.MaxASCII || (!unicode.IsPrint(r) && r != '\n' && r != '\r')
	})
}

// refusedType says why a Secret of a type is not read: it is the credential of a part of the cluster, and nobody's to send elsewhere.
func refusedType(secretType string) string {
	switch corev1.SecretType(secretType) {
	case corev1.SecretTypeServiceAccountToken, corev1.SecretTypeBootstrapToken:
		return "is a token for the cluster itself"
	case corev1.SecretTypeDockercfg, corev1.SecretTypeDockerConfigJson:
		return "is for pulling images"
	default:
		if strings.HasPrefix(secretType, "helm.sh/release.") {
			return "is what Helm keeps of a release"
		}
		return ""
	}
}
