// Package settings reads the settings of a Redis sink, apart from what adds to its streams.
package settings

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/sink/sinktls"
	"github.com/mailvane/mailvane/receiver/sink/template"
)

// defaultStream is that of the API.
const defaultStream = "mailvane"

// streamMarks are the marks that a key may have beside letters and digits.
const streamMarks = "-_.:/"

// Parsed is where and how entries are added.
type Parsed struct {
	// Addresses are with their ports; there is at least one.
	Addresses  []string
	Mode       Mode
	MasterName string
	Database   int
	Stream     template.Template
	// MaxLength is about how many entries a stream keeps; 0 = all.
	MaxLength      int64
	User, Password string
	// TLS is nil for connections without.
	TLS *tls.Config
}

// Parse decodes a sink's settings, completes them with the defaults and refuses what cannot work. No error holds a credential.
func Parse(data []byte, env settings.Environment) (Parsed, error) {
	s := Settings{Mode: ModeStandalone, Stream: defaultStream, TLSMode: TLSModeVerify}
	if err := settings.Decode(data, &s); err != nil {
		return Parsed{}, err
	}
	p := Parsed{Mode: s.Mode, MasterName: s.MasterName, Database: int(s.Database), MaxLength: s.MaxLength, Password: s.Password}
	if s.Basic != nil {
		p.User, p.Password = s.Basic.Username, s.Basic.Password
	}
	if err := errors.Join(p.setAddresses(s.Addresses), p.setStream(s.Stream), p.setTLS(&s, env), s.check()); err != nil {
		return Parsed{}, err
	}
	return p, nil
}

// check refuses what the API refuses, too.
func (s *Settings) check() error {
	var errs []error
	refuse := func(when bool, message string) {
		if when {
			errs = append(errs, errors.New(message))
		}
	}
	refuse(s.Mode != ModeStandalone && s.Mode != ModeSentinel && s.Mode != ModeCluster, "mode must be Standalone, Sentinel or Cluster")
	refuse((s.Mode == ModeSentinel) != (s.MasterName != ""), "masterName must be set when mode is Sentinel, and only then")
	refuse(s.Mode == ModeStandalone && len(s.Addresses) > 1, "addresses must be one when mode is Standalone")
	refuse(s.Mode == ModeCluster && s.Database != 0, "database must not be set when mode is Cluster")
	refuse(s.Database < 0, "database must be a number of a database")
	refuse(s.MaxLength < 0, "maxLength must be at least 1")
	refuse(s.Basic != nil && s.Password != "", "at most one of basicRef and passwordRef may be set")
	return errors.Join(errs...)
}

func (p *Parsed) setAddresses(addresses []Address) error {
	if len(addresses) == 0 {
		return errors.New("addresses must name a server, such as redis.cache.svc:6379")
	}
	for i, address := range addresses {
		host, port, err := net.SplitHostPort(string(address))
		number, failed := strconv.ParseUint(port, 10, 16)
		if err != nil || failed != nil || host == "" || number == 0 || strings.ContainsAny(host, "@/ ") {
			return fmt.Errorf("addresses[%d] must be a name or an address with a port: redis.cache.svc:6379", i)
		}
		p.Addresses = append(p.Addresses, string(address))
	}
	return nil
}

func (p *Parsed) setStream(text string) (err error) {
	if p.Stream, err = template.Parse(text, streamMarks); err != nil {
		return fmt.Errorf("stream %w", err)
	}
	return nil
}

func (p *Parsed) setTLS(s *Settings, env settings.Environment) (err error) {
	if p.TLS, err = sinktls.Config(sinktls.Settings(s.TLS), env); err != nil {
		return err
	}
	switch {
	case s.TLSMode == TLSModeVerify && p.TLS == nil:
		p.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	case s.TLSMode == TLSModeDisable && p.TLS != nil:
		return fmt.Errorf("tls must not be set when tlsMode is %s", TLSModeDisable)
	case s.TLSMode != TLSModeVerify && s.TLSMode != TLSModeDisable:
		return fmt.Errorf("tlsMode must be %s or %s", TLSModeVerify, TLSModeDisable)
	}
	return nil
}
