package feed

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

// maxMirrors is how many mirrors may be named. Each is asked at every poll.
const maxMirrors = 8

// A mirror is one place that offers the repository, and how it did lately.
type mirror struct {
	address string // without a password
	source  source

	mu      sync.Mutex
	tried   time.Time
	success time.Time
	err     error
	events  bool
	fails   int
	rest    time.Time // not asked before, unless no other mirror answers
}

// A source fetches files of a mirror by their name below its address.
type source interface {
	// get returns at most limit bytes. A file that isn't there is a *metadata.ErrDownloadHTTP with status 404.
	get(ctx context.Context, name string, limit int64) ([]byte, error)
}

func newMirrors(cfg Config) ([]*mirror, error) {
	if len(cfg.Mirrors) > maxMirrors {
		return nil, fmt.Errorf("%d mirrors are named; at most %d are asked", len(cfg.Mirrors), maxMirrors)
	}
	var client *http.Client
	var mirrors []*mirror
	for _, address := range cfg.Mirrors {
		u, dir, err := parseAddress(address, runtime.GOOS)
		if err != nil {
			return nil, err
		}
		if dir != "" {
			mirrors = append(mirrors, &mirror{address: dir, source: &share{dir: dir}})
			continue
		}
		if u.Scheme == "http" && !cfg.AllowHTTP && !isLoopback(u.Hostname()) {
			return nil, fmt.Errorf("mirror %s: use https, or allow http in the settings", u.Redacted())
		}
		if client == nil {
			if client, err = newClient(cfg); err != nil {
				return nil, err
			}
		}
		mirrors = append(mirrors, &mirror{address: u.Redacted(), source: &web{cfg: cfg, base: u, client: client}})
	}
	return mirrors, nil
}

// parseAddress returns the URL or the folder that an address names, as seen from an operating system.
func parseAddress(address, goos string) (*url.URL, string, error) {
	if isFolder(address, goos) {
		return nil, address, nil
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, "", fmt.Errorf("mirror %q: not an address: %w", address, err)
	}
	switch {
	case u.Scheme == "file":
		dir, err := folderOf(u, goos)
		return nil, dir, err
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, "", fmt.Errorf("mirror %q: an https address, a file address or an absolute path is needed", u.Redacted())
	case u.Host == "":
		return nil, "", fmt.Errorf("mirror %q: the host is missing", u.Redacted())
	case u.RawQuery != "" || u.Fragment != "":
		return nil, "", fmt.Errorf("mirror %q: an address ends with its path", u.Redacted())
	}
	return u, "", nil
}

func isFolder(address, goos string) bool {
	if goos == "windows" {
		drive := len(address) > 2 && address[1] == ':' && (address[2] == '\\' || address[2] == '/')
		return drive || strings.HasPrefix(address, `\\`) || strings.HasPrefix(address, "//")
	}
	return strings.HasPrefix(address, "/")
}

// folderOf returns the folder that a file URL names: file:///C:/feed and file://server/share/feed on Windows.
func folderOf(u *url.URL, goos string) (string, error) {
	dir := u.Path
	switch {
	case goos == "windows" && u.Host != "" && u.Host != "localhost":
		dir = `\\` + u.Host + strings.ReplaceAll(dir, "/", `\`)
	case u.Host != "" && u.Host != "localhost":
		return "", fmt.Errorf("mirror %s: another computer's share must be mounted first", u)
	case goos == "windows":
		dir = strings.ReplaceAll(strings.TrimPrefix(dir, "/"), "/", `\`)
	}
	if !isFolder(dir, goos) {
		return "", fmt.Errorf("mirror %s: the path must be absolute", u)
	}
	if goos == runtime.GOOS {
		dir = filepath.Clean(dir)
	}
	return dir, nil
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

func (m *mirror) state() Mirror {
	m.mu.Lock()
	defer m.mu.Unlock()
	return Mirror{Address: m.address, Tried: m.tried, Success: m.success, Err: m.err, Events: m.events}
}

// note remembers how a try went. A mirror that failed rests for a time that doubles with each failure, up to the interval
// between polls.
func (m *mirror) note(now time.Time, err error, cfg Config) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tried, m.err = now, err
	if err == nil {
		m.success, m.fails, m.rest = now, 0, time.Time{}
		return
	}
	m.fails++
	m.rest = now.Add(backoff(m.fails, cfg.Interval, cfg.Rand))
}

func (m *mirror) rests(now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	// A rest that ends farther off than it can be long comes from a clock that was set back.
	return now.Before(m.rest) && m.rest.Sub(now) <= 24*time.Hour
}

func (m *mirror) connected(yes bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.events = yes
}

// backoff is how long to wait after the n-th failure in a row: 30 s, doubled each time, between half and all of it, and
// never longer than the usual interval, so that a client that failed for days is back with all others.
func backoff(n int, interval time.Duration, random func() float64) time.Duration {
	wait := min(30*time.Second, interval)
	for i := 1; i < n && wait < interval; i++ {
		wait = min(2*wait, interval)
	}
	return wait/2 + time.Duration(random()*float64(wait/2))
}

var errNoMirror = errors.New("no mirror of the feed is named in the settings")
