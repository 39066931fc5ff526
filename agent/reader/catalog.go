package reader

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/manifests"
)

// A catalog is of a profile whose extensions a child can open, by the numbers that the child gave them. Extensions are opened long
// after they were listed, when the child has ended since: then another lists the profile once more.
type catalog struct {
	mu      sync.Mutex
	c       *child
	handles map[string]int
}

func keyOf(x *manifests.Extension) string { return x.ID + "\x00" + x.Path }

func (r *Readers) readRequest(p browsers.Profile) request {
	return request{Op: opRead, Read: &readRequest{Profile: p, Locale: r.cfg.Locale, OS: r.cfg.Machine.OS, Root: r.cfg.Machine.Root}}
}

// profile returns what is known of a profile's last listing.
func (r *Readers) profile(p browsers.Profile) *catalog {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := p.Browser + "\x00" + p.Dir
	l := r.listed[key]
	if l == nil {
		l = &catalog{}
		r.listed[key] = l
	}
	return l
}

func (r *Readers) remember(p browsers.Profile, c *child, answer listing) {
	l := r.profile(p)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.set(c, answer)
}

func (l *catalog) set(c *child, answer listing) {
	l.c, l.handles = c, make(map[string]int, len(answer.Extensions))
	for i := range answer.Extensions {
		if e := &answer.Extensions[i]; e.Handle != 0 {
			l.handles[keyOf(&e.Extension)] = e.Handle
		}
	}
}

// handle returns the child that can open an extension, and its number there. The profile is listed once more
// when its child has rested since, or is spent.
func (r *Readers) handle(ctx context.Context, p browsers.Profile, key string, spent *child) (*child, int, error) {
	l := r.profile(p)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.c == nil || l.c == spent || !l.c.alive() && l.c.idled() {
		var answer listing
		c, err := r.ask(ctx, p.User, r.readRequest(p), &answer)
		if err != nil {
			return nil, 0, err
		}
		l.set(c, answer)
	}
	handle := l.handles[key]
	if handle == 0 {
		return nil, 0, fmt.Errorf("it is not there any more: %w", errForgotten)
	}
	return l.c, handle, nil
}

// opener opens an extension of a listing.
func (r *Readers) opener(p browsers.Profile, key string) func() (manifests.Files, error) {
	return func() (manifests.Files, error) {
		ctx, cancel := context.WithTimeout(context.Background(), r.cfg.patience)
		defer cancel()
		var spent *child
		for attempt := 0; ; attempt++ {
			c, handle, err := r.handle(ctx, p, key, spent)
			if err != nil {
				return nil, err
			}
			var opened openAnswer
			err = c.ask(ctx, request{Op: opOpen, Handle: handle}, &opened)
			if err == nil {
				return &files{c: c, id: opened.Files}, nil
			}
			if idled := errors.Is(err, errEnded) && c.idled(); attempt < attempts && (idled || errors.Is(err, errForgotten)) {
				spent = c
				continue
			}
			if errors.Is(err, errEnded) || errors.Is(err, errForgotten) {
				return nil, fmt.Errorf("%w; the profile is read again", err)
			}
			return nil, err
		}
	}
}
