package agent

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/agent/inventory"
	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
)

// A meter counts the bytes that are read of extensions' files.
type meter struct {
	bytes  atomic.Int64
	closed atomic.Bool // then no extension can be opened
}

// list is the agent's own lister, with files that count.
func (c *meter) list(t testing.TB) lister {
	list := inventory.NewReader(inventory.Config{OS: "linux", Locale: "en_US"}).Read
	return func(ctx context.Context, p browsers.Profile) (inventory.Listing, error) {
		l, err := list(ctx, p)
		for i := range l.Extensions {
			open := l.Extensions[i].Open
			l.Extensions[i].Open = func() (manifests.Files, error) {
				if c.closed.Load() {
					return nil, errors.New("the disk is gone")
				}
				files, err := open()
				if err != nil {
					return nil, err
				}
				return metered{files, c}, nil
			}
		}
		return l, err
	}
}

type metered struct {
	manifests.Files
	c *meter
}

func (m metered) Open(name string) (fs.File, error) {
	f, err := m.Files.Open(name)
	if info, serr := fs.Stat(m.Files, name); err != nil || serr != nil || info.IsDir() {
		return f, err
	}
	return meteredFile{f, m.c}, nil
}

func (m metered) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(m.Files, name) }

type meteredFile struct {
	fs.File
	c *meter
}

func (f meteredFile) Read(b []byte) (int, error) {
	n, err := f.File.Read(b)
	f.c.bytes.Add(int64(n))
	return n, err
}

// swapRules are the tests' rules and what is added to them.
func swapRules(t testing.TB, more map[string]string) *signatures.Ruleset {
	t.Helper()
	fsys := fstest.MapFS{
		"techniques/bad-script.yml": rule("bad-script", 2, "script|contains: sendSecret", "files: {a.js: 'sendSecret()'}"),
		"indicators/files.csv":      {Data: []byte("sha256,campaign,verdict,source,note\n" + strings.Repeat("0", 64) + ",none,malicious,https://tests.example/,none\n")},
	}
	for name, text := range more {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	rules, err := signatures.Load(fsys)
	must(t, err)
	return rules
}

// New rules judge by what is known. Files are read again for a text that nobody has looked for, and where a host that has
// become an indicator is named.
func TestSwapReads(t *testing.T) {
	m, c := newMachine(t), &meter{}
	m.all = true
	m.list = c.list(t)
	m.cfg.Rules = swapRules(t, nil)
	p := m.profile("ada", "Default")
	code := "fetch('https://a.example/');" + strings.Repeat("// padding\n", 1000)
	other := strings.Repeat("x = 1;\n", 1000)
	f, g := extension("One", "1.0", code), extension("Two", "1.0", other)
	p.install("a", "1.0", f)
	p.install("b", "1.0", g)
	m.start()
	m.wait("judged a 1.0", "judged b 1.0")
	all := c.bytes.Load()
	if all < int64(len(code)+len(other)) {
		t.Fatalf("the first reading took %d bytes", all)
	}
	const ids, files, domains = "id,browser,versions,campaign,verdict,source,note\n", "sha256,campaign,verdict,source,note\n", "domain,campaign,verdict,source,note\n"
	row := ",bad,malicious,https://tests.example/,x\n"
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte(code)))
	for _, tt := range []struct {
		name string
		more map[string]string
		most int64 // bytes
		want []string
	}{
		{"the same rules", nil, 0, nil},
		{"an ID", map[string]string{"indicators/extensions.csv": ids + id("a") + ",chrome,*" + row}, 0, []string{"warning a 1.0 bad"}},
		{"a file's hash", map[string]string{"indicators/files.csv": files + sum + row}, 0, nil}, // told: the same campaign
		{"a host that nobody names", map[string]string{"indicators/domains.csv": domains + "other.example" + row}, 0, nil},
		{"a host that one names", map[string]string{"indicators/domains.csv": domains + "a.example" + row}, all - int64(len(other)), nil},
		{"a permission", map[string]string{"techniques/p.yml": string(rule("p", 4, "permissions: tabs", "permissions: [tabs]").Data)}, 0, nil},
		{"a path", map[string]string{"techniques/q.yml": string(rule("q", 5, "file.path|endswith: .js", "files: {a.js: ''}").Data)}, 0,
			[]string{"warning a 1.0 q", "warning b 1.0 q"}},
		{"a text", map[string]string{"techniques/s.yml": string(rule("s", 6, "script|contains: padding", "files: {a.js: 'padding'}").Data)}, all,
			[]string{"warning a 1.0 s"}},
	} {
		m.forget()
		before := c.bytes.Load()
		m.agent.Swap(swapRules(t, tt.more))
		m.wait(append(slices.Clone(tt.want), "judged a 1.0", "judged b 1.0")...)
		time.Sleep(100 * time.Millisecond)
		var got []string
		for _, line := range m.seen() {
			if !strings.HasPrefix(line, "judged") {
				got = append(got, line)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: seen %q, want %q", tt.name, got, tt.want)
		}
		read := c.bytes.Load() - before
		t.Logf("%s: %d of %d bytes read", tt.name, read, all)
		if read > tt.most || tt.most > 0 && read == 0 {
			t.Errorf("%s: %d bytes were read, at most %d are needed", tt.name, read, tt.most)
		}
	}
}

// Files that cannot be read any more do not keep an extension from being judged by new rules.
func TestSwapWithoutFiles(t *testing.T) {
	m, c := newMachine(t), &meter{}
	m.all = true
	m.list = c.list(t)
	m.cfg.Rules = swapRules(t, nil)
	p := m.profile("ada", "Default")
	p.install("a", "1.0", extension("One", "1.0", "sendSecret()"))
	m.start()
	m.wait("warning a 1.0 bad-script", "judged a 1.0")
	m.forget()
	c.closed.Store(true)
	m.agent.Swap(swapRules(t, map[string]string{
		"techniques/p.yml": string(rule("p", 4, "manifest_version: 3", "manifest_version: 3").Data),
		"techniques/s.yml": string(rule("s", 6, "script|contains: padding", "files: {a.js: 'padding'}").Data),
	}))
	m.wait("warning a 1.0 p", "problem the disk is gone", "judged a 1.0")
	m.mu.Lock()
	defer m.mu.Unlock()
	last := m.events[len(m.events)-1]
	var names []string
	for _, f := range last.Result.Findings {
		names = append(names, f.Rule)
	}
	if last.Kind != Judged || !last.Result.Partial || !slices.Equal(names, []string{"bad-script", "p"}) {
		t.Errorf("last told: %s, partial %v, findings %q; want what was read before, and that it is not all", show(last), last.Result.Partial, names)
	}
}
