package render_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/render"
)

// secretInput returns an endpoint with a provider's key and a path token, and a sink with a header, which all are in Secret keys.
func secretInput(data map[string][]byte, secretType string) render.Input {
	ref := func(key string) []v1alpha1.SecretKeyReference {
		return []v1alpha1.SecretKeyReference{{Name: "keys", Key: key}}
	}
	e := v1alpha1.WebhookEndpoint{}
	e.Namespace, e.Name = "mail", "e"
	e.Spec.Provider = v1alpha1.Provider{Type: v1alpha1.EngageLab, EngageLab: &v1alpha1.EngageLabProvider{AppKeyRefs: ref("key")}}
	e.Spec.Authentication = v1alpha1.Authentication{
		PathToken: v1alpha1.PathTokenFactor{SecretRefs: ref("token")},
		Header:    v1alpha1.HeaderFactor{Name: "X-Api-Key", SecretRefs: ref("header")},
		Basic:     v1alpha1.BasicFactor{SecretRefs: []v1alpha1.BasicSecretReference{{Name: "keys"}}},
	}
	sink := v1alpha1.EventSink{}
	sink.Namespace, sink.Name = "mail", "s"
	sink.Spec = v1alpha1.EventSinkSpec{Type: v1alpha1.SinkHTTP, HTTP: &v1alpha1.HTTPSink{
		URL: "https://example.com", Headers: []v1alpha1.HTTPHeader{{Name: "Authorization", SecretRef: &ref("sink")[0]}},
	}}
	return render.Input{
		Endpoints: []v1alpha1.WebhookEndpoint{e}, Sinks: []v1alpha1.EventSink{sink},
		Secret:     func(_, name string) (map[string][]byte, bool) { return data, name == "keys" },
		SecretType: func(string, string) string { return secretType },
	}
}

// good returns keys that nothing is wrong with.
func good() map[string][]byte {
	long := []byte("0123456789abcdef0123456789abcdef")
	return map[string][]byte{
		"key": []byte("appkey123"), "token": long, "header": long, "username": []byte("mail"), "password": []byte("twelve bytes"), "sink": []byte("Bearer a"),
	}
}

// TestOddSecrets has values that people make by mistake. What can never be right is a fault, what may be is a warning, and neither
// repeats the value.
func TestOddSecrets(t *testing.T) {
	t.Parallel()
	const fault, warning = "fault", "warning"
	for name, tc := range map[string]struct {
		reason, value, want, words string
	}{
		"right":                      {"", "0123456789abcdef!", "", ""},
		"inner blanks":               {"a pass phrase has some", "correct horse battery staple", "", ""},
		"inner line break":           {"as certificates have", "0123456789\nabcdefgh", "", ""},
		"base64 of random bytes":     {"the usual form of a key", "3q2+78r+ur4AAQIDBAUGBwgJCgsMDQ4P", "", ""},
		"hexadecimal":                {"openssl rand -hex 16", "00112233445566778899aabbccddeeff", "", ""},
		"a word that is base64":      {"by chance", "abcdefghabcdefgh", "", ""},
		"line break behind":          {"echo", "0123456789abcdef\n", fault, "ends with a line break"},
		"CR LF behind":               {"Windows", "0123456789abcdef\r\n", fault, "ends with a line break"},
		"line break before":          {"YAML", "\n0123456789abcdef", fault, "begins with a line break"},
		"byte order mark":            {"an editor", "\ufeff0123456789abcdef", fault, "byte order mark"},
		"NUL":                        {"a C string", "0123456789abcdef\x00", fault, "NUL"},
		"only blanks":                {"nothing is there", " \t\u00a0            ", fault, "nothing but blanks"},
		"empty":                      {"", "", fault, "is empty"},
		"UTF-16":                     {"PowerShell", "\xff\xfe0\x001\x00", fault, "not UTF-8"},
		"blank before":               {"", " 0123456789abcdef", warning, "begins or ends with a blank"},
		"blank behind":               {"", "0123456789abcdef ", warning, "begins or ends with a blank"},
		"tab behind":                 {"", "0123456789abcdef\t", warning, "begins or ends with a blank"},
		"no-break space":             {"copied from a page", "0123456789abcdef\u00a0", warning, "begins or ends with a blank"},
		"zero-width space":           {"copied from a page", "\u200b0123456789abcdef", warning, "begins or ends with a blank"},
		"quotation marks":            {"a shell in a shell", `"0123456789abcdef"`, warning, "quotation marks"},
		"single quotation marks":     {"cmd.exe knows none", `'0123456789abcdef'`, warning, "quotation marks"},
		"base64 of a text":           {"data instead of stringData", base64.StdEncoding.EncodeToString([]byte("0123456789abcdef")), warning, "encoded twice"},
		"base64 of a text with LF":   {"echo abc | base64", base64.StdEncoding.EncodeToString([]byte("0123456789abcdef\n")), warning, "encoded twice"},
		"base64 of hexadecimal text": {"the same", base64.StdEncoding.EncodeToString([]byte("00112233445566778899aabbccddeeff")), warning, "encoded twice"},
	} {
		for _, key := range []string{"key", "token", "header", "password", "sink"} {
			t.Run(name+"/"+key, func(t *testing.T) {
				t.Parallel()
				data := good()
				data[key] = []byte(tc.value)
				c, problems := render.Render(secretInput(data, "Opaque"))
				got := ""
				for _, p := range problems {
					got = map[bool]string{true: warning, false: fault}[p.Warning]
					if !strings.Contains(p.Message, tc.words) || (len(tc.value) > 8 && strings.Contains(p.Message, tc.value)) {
						t.Errorf("%s: %s", tc.reason, p.Message)
					}
				}
				if got != tc.want || len(problems) > 1 {
					t.Errorf("%s: got %q (%v), want %q", tc.reason, got, problems, tc.want)
				}
				if works := len(c.Sinks) == 1 && c.Endpoints[0].State != "Unavailable"; works == (tc.want == fault) {
					t.Errorf("%s: it works: %t", tc.reason, works)
				}
			})
		}
	}
}

