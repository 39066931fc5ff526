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
