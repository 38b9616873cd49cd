// Package settings reads the settings of a PostgreSQL sink, apart from what inserts into its table.
package settings

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"

	"github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/sink/sinktls"
)

// The defaults of the API.
const (
	defaultPort           = "5432"
	defaultTable          = "mailvane_events"
	defaultMaxConnections = 4
)

// limitConnections is the bound of the API.
const limitConnections = 64

// Address is where a server listens.
type Address struct {
	Host string
	Port uint16
}

// Parsed is where and how events are inserted.
type Parsed struct {
	// Addresses are the servers, at least one.
	Addresses []Address
	Database  string
	// Table is the name of the table, which may begin with that of its schema.
	Table []string
	// Create says that a missing table is made.
	Create bool
	// User and Password are empty where a certificate shows who the sink is.
	User, Password string
	MaxConnections int32
	// TLS is nil for connections without.
	TLS *tls.Config
}

// Parse decodes a sink's settings, completes them with the defaults and refuses what cannot work. No error holds a credential.
func Parse(data []byte, env settings.Environment) (Parsed, error) {
	s := Settings{Table: defaultTable, CreateTable: CreateTableNever, MaxConnections: defaultMaxConnections, TLSMode: TLSModeVerify}
	if err := settings.Decode(data, &s); err != nil {
		return Parsed{}, err
	}
	p := Parsed{Database: s.Database, Create: s.CreateTable == CreateTableIfMissing, MaxConnections: s.MaxConnections}
	if err := errors.Join(p.setAddresses(s.Hosts), p.setTable(s.Table), p.setUser(&s), p.setTLS(&s, env), s.check()); err != nil {
		return Parsed{}, err
	}
	return p, nil
}

// check refuses values that the API refuses, too.
func (s *Settings) check() error {
	switch {
	case s.Database == "":
		return errors.New("database must be set")
	case s.CreateTable != CreateTableNever && s.CreateTable != CreateTableIfMissing:
		return fmt.Errorf("createTable must be %s or %s", CreateTableNever, CreateTableIfMissing)
	case s.MaxConnections < 1 || s.MaxConnections > limitConnections:
		return fmt.Errorf("maxConnections must be 1 to %d", limitConnections)
	}
	return nil
}

func (p *Parsed) setAddresses(hosts []Host) error {
	if len(hosts) == 0 {
		return errors.New("hosts must name a server, such as postgres.db.svc:5432")
	}
	for i, text := range hosts {
		host, port, err := net.SplitHostPort(string(text))
		if err != nil { // there is no port, or it is no address, which the next one says
			host, port, err = net.SplitHostPort(string(text) + ":" + defaultPort)
		}
		number, failed := strconv.ParseUint(port, 10, 16)
		if err != nil || failed != nil || host == "" || number == 0 || strings.ContainsAny(host, "@/ ") {
			return fmt.Errorf("hosts[%d] must be a name or an address, and may have a port: postgres.db.svc:5432", i)
		}
		p.Addresses = append(p.Addresses, Address{Host: host, Port: uint16(number)})
	}
	return nil
}

var validTable = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}(\.[a-z_][a-z0-9_]{0,62})?$`)

func (p *Parsed) setTable(name string) error {
	if !validTable.MatchString(name) {
		return errors.New("table must be a name of small letters, digits and _, and may begin with that of a schema: mail.events")
	}
	p.Table = strings.Split(name, ".")
	return nil
}

func (p *Parsed) setUser(s *Settings) error {
	if (s.Basic == nil) == (s.Username == "") {
		return errors.New("exactly one of basicRef and username must be set")
	}
	if p.User = s.Username; s.Basic != nil {
		p.User, p.Password = s.Basic.Username, s.Basic.Password
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
