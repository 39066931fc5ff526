package analysis

import (
	"container/list"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"sync"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures/behavior"
)

// version is part of every key. It is raised when the analysis of the same code may give another report.
const version = "8"

// Key identifies what an analysis depends on: the manifest and the content of all files, by their paths and SHA-256
// hashes. Equal keys give equal reports, on every machine and in every profile. It is "" when the manifest cannot be
// written down, which means: do not keep the report.
func Key(m *manifests.Manifest, files map[string][32]byte) string {
	h := sha256.New()
	e := json.NewEncoder(h)
	if e.Encode(version) != nil || e.Encode(m) != nil {
		return ""
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		sum := files[name]
		if e.Encode([]byte(name)) != nil || e.Encode(sum[:]) != nil {
			return ""
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// maxKept bounds the reports that a pool keeps, by their size on the way from the worker. The reports of the 376 distinct
// extensions of a terminal server for 200 people are smaller.
const maxKept = 16 << 20

// A cache keeps the reports of extensions whose content is known, and has others wait for a report that is being made.
type cache struct {
	mu      sync.Mutex
	entries map[string]*list.Element
	order   list.List // of *kept, the one used last in front
	size    int
	running map[string]chan struct{} // closed when the analysis has ended
}

type kept struct {
	key    string
	report behavior.Report
	size   int
}

// get returns the report for a key. When there is none, and nobody makes it, the caller has to, and to call done.
func (c *cache) get(ctx context.Context, key string) (r behavior.Report, found bool, err error) {
	for {
		c.mu.Lock()
		if e := c.entries[key]; e != nil {
			c.order.MoveToFront(e)
			c.mu.Unlock()
			return e.Value.(*kept).report, true, nil
		}
		wait := c.running[key]
		if wait == nil {
			if c.running == nil {
				c.running = map[string]chan struct{}{}
			}
			c.running[key] = make(chan struct{})
			c.mu.Unlock()
			return behavior.Report{}, false, nil
		}
		c.mu.Unlock()
		select {
		case <-wait:
		case <-ctx.Done():
			return behavior.Report{}, false, ctx.Err()
		}
	}
}

// done ends what get began. A report of size 0 is not kept: something outside of the content had a part in it.
func (c *cache) done(key string, r behavior.Report, size int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.running[key])
	delete(c.running, key)
	if size <= 0 || size > maxKept {
		return
	}
	if c.entries == nil {
		c.entries = map[string]*list.Element{}
	}
	c.entries[key] = c.order.PushFront(&kept{key, r, size})
	c.size += size
	for c.size > maxKept {
		last := c.order.Back()
		old := c.order.Remove(last).(*kept)
		delete(c.entries, old.key)
		c.size -= old.size
	}
}
