package resident

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/agent/settings"
	"github.com/extwatch/extwatch/agent/store"
	"github.com/extwatch/extwatch/signatures"
)

// A machine is a temporary disk with a service that watches it.
type machine struct {
	t       *testing.T
	dir     string
	cfg     Config
	r       *Resident
	stop    func()
	screens *fakeScreens

	mu       sync.Mutex
	settings settings.Settings
	opened   []string
}

// fakeScreens show warnings to whoever is logged in.
type fakeScreens struct {
	mu        sync.Mutex
	report    func(Report)
	here      map[string]bool
	mute      bool // they die before they say that they showed anything
	shown     []string
	withdrawn []string
	adopted   []string
}

func (s *fakeScreens) Show(u browsers.User, list ...Warning) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys []string
	for _, w := range list {
		keys = append(keys, w.Key)
		if s.here[u.Name] {
			var rules []string
			for _, f := range w.Findings {
				rules = append(rules, f.Rule)
			}
			s.shown = append(s.shown, u.Name+" "+w.Extension.Name+" "+strings.Join(rules, ","))
		}
	}
	rep := Report{User: u, Keys: keys, Shown: true, Place: 7}
	if !s.here[u.Name] {
		rep = Report{User: u, Keys: keys, Err: errors.New("nobody is there")}
	}
	if !s.mute {
		go s.report(rep)
	}
	return nil
}

func (s *fakeScreens) Adopt(u browsers.User, place uint32, list ...Warning) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys []string
	for _, w := range list {
		keys = append(keys, w.Key)
		s.adopted = append(s.adopted, fmt.Sprintf("%s %s in %d", u.Name, w.Extension.Name, place))
	}
	go s.report(Report{User: u, Keys: keys, Shown: true, Place: place})
	return nil
}

func (s *fakeScreens) Withdraw(_ browsers.User, keys ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.withdrawn = append(s.withdrawn, keys...)
	return nil
}

func (s *fakeScreens) Close() {}

func (s *fakeScreens) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.shown)
}

func newMachine(t *testing.T, here ...string) *machine {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err)
	rules, err := signatures.Builtin()
	must(t, err)
	m := &machine{t: t, dir: dir, settings: settings.Default(), screens: &fakeScreens{here: map[string]bool{}}}
	for _, name := range here {
		m.screens.here[name] = true
	}
	m.cfg = Config{
		Load: func() (settings.Settings, error) {
			m.mu.Lock()
			defer m.mu.Unlock()
			return m.settings, nil
		},
		Rules: rules, Engine: "test", Folder: filepath.Join(dir, "state"), Root: filepath.Join(dir, "root"),
		Machine: browsers.Config{
			OS: "linux", Env: func(string) string { return "" }, Processes: func() ([]browsers.Process, error) { return nil, nil },
			Users: []browsers.User{{Name: "ada", Home: filepath.Join(dir, "ada"), UID: 5001}, {Name: "bob", Home: filepath.Join(dir, "bob"), UID: 5002}},
		},
		Socket: filepath.Join(dir, "s"),
		Screens: func(_ settings.Settings, report func(Report)) (Screens, error) {
			m.screens.mu.Lock()
			defer m.screens.mu.Unlock()
			m.screens.report = report
			return m.screens, nil
		},
		Browse: func(_ context.Context, u browsers.User, to string) error {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.opened = append(m.opened, u.Name+" "+to)
			return nil
		},
	}
	for _, name := range []string{"ada", "bob", "root/etc"} {
		must(t, os.MkdirAll(filepath.Join(dir, name), 0o755))
	}
	return m
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// start runs the service until stop, and waits until it has looked at everything.
func (m *machine) start() {
	m.t.Helper()
	ready := make(chan struct{})
	once := sync.OnceFunc(func() { close(ready) })
	m.cfg.State = func(s string) {
		if s == "READY=1" {
			once()
		}
	}
	r, err := New(m.cfg)
	must(m.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	m.r = r
	m.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				m.t.Errorf("Run = %v", err)
			}
		case <-time.After(5 * time.Second):
			m.t.Error("it did not end within 5 s")
		}
	})
	m.t.Cleanup(m.stop)
	select {
	case <-ready:
	case <-time.After(20 * time.Second):
		m.t.Fatal("it did not become ready")
	}
}

