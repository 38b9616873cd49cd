package config_test

import (
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/config"
)

func TestContentIsChecked(t *testing.T) {
	t.Parallel()
	const key = "0123456789abcdef"
	field := func(name, as string) []config.ContentField { return []config.ContentField{{Name: name, As: as}} }
	for name, tc := range map[string]struct {
		reason  string
		content config.Content
		want    string
	}{
		"nothing":          {"all is sent", config.Content{}, ""},
		"raw":              {"it can go alone", config.Content{Raw: "Drop"}, ""},
		"bad raw":          {"there are two values", config.Content{Raw: "Mask"}, "raw must be Keep or Drop"},
		"hash":             {"with its key", config.Content{Raw: "Drop", Fields: field("recipient", "Hash"), HashKey: key}, ""},
		"hash, no key":     {"an address is found by trying", config.Content{Raw: "Drop", Fields: field("recipient", "Hash")}, "hashKeyRef must name a key of at least 16 bytes"},
		"hash, short key":  {"a key is found by trying, too", config.Content{Raw: "Drop", Fields: field("recipient", "Hash"), HashKey: key[1:]}, "openssl rand"},
		"raw is kept":      {"it holds the address", config.Content{Fields: field("recipient", "Mask")}, "raw must be Drop when"},
		"raw is kept, too": {"it holds what is dropped", config.Content{Raw: "Keep", Fields: field("details.x", "Drop")}, "raw must be Drop when"},
		"kept":             {"nothing needs to go", config.Content{Raw: "Keep", Fields: field("recipient", "Keep")}, ""},
		"unknown":          {"a name that is misspelt would send all", config.Content{Raw: "Drop", Fields: field("recipent", "Drop")}, `no field "recipent"; it must be one of account,`},
		"attribute":        {"attributes follow fields", config.Content{Raw: "Drop", Fields: field("partitionkey", "Drop")}, "no field"},
		"member":           {"by its own name", config.Content{Raw: "Drop", Fields: field("metadata.order.id", "Mask")}, ""},
		"all members":      {"by a star", config.Content{Raw: "Drop", Fields: field("details.*", "Drop")}, ""},
		"a whole map":      {"which is written in one way", config.Content{Raw: "Drop", Fields: field("metadata", "Drop")}, `write "metadata.*"`},
		"no member":        {"of which name?", config.Content{Raw: "Drop", Fields: field("metadata.", "Drop")}, "no field"},
		"a part":           {"of a structure", config.Content{Raw: "Drop", Fields: field("client.name", "Mask")}, ""},
		"a structure":      {"it can go", config.Content{Raw: "Drop", Fields: field("client", "Drop")}, ""},
		"masked structure": {"it is no text", config.Content{Raw: "Drop", Fields: field("client", "Mask")}, "Keep or Drop for"},
		"number":           {"it is no text", config.Content{Raw: "Drop", Fields: field("smtpCode", "Hash"), HashKey: key}, "Keep or Drop for"},
		"word of ours":     {"it has few values", config.Content{Raw: "Drop", Fields: field("bounce.type", "Mask")}, "Keep or Drop for"},
		"the id":           {"it is the event's identity", config.Content{Raw: "Drop", Fields: field("id", "Hash"), HashKey: key}, "always sent"},
		"unverified":       {"without it an event looks genuine", config.Content{Raw: "Drop", Fields: field("unverified", "Drop")}, "always sent"},
		"raw as a field":   {"it has a place of its own", config.Content{Raw: "Drop", Fields: field("raw", "Drop")}, "content.raw"},
		"bad as":           {"there are four", config.Content{Raw: "Drop", Fields: field("recipient", "Encrypt")}, "as must be Keep, Drop, Mask or Hash"},
		"twice":            {"which one is meant?", config.Content{Raw: "Drop", Fields: append(field("ip", "Drop"), field("ip", "Mask")...)}, "fields[1].name: \"ip\" is there twice"},
	} {
		err := tc.content.Check()
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q: %s", name, err, tc.want, tc.reason)
		}
		if err != nil && tc.content.HashKey != "" && strings.Contains(err.Error(), tc.content.HashKey) {
			t.Errorf("%s: the error holds the key", name)
		}
	}
}
