package resident

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/fsnotify/fsnotify"
)

// changes tell of files that were written. Where folders cannot be watched, nothing is told.
type changes struct {
	w     *fsnotify.Watcher
	files []string
	out   chan string

	mu      sync.Mutex
	awaited []string // folders that are not there yet
}

// newChanges watches the folders of files, also when they come later.
func newChanges(files []string) *changes {
	c := &changes{files: files, out: make(chan string)}
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return c
	}
	c.w = w
	for _, f := range files {
		c.watch(filepath.Dir(f))
		c.watch(f) // a folder, perhaps
	}
	go func() {
		defer close(c.out)
		for e := range w.Events {
			c.arrived(e)
			if !e.Has(fsnotify.Chmod) {
				c.out <- e.Name
			}
		}
	}()
	go func() {
		for range w.Errors { // a lost event: the hour brings what it told
		}
	}()
	return c
}

func (c *changes) events() <-chan string {
	if c.w == nil {
		return nil
	}
	return c.out
}

// watch watches a folder: itself, or, while it is not there, the one that it is to come to.
func (c *changes) watch(folder string) {
	if c.w == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if slices.Contains(c.w.WatchList(), folder) {
		return
	}
	if err := c.w.Add(folder); errors.Is(err, fs.ErrNotExist) && !slices.Contains(c.awaited, folder) {
		c.awaited = append(c.awaited, folder)
		c.w.Add(filepath.Dir(folder)) // what cannot be watched is looked at every hour
	}
}

// arrived watches a folder that has come, and tells of the files that may have come with it.
func (c *changes) arrived(e fsnotify.Event) {
	c.mu.Lock()
	i := slices.Index(c.awaited, e.Name)
	if i >= 0 {
		c.awaited = slices.Delete(c.awaited, i, i+1)
	}
	c.mu.Unlock()
	if i < 0 {
		return
	}
	c.watch(e.Name)
	for _, f := range c.files {
		if _, err := os.Lstat(f); err == nil && filepath.Dir(f) == e.Name {
			c.out <- f
		}
	}
}

func (c *changes) close() {
	if c.w != nil {
		go func() {
			for range c.out {
			}
		}()
		c.w.Close()
	}
}
