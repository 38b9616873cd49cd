package app

import (
	"flag"
	"fmt"
	"net"

	"github.com/mailvane/mailvane/receiver/admin/access"
	"github.com/mailvane/mailvane/receiver/peer"
)

func (s *Settings) tokenFlags(f *flag.FlagSet) {
	f.StringVar(&s.AdminTokens, "admin-tokens", "", "folder with the files viewer, operator and privacy: tokens of the admin API, one a line, that give the right of that name")
	f.StringVar(&s.AdminTokenFile, "admin-token-file", "", "file with tokens of the admin API, one a line, that give all rights")
}

// adminKeys returns what knows the tokens, which can be used now.
func (s *Settings) adminKeys() (access.Keyring, error) {
	var keys access.Keyring
	if s.AdminToken != "" {
		keys.AddToken(s.AdminToken, access.Privacy)
	}
	for _, source := range []struct {
		flag, path string
		add        func(path string)
	}{
		{"--admin-tokens", s.AdminTokens, keys.AddFolder},
		{"--admin-token-file", s.AdminTokenFile, func(path string) { keys.AddFile(path, access.Privacy) }},
	} {
		if source.path == "" {
			continue
		}
		source.add(source.path)
		if err := keys.Check(); err != nil {
			return keys, fmt.Errorf("%s: %w", source.flag, err)
		}
	}
	return keys, nil
}

// configKey returns the key that names the configuration to the manager; nil = nobody asks.
func (s *Settings) configKey() func() ([]byte, error) {
	if s.HandoffKey == "" {
		return nil
	}
	return peer.ReadKey(s.HandoffKey)
}

// hostOf returns the host of "host:port"; empty for every address of this machine.
func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err != nil || (ip != nil && ip.IsUnspecified()) {
		return ""
	}
	return host
}
