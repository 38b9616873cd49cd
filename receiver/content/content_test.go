package content_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	experiment "github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/content"
	"github.com/mailvane/mailvane/receiver/event"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const hashKey = "0123456789abcdef0123456789abcdef"

func hashed(value string) string {
	mac := hmac.New(sha256.New, []byte(hashKey))
	mac.Write([]byte(value))
	return hex.EncodeToString(mac.Sum(nil))
}

// fields makes the content of a list of "name=As".
func fields(list ...string) *config.Content {
	c := &config.Content{Raw: config.ContentDrop, HashKey: hashKey}
	for _, f := range list {
		name, as, _ := strings.Cut(f, "=")
		c.Fields = append(c.Fields, config.ContentField{Name: name, As: as})
	}
	return c
}

// apply returns what a sink gets of an event.
func apply(t *testing.T, c *config.Content, e *event.Event) ([]byte, event.Envelope) {
	t.Helper()
	structured, err := event.Encode(e, event.Source("mail", "endpoint"))
	if err != nil {
		t.Fatal(err)
	}
	shaped, err := content.New(c)
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := shaped.Apply(structured)
	if err != nil {
		t.Fatal(err)
	}
	out, err := envelope.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return out, envelope
}

func bounce() *event.Event {
	return &event.Event{
		ID: "a1", Type: event.Bounced, Provider: "Test", ProviderEvent: "hard_bounce", Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Recipient: "First.Last+tag@example.com", Recipients: []string{"First.Last+tag@example.com", "other.last+tag@example.com", "x@example.org"},
		Sender: "news@example.net", Subject: "Hello First", MessageID: "m1@example.net", SMTPCode: 550,
		Reason:     "550 5.1.1 <FIRST.LAST+TAG@EXAMPLE.COM>: user unknown",
		Diagnostic: "rcpt first.last+tag@example.com. from bounces-77-First.Last+tag=example.com@example.net via SRS0=x=example.com=first.last+tag@fwd.example, 192.0.2.77",
		Bounce:     event.Bounce{Type: event.Hard, Category: event.CategoryUserUnknown},
		URL:        "https://example.net/u?e=First.Last%2Btag%40example.com&n=%3Cfirst.last+tag%40example.com%3E", IP: "192.0.2.77", UserAgent: "Mozilla/5.0",
		Tags:     []string{"a", "first.last+tag@example.com"},
		Metadata: map[string]string{"order_id": "42", "to": "First.Last+tag@example.com", "First.Last+tag@example.com": "1", "empty": ""},
		Details:  map[string]string{"queue": "tg0$first.last+tag@example.com", "plain": "x"},
		Raw:      []byte(`{"to":"First.Last+tag@example.com"}`),
	}
}

// TestContent compares what a sink gets with golden files.
func TestContent(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason  string
		content *config.Content
		change  func(*event.Event)
	}{
		"raw":         {"only the provider's JSON goes", fields(), nil},
		"hash":        {"an address can be compared and not read, wherever it is", fields("recipient=Hash"), nil},
		"mask":        {"a person can guess and nobody can write", fields("recipient=Mask", "sender=Mask", "ip=Mask"), nil},
		"drop":        {"what depends on the recipient says something else", fields("recipient=Drop", "recipients=Drop", "subject=Drop", "bounce=Drop", "smtpCode=Drop"), nil},
		"members":     {"one member goes before all", fields("metadata.*=Drop", "metadata.order_id=Keep", "details.*=Hash", "details.plain=Mask"), nil},
		"all members": {"a map without members is none", fields("metadata.*=Drop", "details.*=Drop", "tags=Drop", "client=Drop"), nil},
		"key":         {"the partition key is the message's, which is not sent", fields("messageId=Hash"), nil},
		"recipient key": {"the partition key is the recipient", fields("recipient=Hash"), func(e *event.Event) {
			e.MessageID = ""
		}},
		"no key": {"there is no partition key any more", fields("recipient=Drop"), func(e *event.Event) {
			e.MessageID = ""
		}},
		"others": {"the recipient is kept, though the list has him", fields("recipients=Drop", "metadata.*=Hash"), nil},
		"name":   {"the provider's name is an attribute, too", fields("providerEvent=Drop"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := bounce()
			if tc.change != nil {
				tc.change(e)
			}
			out, _ := apply(t, tc.content, e)
			checkEvent(t, out)
			var indented bytes.Buffer
			if err := json.Indent(&indented, out, "", "  "); err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", strings.ReplaceAll(name, " ", "-")+".golden.json")
			if *update {
				if err := os.WriteFile(golden, append(indented.Bytes(), '\n'), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), indented.String()+"\n"); diff != "" {
				t.Errorf("%s:\n%s", tc.reason, diff)
			}
		})
	}
}

