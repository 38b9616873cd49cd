package account_test

import (
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/sink/sinkaws/account"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		settings account.Settings
		want     string
	}{
		"web identity":        {account.Settings{}, ""},
		"another role":        {account.Settings{RoleARN: "arn:aws:iam::123456789012:role/mailvane"}, ""},
		"a key":               {account.Settings{AccessKeyID: "AKIA", SecretAccessKey: "s3cret"}, ""},
		"one that ends":       {account.Settings{AccessKeyID: "ASIA", SecretAccessKey: "s3cret", SessionToken: "s3cret"}, ""},
		"half a key":          {account.Settings{SecretAccessKey: "s3cret"}, "must be set together"},
		"the other half":      {account.Settings{AccessKeyID: "AKIA"}, "must be set together"},
		"a token alone":       {account.Settings{SessionToken: "s3cret"}, "without an access key"},
		"a line break":        {account.Settings{AccessKeyID: "AKIA", SecretAccessKey: "s3cret\n"}, "without blanks"},
		"a role by its name":  {account.Settings{RoleARN: "mailvane"}, "the ARN of a role"},
		"a token and no key ": {account.Settings{AccessKeyID: "AKIA", SessionToken: "s3cret"}, "must be set together"},
	} {
		err := tc.settings.Check()
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: the error holds the secret: %v", name, err)
		}
	}
}

func TestCheckEndpoint(t *testing.T) {
	t.Parallel()
	for endpoint, good := range map[string]bool{
		"": true, "https://s3.example.com": true, "http://127.0.0.1:7070/": true, "https://[2001:db8::1]:9000": true,
		"s3.example.com": false, "ftp://s3.example.com": false, "https://": false, "https://key:secret@s3.example.com": false,
		"https://s3.example.com/bucket": false, "https://s3.example.com?x=1": false, "https://s3 .example.com": false,
	} {
		if err := account.CheckEndpoint(endpoint); (err == nil) != good {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
}