// TestShortFactors has secrets that can be guessed. A provider's own are its own choice.
func TestShortFactors(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		key, value string
		short      bool
	}{
		"token of 1 byte":       {"token", "x", true},
		"token of 15":           {"token", "0123456789abcde", true},
		"token of 16":           {"token", "0123456789abcdef", false},
		"header of 15":          {"header", "0123456789abcde", true},
		"header of 16":          {"header", "0123456789abcdef", false},
		"password of 11":        {"password", "0123456789a", true},
		"password of 12":        {"password", "0123456789ab", false},
		"user name of 1":        {"username", "a", false},
		"key of the provider":   {"key", "abc", false},
		"header to a sink of 1": {"sink", "a", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := good()
			data[tc.key] = []byte(tc.value)
			_, problems := render.Render(secretInput(data, "Opaque"))
			short := len(problems) == 1 && strings.Contains(problems[0].Message, "can be guessed") && problems[0].Reason == v1alpha1.ReasonCredentialInvalid
			if short != tc.short || (!tc.short && len(problems) > 0) {
				t.Errorf("got %v", problems)
			}
		})
	}
}

// TestTokensOfTheClusterAreNotRead names Secrets that are the credentials of others.
func TestTokensOfTheClusterAreNotRead(t *testing.T) {
	t.Parallel()
	for secretType, refused := range map[string]bool{
		"": false, "Opaque": false, "kubernetes.io/basic-auth": false, "kubernetes.io/tls": false, "example.com/mail": false,
		"kubernetes.io/service-account-token": true, "bootstrap.kubernetes.io/token": true, "kubernetes.io/dockerconfigjson": true,
		"kubernetes.io/dockercfg": true, "helm.sh/release.v1": true,
	} {
		t.Run(secretType, func(t *testing.T) {
			t.Parallel()
			c, problems := render.Render(secretInput(good(), secretType))
			if len(problems) > 0 != refused || (len(c.Sinks) == 0) != refused {
				t.Errorf("%v", problems)
			}
			document := ""
			for i := range c.Endpoints {
				document += string(c.Endpoints[i].Provider.Settings)
			}
			if strings.Contains(document, "appkey123") == refused {
				t.Errorf("the configuration has %s", document)
			}
		})
	}
}

// TestKeysAreNamedOnlyWhenNear tells who mistypes a key what he meant, and nobody else which keys there are.
func TestKeysAreNamedOnlyWhenNear(t *testing.T) {
	t.Parallel()
	for asked, near := range map[string]string{
		"appkey": "appKey", "app-key": "appKey", "appKeys": "appKey", "apKey": "appKey", "k": "", "nosuchkey": "", "password": "",
		strings.Repeat("x", 200): "", "xxxKey": "",
	} {
		in := secretInput(map[string][]byte{"appKey": []byte("a"), "dbPassphrase": []byte("b")}, "")
		in.Endpoints[0].Spec.Provider.EngageLab.AppKeyRefs[0].Key = asked
		in.Endpoints[0].Spec.Authentication = v1alpha1.Authentication{}
		in.Sinks = nil
		_, problems := render.Render(in)
		if len(problems) != 1 || strings.Contains(problems[0].Message, "dbPassphrase") || strings.Contains(problems[0].Message, "appKey\"?") != (near != "") {
			t.Errorf("%s: %v", asked, problems)
		}
	}
}