// checkEvent reads what a sink gets with independent readers.
func checkEvent(t *testing.T, out []byte) {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile("../../docs/reference/event.v1.json")
	if err != nil {
		t.Fatal(err)
	}
	var read cloudevents.Event
	if err := json.Unmarshal(out, &read); err != nil {
		t.Fatalf("the CloudEvents SDK cannot read %s: %v", out, err)
	}
	if err := read.Validate(); err != nil {
		t.Errorf("the CloudEvents SDK refuses %s: %v", out, err)
	}
	data, err := jsonschema.UnmarshalJSON(bytes.NewReader(read.Data()))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(data); err != nil {
		t.Errorf("the schema refuses %s: %v", read.Data(), err)
	}
}

// spread puts a text into every text of an event, in a form in which mail repeats addresses.
func spread(e *event.Event, form string) {
	e.Rewrite(event.Rewriter{Drop: func(string) bool { return false }, Text: func(field, value string) string {
		switch field {
		case "id", "provider", "recipient", "recipients", "sender":
			return value
		}
		return form
	}})
}

// TestNoByteOfAnAddressIsSent puts the recipient's address everywhere, in all forms, and looks for what identifies it in what is sent.
func TestNoByteOfAnAddressIsSent(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"ann.bee+tag@example.com", "x@example.com", `"ann bee"@example.com`, "änn@example.com", "ANN-BEE@example.com"} {
		local := address[:strings.LastIndexByte(address, '@')]
		escape := strings.NewReplacer("@", "%40", "+", "%2B", `"`, "%22", " ", "%20", "ä", "%C3%A4").Replace
		for name, form := range map[string]string{
			"as it is": address, "in brackets": "<" + address + ">", "upper case": strings.ToUpper("550 " + address + ": no"),
			"a URL": "https://example.net/?e=" + escape(address) + "&f=1", "a URL in brackets": "https://example.net/?e=%3c" + escape(address) + "%3e",
			"an @ escaped": "mailto:" + strings.ReplaceAll(address, "@", "%40"), "VERP": "bounces-1-" + local + "=example.com@example.net",
			"behind an escape": `line\n` + address + `\r`, "end of a sentence": "No such user: " + address + ".",
			"twice": address + "," + address, "SRS": "SRS0=a=b=example.com=" + local + "@example.net", "quoted-printable": "=3C" + address + "=3E",
		} {
			for _, as := range []string{config.ContentDrop, config.ContentMask, config.ContentHash} {
				e := bounce()
				e.Recipient, e.Recipients, e.Sender = address, []string{address}, "news@example.org"
				e.MessageID = ""
				spread(e, form)
				e.Metadata[form] = "a name"
				out, envelope := apply(t, fields("recipient="+as), e)
				checkNoAddress(t, out, local, fmt.Sprintf("%s, %s, %s", address, name, as))
				if strings.Contains(envelope.PartitionKey, address) || strings.Contains(envelope.Subject, address) {
					t.Errorf("%s: attributes %+v", name, envelope.Attributes)
				}
			}
		}
	}
}

// checkNoAddress looks for a local part before a domain of example.com. A short one is part of many words.
func checkNoAddress(t *testing.T, out []byte, local, what string) {
	t.Helper()
	var all any
	if err := json.Unmarshal(out, &all); err != nil {
		t.Fatal(err)
	}
	text := strings.ToLower(fmt.Sprint(all))
	escape := strings.NewReplacer("+", "%2b", `"`, "%22", " ", "%20", "ä", "%c3%a4").Replace
	local = strings.ToLower(local)
	for _, form := range []string{local, escape(local)} {
		for _, separator := range []string{"@", "%40", "="} {
			if strings.Contains(text, form+separator+"example.com") || strings.Contains(text, "example.com="+form) {
				t.Errorf("%s: %q is in %s", what, form, text)
			}
		}
	}
	if strings.Contains(text, "upper") {
		t.Error(what)
	}
}

// TestOtherAddressesStay keeps addresses that only look like the one that is not kept.
func TestOtherAddressesStay(t *testing.T) {
	t.Parallel()
	e := bounce()
	e.Recipient = "ann@example.com"
	e.Recipients = []string{"ann@example.com", "joann@example.com", "b.ann@example.com", "ann@example.com.au", "ann@example.community", "ann@example.com-x.org"}
	out, envelope := apply(t, fields("recipient=Hash"), e)
	got, err := envelope.Event()
	if err != nil {
		t.Fatal(err)
	}
	want := append([]string{hashed("ann@example.com")}, e.Recipients[1:]...)
	if diff := cmp.Diff(want, got.Recipients); diff != "" {
		t.Errorf("%s\n%s", diff, out)
	}
}

