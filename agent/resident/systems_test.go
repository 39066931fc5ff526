package resident

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/extwatch/extwatch/agent/settings"
	"github.com/extwatch/extwatch/agent/store"
)

// heard is another system that is told.
type heard struct {
	mu   sync.Mutex
	list []string
	keys map[string]string // of what was opened, by rule
}

func (h *heard) Tell(_ context.Context, what Happening) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	text := what.Kind + " " + what.Extension.Name
	if what.By != "" {
		text += " by " + what.By
	}
	if what.Finding != nil && what.Kind == "opened" {
		h.keys[what.Finding.Rule] = what.Key
	}
	if what.Finding != nil && what.Kind == "closed" && (h.keys[what.Finding.Rule] != what.Finding.Key || what.Key == what.Finding.Key) {
		text += " under another key"
	}
	if !slices.Contains(h.list, text) {
		h.list = append(h.list, text)
	}
	return nil
}

func (h *heard) Close() {}

func (h *heard) has(text string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Contains(h.list, text)
}

// Other systems are told of everything that happens to a finding, not only of its begin.
func TestSystems(t *testing.T) {
	m := newMachine(t, "ada")
	h := &heard{keys: map[string]string{}}
	m.cfg.Outputs = func(context.Context, settings.Settings, *store.Store) Outputs { return h }
	m.plant("ada", "a", "First")
	m.start()
	m.until("opened and told", func() bool { return h.has("opened First") && h.has("told First by ada") })
	list, err := m.r.db().Extensions(context.Background(), store.Query{})
	must(t, err)
	root := Caller{Name: "root", Admin: true}
	for _, do := range []string{"block", "unblock", "trust"} {
		if a := m.r.Answer(context.Background(), root, Request{Do: do, ID: list[0].ID, Reason: "a test"}); a.Error != "" {
			t.Fatalf("%s: %s", do, a.Error)
		}
	}
	for _, want := range []string{"blocked First by root", "unblocked  by root", "trusted First by root"} {
		if !h.has(want) {
			t.Errorf("%q is missing in %q", want, h.list)
		}
	}
	must(t, os.RemoveAll(filepath.Dir(list[0].Path)))
	m.until("closed", func() bool { return h.has("closed First") })
	if fmt.Sprint(h.keys) == "map[]" {
		t.Error("no keys")
	}
}

// aPage is the local page of a test.
type aPage struct{ port int }

func (p *aPage) Enter(who Caller, to string) string {
	return fmt.Sprintf("%d %d %s", p.port, who.UID, to)
}
func (p *aPage) Close() {}

// The page follows the settings; root may open it for whoever called sudo, and nobody else for another.
func TestPage(t *testing.T) {
	m := newMachine(t, "ada")
	reload := make(chan struct{})
	m.cfg.Reload = reload
	m.settings.Dashboard, m.settings.DashboardPort = true, 1000
	m.cfg.Page = func(_ context.Context, s settings.Settings, _ *store.Store, _ *Resident) (Page, error) {
		return &aPage{s.DashboardPort}, nil
	}
	m.start()
	ctx := context.Background()
	ask := func(who Caller, q Request) string { a := m.r.Answer(ctx, who, q); return a.URL + a.Error }
	ada, root := Caller{Name: "ada", UID: 5001}, Caller{Name: "root", Admin: true}
	m.until("the page", func() bool { return ask(ada, Request{Do: "open"}) == "1000 5001 /" })
	if got := ask(ada, Request{Do: "open", UID: 5002}); got != "1000 5001 /" {
		t.Errorf("ada opens it for another: %s", got)
	}
	if got := ask(root, Request{Do: "open", UID: 5001, To: "/health"}); got != "1000 5001 /health" {
		t.Errorf("sudo: %s", got)
	}
	m.mu.Lock()
	m.settings.DashboardPort = 1001
	m.mu.Unlock()
	reload <- struct{}{}
	m.until("the other port", func() bool { return ask(ada, Request{Do: "open"}) == "1001 5001 /" })
	m.mu.Lock()
	m.settings.Dashboard = false
	m.mu.Unlock()
	reload <- struct{}{}
	m.until("its end", func() bool { return m.r.Answer(ctx, ada, Request{Do: "open"}).Error != "" })
}