// plant installs an extension that another program put there and that reaches Binance: suspicious by its manifest alone.
func (m *machine) plant(user, letter, name string) string {
	m.t.Helper()
	id := strings.Repeat(letter, 32)
	profile := filepath.Join(m.dir, user, ".config", "chromium", "Default")
	folder := filepath.Join(profile, "Extensions", id, "1.0_0")
	must(m.t, os.MkdirAll(folder, 0o755))
	manifest := fmt.Sprintf(`{"manifest_version":3,"name":%q,"version":"1.0","permissions":["cookies"],"host_permissions":["https://*.binance.com/*"]}`, name)
	must(m.t, os.WriteFile(filepath.Join(folder, "manifest.json"), []byte(manifest), 0o644))
	must(m.t, os.WriteFile(filepath.Join(profile, "..", "Local State"), []byte("{}"), 0o644))
	prefs, err := os.ReadDir(filepath.Join(profile, "Extensions"))
	must(m.t, err)
	var entries []string
	for _, e := range prefs {
		data, err := os.ReadFile(filepath.Join(profile, "Extensions", e.Name(), "1.0_0", "manifest.json"))
		must(m.t, err)
		entries = append(entries, fmt.Sprintf(`%q:{"location":3,"path":"%s/1.0_0","manifest":%s,"disable_reasons":[]}`, e.Name(), e.Name(), data))
	}
	text := `{"extensions":{"settings":{` + strings.Join(entries, ",") + `}}}`
	must(m.t, os.WriteFile(filepath.Join(profile, "Secure Preferences"), []byte(text), 0o644))
	must(m.t, os.WriteFile(filepath.Join(profile, "Preferences"), []byte("{}"), 0o644))
	return id
}

func (m *machine) until(what string, ok func() bool) {
	m.t.Helper()
	for deadline := time.Now().Add(15 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			m.t.Fatalf("waited for %s; shown: %q", what, m.screens.all())
		}
	}
}

// told reports how often an extension was shown to a user.
func (m *machine) told(user, name string) int {
	n := 0
	for _, s := range m.screens.all() {
		if strings.HasPrefix(s, user+" "+name+" ") {
			n++
		}
	}
	return n
}

func (m *machine) row(id string) store.Extension {
	m.t.Helper()
	list, err := m.r.db().Extensions(context.Background(), store.Query{ID: id, Findings: true})
	must(m.t, err)
	if len(list) != 1 {
		m.t.Fatalf("%d rows of %s", len(list), id)
	}
	return list[0]
}

func (m *machine) untoldOf(user string) int {
	list, err := m.r.db().Untold(context.Background(), user, channel)
	must(m.t, err)
	return len(list)
}

// Each user is warned of their own profiles, once, also over restarts.
func TestToldOnce(t *testing.T) {
	m := newMachine(t, "ada")
	m.plant("ada", "a", "First")
	m.plant("bob", "b", "Bobs")
	m.start()
	m.until("the first warning", func() bool { return m.told("ada", "First") == 1 && m.untoldOf("ada") == 0 })
	m.plant("ada", "c", "Second")
	m.until("the second warning", func() bool { return m.told("ada", "Second") == 1 && m.untoldOf("ada") == 0 })
	if n := m.told("bob", "Bobs") + m.told("ada", "Bobs"); n != 0 {
		t.Errorf("who is not there was told: %q", m.screens.all())
	}
	m.stop()
	m.start()
	m.plant("ada", "d", "Third")
	m.until("the third warning", func() bool { return m.told("ada", "Third") == 1 })
	if m.told("ada", "First") != 1 || m.told("ada", "Second") != 1 {
		t.Errorf("a restart told again: %q", m.screens.all())
	}
	m.screens.mu.Lock()
	m.screens.here["bob"] = true
	m.screens.mu.Unlock()
	m.r.reported(context.Background(), Report{User: browsers.User{UID: 5002}, Came: true})
	m.until("bob's warning", func() bool { return m.told("bob", "Bobs") == 1 })
}

