package signature

import (
	"net/http"
	"sync"
)

// KeyServers keeps one [KeyServer] per URL, so that fetched keys and the limit on fetches are shared by all endpoints
// and outlive a reload of their configuration. The zero value is ready; it is safe for concurrent use.
type KeyServers struct {
	mu      sync.Mutex
	servers map[string]*KeyServer
}

// Get returns the key server at address, made with client when it is asked for the first time. On a nil receiver it
// returns a new one. It fails as [NewKeyServer] does.
func (s *KeyServers) Get(address string, client *http.Client) (*KeyServer, error) {
	if s == nil {
		return NewKeyServer(address, client)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if server, ok := s.servers[address]; ok {
		return server, nil
	}
	server, err := NewKeyServer(address, client)
	if err != nil {
		return nil, err
	}
	if s.servers == nil {
		s.servers = map[string]*KeyServer{}
	}
	s.servers[address] = server
	return server, nil
}
