package analysis

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"testing"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures/behavior"
)

func TestKey(t *testing.T) {
	m := &manifests.Manifest{Name: "a"}
	files := map[string][32]byte{"a.js": sha256.Sum256([]byte("1")), "b.js": sha256.Sum256([]byte("2"))}
	key := Key(m, files)
	if key == "" || key != Key(&manifests.Manifest{Name: "a"}, map[string][32]byte{"b.js": files["b.js"], "a.js": files["a.js"]}) {
		t.Error("the same content has two keys, or none")
	}
	for name, other := range map[string]string{
		"manifest": Key(&manifests.Manifest{Name: "b"}, files),
		"content":  Key(m, map[string][32]byte{"a.js": files["b.js"], "b.js": files["a.js"]}),
		"files":    Key(m, map[string][32]byte{"a.js": files["a.js"]}),
	} {
		if other == key {
			t.Errorf("another %s has the same key", name)
		}
	}
}

func TestCacheAnalysesOnce(t *testing.T) {
	var c cache
	var wg sync.WaitGroup
	var mu sync.Mutex
	made := 0
	for range 20 {
		wg.Go(func() {
			_, found, err := c.get(context.Background(), "k")
			if err != nil {
				t.Error(err)
			}
			if !found {
				mu.Lock()
				made++
				mu.Unlock()
				c.done("k", behavior.Report{Complete: true}, 10)
			}
		})
	}
	wg.Wait()
	if made != 1 {
		t.Errorf("made %d times", made)
	}
}

func TestCacheIsBounded(t *testing.T) {
	var c cache
	for i := range 40 {
		key := fmt.Sprint(i)
		if _, found, _ := c.get(context.Background(), key); !found {
			c.done(key, behavior.Report{}, maxKept/8)
		}
	}
	if c.size > maxKept || len(c.entries) != 8 || c.order.Len() != 8 {
		t.Errorf("size %d, %d entries, %d in order", c.size, len(c.entries), c.order.Len())
	}
	if _, found, _ := c.get(context.Background(), "39"); !found {
		t.Error("the last one is gone")
	}
}