// TestGoldensOfProviders has what every provider's sample becomes sent without people.
func TestGoldensOfProviders(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../provider/*/testdata/*.golden.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, as := range []string{config.ContentHash, config.ContentMask, config.ContentDrop} {
		c := fields("recipient="+as, "recipients="+as, "sender="+as)
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var golden struct {
				Events []event.Event `json:"events"`
			}
			if err := experiment.Unmarshal(text, &golden); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			for i := range golden.Events {
				e := &golden.Events[i]
				out, _ := apply(t, c, e)
				checkEvent(t, out)
				for _, address := range append([]string{e.Recipient, e.Sender}, e.Recipients...) {
					// envelope-from@example.org is another address than from@example.org.
					if address != "" && regexp.MustCompile(`(?i)(^|[^a-z0-9.+_-])`+regexp.QuoteMeta(address)).Match(out) {
						t.Errorf("%s, %s: %s is in %s", file, as, address, out)
					}
				}
			}
		}
	}
}

// TestAnEventThatIsKeptIsTheSame has the form that is written here differ in nothing but raw from the one that was stored.
func TestAnEventThatIsKeptIsTheSame(t *testing.T) {
	t.Parallel()
	e := bounce()
	out, _ := apply(t, fields("recipient=Keep"), e)
	e.Raw = nil
	want, err := event.Encode(e, event.Source("mail", "endpoint"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(out)); diff != "" {
		t.Error(diff)
	}
}

// TestADeadLetterNamesNobody has the words of the sink that refused an event go through as well.
func TestADeadLetterNamesNobody(t *testing.T) {
	t.Parallel()
	structured, err := event.Encode(bounce(), event.Source("mail", "endpoint"))
	if err != nil {
		t.Fatal(err)
	}
	letter, err := event.ParseEnvelope(structured)
	if err != nil {
		t.Fatal(err)
	}
	letter.SetDeadLetter("mail/crm", "destination answered 400: no contact first.last+TAG@example.com")
	if structured, err = letter.Encode(); err != nil {
		t.Fatal(err)
	}
	c, err := content.New(fields("recipient=Drop"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Apply(structured)
	if err != nil || got.DeadLetterReason != "destination answered 400: no contact ***" || got.DeadLetterSink != "mail/crm" {
		t.Errorf("%+v, %v", got.Attributes, err)
	}
}

func TestNothingToDo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]*config.Content{
		"none": nil, "empty": {}, "raw kept": {Raw: config.ContentKeep},
		"fields kept": {Fields: []config.ContentField{{Name: "recipient", As: config.ContentKeep}}},
	} {
		if got, err := content.New(c); got != nil || err != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if _, err := content.New(&config.Content{Raw: config.ContentDrop, Fields: []config.ContentField{{Name: "recipient", As: config.ContentHash}}}); err == nil {
		t.Error("a hash without a key is taken")
	}
}

// TestEveryFieldCanBeDropped drops each field of the record by itself, and each text by every treatment.
func TestEveryFieldCanBeDropped(t *testing.T) {
	t.Parallel()
	for _, f := range event.Fields() {
		for _, as := range []string{config.ContentDrop, config.ContentMask, config.ContentHash} {
			c := fields(f.Name + "=" + as)
			if c.Check() != nil {
				continue
			}
			full := &event.Event{Type: event.Bounced, Time: time.Unix(1, 0)}
			fill(reflect.ValueOf(full).Elem())
			out, envelope := apply(t, c, full)
			checkEvent(t, out)
			got, err := envelope.Event()
			if err != nil {
				t.Fatal(err)
			}
			got.Raw, full.Raw = nil, nil
			if cmp.Equal(*full, got) {
				t.Errorf("%s: %s changes nothing", f.Name, as)
			}
		}
	}
}

// fill gives every field that is not set a value.
func fill(v reflect.Value) {
	for i := range v.NumField() {
		f := v.Field(i)
		switch {
		case !f.IsZero() || v.Type().Field(i).Name == "PartitionKey":
		case f.Kind() == reflect.String && f.Type() == reflect.TypeFor[event.BounceType]():
			f.SetString("hard")
		case f.Kind() == reflect.String && f.Type() == reflect.TypeFor[event.RejectReason]():
			f.SetString("policy")
		case f.Kind() == reflect.String:
			f.SetString("value of " + v.Type().Field(i).Name)
		case f.Kind() == reflect.Bool:
			f.SetBool(true)
		case f.Kind() == reflect.Int, f.Kind() == reflect.Int64:
			f.SetInt(550)
		case f.Type() == reflect.TypeFor[time.Time]():
			f.Set(reflect.ValueOf(time.Unix(2, 0).UTC()))
		case f.Kind() == reflect.Pointer:
			f.Set(reflect.New(f.Type().Elem()))
			fill(f.Elem())
		case f.Kind() == reflect.Slice && f.Type().Elem().Kind() == reflect.Struct:
			f.Set(reflect.MakeSlice(f.Type(), 1, 1))
			fill(f.Index(0))
		case f.Kind() == reflect.Struct:
			fill(f)
		case f.Type() == reflect.TypeFor[[]string]():
			f.Set(reflect.ValueOf([]string{"one", "two"}))
		case f.Type() == reflect.TypeFor[map[string]string]():
			f.Set(reflect.ValueOf(map[string]string{"one": "1"}))
		}
	}
}
