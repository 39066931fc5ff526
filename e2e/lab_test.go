//go:build linux

package e2e

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/extwatch/extwatch/manifests/archive/archivetest"
)

// A lab is one person's home with browsers in it, and the agent that watches it.
type lab struct {
	home string
	tmp  string

	agent  *exec.Cmd
	stderr bytes.Buffer
	mu     sync.Mutex
	events []event
}

// An event is a line of `extwatch run --json`.
type event struct {
	Event     string    `json:"event"`
	Extension extension `json:"extension"`
	New       []string  `json:"new"`
	Reason    string    `json:"reason"`
	read      time.Time // when the line was read
}

// An extension is an entry of `extwatch scan --format json`, as far as the tests look.
type extension struct {
	Path, Browser, Channel, User, Profile, ID, Name, Version, Origin, Verdict string
	Enabled, Pending                                                          bool
	Disabled                                                                  []string
	InstalledAt                                                               string `json:"installed_at"`
	Unreadable                                                                string
	Reach                                                                     []struct {
		Exchange     string
		Capabilities []string
	}
	Findings []struct {
		Rule, Verdict string
		Flow          []struct{ Story string }
	}
	Problems []struct{ File, Reason string }
}

func (e extension) reaches(exchange string) bool {
	for _, r := range e.Reach {
		if r.Exchange == exchange {
			return true
		}
	}
	return false
}

func newLab(t *testing.T) *lab {
	t.Helper()
	tmp := t.TempDir()
	home := filepath.Join(tmp, "home", "ada")
	if err := os.MkdirAll(home, 0o755); err != nil {
		t.Fatal(err)
	}
	return &lab{home: home, tmp: tmp}
}

// run starts the agent on the lab's home and returns when it watches.
func (l *lab) run(t *testing.T) {
	t.Helper()
	l.agent = exec.Command(program, "run", "--json", "--home", l.home)
	out, err := l.agent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	l.agent.Stderr = &l.stderr
	if err := l.agent.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		for lines := bufio.NewReader(out); ; {
			line, err := lines.ReadBytes('\n')
			if err != nil {
				return
			}
			var e event
			json.Unmarshal(line, &e)
			e.read = time.Now()
			l.mu.Lock()
			l.events = append(l.events, e)
			l.mu.Unlock()
		}
	}()
	t.Cleanup(func() { l.stop(t) })
	waitFor(t, "the agent to be ready", 20*time.Second, func() bool { return l.count("ready", "") == 1 })
}

// stop ends the agent as Ctrl-C does and expects it to end well.
func (l *lab) stop(t *testing.T) {
	t.Helper()
	if l.agent == nil {
		return
	}
	agent := l.agent
	l.agent = nil
	agent.Process.Signal(syscall.SIGINT)
	if err := agent.Wait(); err != nil {
		t.Errorf("the agent ended with %v\n%s", err, l.stderr.String())
	}
	if t.Failed() {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, e := range l.events {
			t.Logf("%s %s %s %q %s %s enabled=%v pending=%v %v", e.read.Format("05.000"), e.Event, e.Extension.ID, e.Extension.Name,
				e.Extension.Version, e.Extension.Verdict, e.Extension.Enabled, e.Extension.Pending, e.Extension.Disabled)
		}
	}
}

// all returns the events of one kind about an extension; id "" means any.
func (l *lab) all(kind, id string) []event {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []event
	for _, e := range l.events {
		if e.Event == kind && (id == "" || e.Extension.ID == id) {
			found = append(found, e)
		}
	}
	return found
}

func (l *lab) count(kind, id string) int { return len(l.all(kind, id)) }

// last returns the newest event about an extension that tells its state.
func (l *lab) last(id string) event {
	l.mu.Lock()
	defer l.mu.Unlock()
	var e event
	for _, x := range l.events {
		if x.Extension.ID == id && x.Event != "warning" {
			e = x
		}
	}
	return e
}

// scan runs `extwatch scan` on the lab's home and returns the extension with the ID, or nil.
func (l *lab) scan(t *testing.T, id string) *extension {
	t.Helper()
	var report struct{ Extensions []extension }
	out := l.command(t, "scan", "--format", "json", "--home", l.home)
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatalf("scan printed no JSON: %v\n%s", err, out)
	}
	var found *extension
	for i, e := range report.Extensions {
		if e.ID != id {
			continue
		}
		if found != nil {
			t.Errorf("scan lists %s twice", id)
		}
		found = &report.Extensions[i]
	}
	return found
}

// command runs the program and returns what it printed; exit codes 0 and 3 are fine.
func (l *lab) command(t *testing.T, args ...string) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if code := cmd.ProcessState.ExitCode(); err != nil && code != 3 {
		t.Fatalf("extwatch %s: exit %d\n%s", strings.Join(args, " "), code, stderr.String())
	}
	return string(out)
}

// A product is an extension of our own, packed for Chromium. It does nothing.
type product struct {
	t   *testing.T
	key *ecdsa.PrivateKey
	id  string
}

func newProduct(t *testing.T) *product {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := &product{t: t, key: key}
	_, p.id = p.pack("{}")
	return p
}

func (p *product) pack(manifest string) (crx []byte, id string) {
	p.t.Helper()
	return p.packWith(manifest, "self.quotes = 1;\n")
}

// packWith packs it with code of its own.
func (p *product) packWith(manifest, code string) (crx []byte, id string) {
	p.t.Helper()
	crx, id, err := archivetest.PackCRX3(fstest.MapFS{
		"manifest.json": {Data: []byte(manifest)},
		"bg.js":         {Data: []byte(code)},
	}, p.key)
	if err != nil {
		p.t.Fatal(err)
	}
	return crx, id
}

// manifest is one that can read Binance's session, and does not.
func manifest(name, version string) string {
	return `{"manifest_version":3,"name":"` + name + `","version":"` + version + `","permissions":["cookies","storage"],` +
		`"host_permissions":["https://*.binance.com/*"],"background":{"service_worker":"bg.js"}}`
}