// What may have been shown when the service died is shown once more, under the same key.
func TestDeathWhileTelling(t *testing.T) {
	m := newMachine(t, "ada")
	m.screens.mute = true
	m.plant("ada", "a", "First")
	m.start()
	m.until("the warning", func() bool { return m.told("ada", "First") == 1 })
	m.stop()
	m.screens.mute = false
	m.start()
	m.until("the warning in its place", func() bool { return m.told("ada", "First") == 2 && m.untoldOf("ada") == 0 })
}

// What went while the service did not run is known to be gone, and new when it returns.
func TestGoneMeanwhile(t *testing.T) {
	m := newMachine(t, "ada")
	id := m.plant("ada", "a", "First")
	m.plant("ada", "b", "Second")
	m.start()
	m.until("the warnings", func() bool { return m.untoldOf("ada") == 0 && m.told("ada", "First") == 1 })
	m.stop()
	profile := filepath.Join(m.dir, "ada", ".config", "chromium", "Default")
	must(t, os.RemoveAll(filepath.Join(profile, "Extensions", id)))
	must(t, os.WriteFile(filepath.Join(profile, "Secure Preferences"), []byte("{}"), 0o644))
	m.start()
	m.until("that it is gone", func() bool {
		list, err := m.r.db().History(context.Background(), id)
		return err == nil && len(list) == 1 && !list[0].Gone.IsZero()
	})
}

// Who may do what.
func TestRights(t *testing.T) {
	m := newMachine(t, "ada", "bob")
	id := m.plant("ada", "a", "First")
	m.start()
	m.until("the warning", func() bool { return m.told("ada", "First") == 1 && m.untoldOf("ada") == 0 })
	ctx := context.Background()
	ada, bob, root := Caller{Name: "ada", UID: 5001}, Caller{Name: "bob", UID: 5002}, Caller{Name: "root", Admin: true}
	for _, test := range []struct {
		who    Caller
		q      Request
		byUser bool
		want   string // part of the error; "" is none
	}{
		{bob, Request{Do: "block", ID: id}, true, "no such extension"},
		{bob, Request{Do: "trust", ID: id, Reason: "x"}, true, "no such extension"},
		{Caller{}, Request{Do: "block", ID: id}, true, "no such extension"},
		{ada, Request{Do: "block", ID: id}, false, "administrator"},
		{ada, Request{Do: "trust", ID: id}, true, "say why"},
		{ada, Request{Do: "block", ID: id, Reason: "a thief"}, true, ""},
		{bob, Request{Do: "unblock", ID: id}, true, "administrator"},
		{ada, Request{Do: "unblock", ID: id}, true, ""},
		{root, Request{Do: "block", ID: id}, false, ""},
		{ada, Request{Do: "unblock", ID: id}, true, "administrator"},
		{root, Request{Do: "unblock", ID: id}, true, ""},
		{ada, Request{Do: "untrust", ID: id}, true, "nobody said"},
		{ada, Request{Do: "trust", ID: id, Reason: "mine"}, true, ""},
		{ada, Request{Do: "untrust", ID: id}, true, ""},
		{ada, Request{Do: "open"}, true, "not served"},
		{ada, Request{Do: "nonsense"}, true, "nothing is called"},
	} {
		m.r.mu.Lock()
		m.r.settings.Block.ByUsers = test.byUser
		m.r.mu.Unlock()
		a := m.r.Answer(ctx, test.who, test.q)
		if test.want == "" && a.Error != "" || !strings.Contains(a.Error, test.want) {
			t.Errorf("%s %s by %q, users may %v: %q, want %q", test.q.Do, test.q.ID[:min(1, len(test.q.ID))], test.who.Name, test.byUser, a.Error, test.want)
		}
	}
	kept, _ := filepath.Glob(filepath.Join(m.cfg.Folder, "evidence", "*.zip"))
	if len(kept) == 0 {
		t.Error("no evidence was kept before the block")
	}
	if a := m.r.Answer(ctx, bob, Request{Do: "history"}); len(a.History) != 0 {
		t.Errorf("bob sees %d extensions of ada", len(a.History))
	}
}

