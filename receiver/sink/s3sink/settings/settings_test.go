package settings_test

import (
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/settings"
	s3settings "github.com/mailvane/mailvane/receiver/sink/s3sink/settings"
)

func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ reason, settings, want string }{
		"no bucket":      {"it is required", `{"region":"eu-west-1"}`, "bucket must be"},
		"odd bucket":     {"names are in small letters", `{"bucket":"Events","region":"eu-west-1"}`, "bucket must be"},
		"a path":         {"a bucket is a name", `{"bucket":"a/../b","region":"eu-west-1"}`, "bucket must be"},
		"no region":      {"it is signed for", `{"bucket":"events"}`, "region must be"},
		"endpoint":       {"it is a URL", `{"bucket":"events","region":"eu-west-1","endpoint":"minio:9000"}`, "endpoint must be"},
		"addressing":     {"enum", `{"bucket":"events","region":"eu-west-1","addressing":"Host"}`, "addressing must be"},
		"compression":    {"enum", `{"bucket":"events","region":"eu-west-1","compression":"Snappy"}`, "compression must be"},
		"encryption":     {"enum", `{"bucket":"events","region":"eu-west-1","encryption":"None"}`, "encryption must be"},
		"key of nothing": {"it would not be used", `{"bucket":"events","region":"eu-west-1","encryption":"AES256","kmsKeyID":"k"}`, "kmsKeyID must not"},
		"prefix":         {"a typing error is no literal", `{"bucket":"events","region":"eu-west-1","prefix":"{day}/"}`, "prefix must have one of {type}"},
		"half a key":     {"nothing can be signed", `{"bucket":"events","region":"eu-west-1","authentication":{"accessKeyID":"AKIA"}}`, "authentication"},
		"tls of AWS":     {"AWS has a public certificate", `{"bucket":"events","region":"eu-west-1","tls":{"serverName":"s3.internal"}}`, "tls needs an endpoint"},
	} {
		if _, err := s3settings.Parse([]byte(test.settings), settings.Environment{}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want an error with %q: %s", name, err, test.want, test.reason)
		}
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	for text, path := range map[string]bool{
		`{"bucket":"events","region":"eu-west-1"}`:                                                                false,
		`{"bucket":"events","region":"eu-west-1","addressing":"Path"}`:                                            true,
		`{"bucket":"events","region":"us-east-1","endpoint":"http://minio:9000"}`:                                 true,
		`{"bucket":"events","region":"us-east-1","endpoint":"https://s3.example.com","addressing":"VirtualHost"}`: false,
	} {
		p, err := s3settings.Parse([]byte(text), settings.Environment{})
		if err != nil || p.PathStyle != path || p.Compression != s3settings.CompressionZstd {
			t.Errorf("%s: %+v, %v", text, p, err)
		}
	}
}
