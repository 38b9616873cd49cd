// Package tokenfile keeps the token of the admin API that `mailvane run` made where the commands of the same user find it, and nobody
// else: in a folder of the user's own, by the address of the API.
package tokenfile

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/mailvane/mailvane/receiver/admin/access"
)

// folderName is the name of our folder among those of other programs.
const folderName = "mailvane"

// folders returns where tokens may be: in the user's folder for the time that the user is logged in
// (https://specifications.freedesktop.org/basedir-spec), or else among what the user's programs keep.
func folders() []string {
	var all []string
	if runtime := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(runtime) {
		all = append(all, filepath.Join(runtime, folderName))
	}
	if cache, err := os.UserCacheDir(); err == nil {
		all = append(all, filepath.Join(cache, folderName))
	}
	return all
}

// nameOf returns the name of the file for an address. No colon is in it: not every file system takes one.
func nameOf(address netip.AddrPort) string {
	host := strings.NewReplacer(":", "-", "%", "-").Replace(address.Addr().Unmap().WithZone("").String())
	return fmt.Sprintf("admin-%s-%d.token", host, address.Port())
}

// File is a file with the token of a running receiver.
type File struct {
	// Path is where it is.
	Path  string
	token string
}

var errNowhere = errors.New("neither XDG_RUNTIME_DIR nor the user's cache folder can be used")

// Keep writes the token of the receiver with the admin address "host:port", for its user alone.
func Keep(address, token string) (*File, error) {
	parsed, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, fmt.Errorf("keep the admin token: %w", err)
	}
	errs := []error{errNowhere}
	for _, folder := range folders() {
		path := filepath.Join(folder, nameOf(parsed))
		err := write(path, token)
		if err == nil {
			return &File{Path: path, token: token}, nil
		}
		errs = append(errs, err)
	}
	return nil, fmt.Errorf("keep the admin token: %w", errors.Join(errs...))
}

// write makes a file as a whole, which its user alone may read from the beginning.
func write(path, token string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), "admin-*.new") // with the mode 0600
	if err != nil {
		return err
	}
	_, err = file.WriteString(token + "\n")
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name()) // it is of no use
	}
	return err
}

// Remove removes the file, unless it is another receiver's by now.
func (f *File) Remove() {
	if tokens, err := access.ReadTokens(f.Path); err == nil && tokens[0] == f.token {
		_ = os.Remove(f.Path) // it would be written over by the next
	}
}

// Find returns the token of this user's receiver with an admin address "host:port"; empty when there is none. It knows addresses and
// localhost, and no other names: what they lead to is somebody else's to say.
func Find(address string) string {
	for _, candidate := range candidates(address) {
		for _, folder := range folders() {
			if tokens, err := access.ReadTokens(filepath.Join(folder, nameOf(candidate))); err == nil {
				return tokens[0]
			}
		}
	}
	return ""
}

// candidates returns which addresses a receiver that is reached at an address may listen on. One that listens on all of them is asked
// over loopback.
func candidates(address string) []netip.AddrPort {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil
	}
	hosts := []string{host}
	if strings.EqualFold(host, "localhost") {
		hosts = []string{"127.0.0.1", "::1"}
	}
	if parsed, err := netip.ParseAddr(hosts[0]); err == nil && parsed.Unmap().IsLoopback() {
		hosts = append(hosts, "0.0.0.0", "::")
	}
	var all []netip.AddrPort
	for _, h := range hosts {
		if parsed, err := netip.ParseAddrPort(net.JoinHostPort(h, port)); err == nil {
			all = append(all, parsed)
		}
	}
	return all
}