// The buttons of a warning.
func TestChoices(t *testing.T) {
	m := newMachine(t, "ada")
	id := m.plant("ada", "a", "First")
	m.start()
	m.until("the warning", func() bool { return m.told("ada", "First") == 1 && m.untoldOf("ada") == 0 })
	x := m.row(id)
	ada := browsers.User{Name: "ada", UID: 5001}
	m.r.reported(context.Background(), Report{User: ada, Keys: []string{keyOf(x.Row)}, Choice: WhatNow})
	if want := []string{fmt.Sprintf("ada /extensions/%d", x.Row)}; !slices.Equal(m.opened, want) {
		t.Errorf("opened %q, want %q", m.opened, want)
	}
	bob := browsers.User{Name: "bob", UID: 5002}
	m.r.reported(context.Background(), Report{User: bob, Keys: []string{keyOf(x.Row)}, Choice: Block})
	if blocks, _ := m.r.blocker.Blocked(); len(blocks) != 0 {
		t.Errorf("bob blocked what is ada's: %+v", blocks)
	}
	m.r.reported(context.Background(), Report{User: ada, Keys: []string{keyOf(x.Row)}, Choice: Block})
	if blocks, err := m.r.blocker.Blocked(); err != nil || len(blocks) != 1 || blocks[0].By != "ada" {
		t.Errorf("after the button: %+v, %v", blocks, err)
	}
	m.r.reported(context.Background(), Report{User: ada, Keys: []string{keyOf(x.Row)}, Choice: Trust})
	list, err := m.r.db().Decisions(context.Background(), id, false)
	if err != nil || len(list) != 2 || list[0].Kind != "trust" || list[0].User != "ada" || list[0].Until.IsZero() {
		t.Errorf("decisions: %+v, %v", list, err)
	}
}

// Through the socket the system says who asks.
func TestSocket(t *testing.T) {
	m := newMachine(t, "ada")
	me, err := user.Current()
	must(t, err)
	m.plant("ada", "a", "First")
	m.start()
	m.until("the warning", func() bool { return m.untoldOf("ada") == 0 && m.told("ada", "First") == 1 })
	a, err := Ask(context.Background(), m.cfg.Socket, Request{Do: "status"})
	must(t, err)
	if a.Status == nil || !a.Status.Protected() || a.Status.Extensions != 1 || a.Status.Profiles != 1 || a.Status.Browsers != 1 {
		t.Errorf("status: %+v %s", a.Status, a.Error)
	}
	if root := me.Uid == "0"; (a.Status.Suspicious == 1) != root {
		t.Errorf("user %s sees %d findings", me.Uid, a.Status.Suspicious)
	}
	m.stop()
	if _, err := Ask(context.Background(), m.cfg.Socket, Request{Do: "status"}); !errors.Is(err, ErrNotRunning) {
		t.Errorf("after the end: %v", err)
	}
}

// A second service says who has the folder.
func TestLocked(t *testing.T) {
	m := newMachine(t)
	m.start()
	second, err := New(m.cfg)
	must(t, err)
	var locked *store.LockedError
	if err := second.Run(context.Background()); !errors.As(err, &locked) {
		t.Errorf("Run = %v, want a LockedError", err)
	}
}

// Settings change while it runs.
func TestReload(t *testing.T) {
	m := newMachine(t, "ada")
	reload := make(chan struct{})
	m.cfg.Reload = reload
	m.settings.Notify.Desktop = false
	m.plant("ada", "a", "First")
	m.start()
	m.until("the finding", func() bool { return m.untoldOf("ada") > 0 })
	if len(m.screens.all()) != 0 {
		t.Errorf("shown although it is off: %q", m.screens.all())
	}
	m.mu.Lock()
	m.settings.Notify.Desktop, m.settings.Sweep = true, 2*time.Hour
	m.mu.Unlock()
	reload <- struct{}{}
	m.until("the warning", func() bool { return m.told("ada", "First") == 1 })
}

// Where nothing can be written, memory does.
func TestMemory(t *testing.T) {
	m := newMachine(t, "ada")
	must(t, os.WriteFile(m.cfg.Folder, []byte("not a folder"), 0o644))
	m.plant("ada", "a", "First")
	m.start()
	m.until("the warning", func() bool { return m.told("ada", "First") == 1 })
	a := m.r.Answer(context.Background(), Caller{Admin: true}, Request{Do: "status"})
	if a.Error == "" && (a.Status == nil || a.Status.Memory == "") {
		t.Errorf("status says nothing of it: %+v", a.Status)
	}
}
