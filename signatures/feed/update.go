package feed

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// A localError is this machine's fault, not a mirror's: a full disk.
type localError struct{ err error }

func (e localError) Error() string { return "keep the feed on this disk: " + e.err.Error() }
func (e localError) Unwrap() error { return e.err }

// Update asks the mirrors once, and takes what is newest. It fails when no mirror gave a current, verified answer, and when
// new files were refused (ErrRefused); the files in use stay. Only one process changes the folder at a time: Update waits
// for another one until ctx is done, and then takes its result as well.
func (f *Feed) Update(ctx context.Context) (Update, error) {
	unlock, err := f.lock(ctx)
	if err != nil {
		return Update{}, err
	}
	defer unlock()
	before := f.current()
	if _, err := f.reload(ctx); err != nil {
		f.cfg.Log.Warn("feed", "error", err)
	}
	u, err := f.askAll(ctx)
	if err == nil && len(f.mirrors) == 0 {
		err = errNoMirror
	}
	after := f.current()
	if after != nil {
		u.Version, u.Content = after.version, after.content
		u.compare(before, after)
	}
	f.finish(err)
	if f.untidy && (err == nil || errors.Is(err, ErrRefused) || f.wanted != nil) {
		if err := f.sweep(after); err != nil {
			f.cfg.Log.Debug("feed: remove old files", "error", err)
		} else {
			f.untidy = f.wanted != nil
		}
	}
	return u, err
}

func (f *Feed) current() *tree {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.tree
}

// askAll asks every mirror that does not rest; those that rest, too, if no other answered.
func (f *Feed) askAll(ctx context.Context) (Update, error) {
	var u Update
	var errs []error
	var refused error
	answered := false
	ask := func(m *mirror) (stop bool) {
		ignored, swapped, err := f.ask(ctx, m)
		var local localError
		switch {
		case errors.As(err, &local) || ctx.Err() != nil && err != nil:
			errs = append(errs, err)
			return true
		case errors.Is(err, ErrRefused):
			refused = err
			m.note(f.cfg.Now(), nil, f.cfg)
		case err != nil:
			err = fmt.Errorf("mirror %s: %w", m.address, explain(err, f.cfg.Now()))
			errs = append(errs, err)
			m.note(f.cfg.Now(), err, f.cfg)
			f.cfg.Log.Debug("feed", "mirror", m.address, "error", err)
		default:
			answered = true
			m.note(f.cfg.Now(), nil, f.cfg)
			f.succeeded(m)
		}
		if err == nil {
			u.Ignored = ignored
		}
		if swapped {
			u.Mirror = m.address
		}
		return false
	}
	var rest []*mirror
	for _, m := range f.mirrors {
		if m.rests(f.cfg.Now()) {
			rest = append(rest, m)
		} else if ask(m) {
			return u, errors.Join(errs...)
		}
	}
	if !answered && refused == nil {
		for _, m := range rest {
			if ask(m) {
				break
			}
		}
	}
	if refused != nil {
		return u, refused
	}
	if answered {
		return u, nil
	}
	return u, errors.Join(errs...)
}

func (f *Feed) succeeded(m *mirror) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.saved.Success, f.saved.Mirror = f.cfg.Now(), m.address
}

// finish notes how a poll went.
func (f *Feed) finish(err error) {
	f.mu.Lock()
	f.saved.Checked, f.err = f.cfg.Now(), err
	s := f.saved
	s.Refusals = slices.Clone(s.Refusals)
	f.mu.Unlock()
	if err := f.disk.writeSaved(s); err != nil {
		f.cfg.Log.Warn("feed: keep its state", "error", err)
	}
}

// ask takes a mirror's files into use, if they are proven, other ones than those in use, and pass the rehearsal.
func (f *Feed) ask(ctx context.Context, m *mirror) (ignored []string, swapped bool, err error) {
	limit := f.cfg.Limits.Update
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("the mirror took longer than %v", limit))
	defer cancel()
	pr, root, err := f.verify(ctx, m)
	if err != nil {
		return nil, false, err
	}
	t, err := f.disk.newTree(pr, root)
	if err != nil {
		return nil, false, err
	}
	old := f.current()
	if old != nil && t.id == old.id {
		return pr.ignored, false, nil
	}
	if old == nil || t.content != old.content {
		if err := f.accept(ctx, pr, t, old); err != nil {
			return nil, false, err
		}
	} else if err := f.disk.stage(t); err != nil {
		return nil, false, localError{err}
	}
	if err := f.disk.commit(t, old); err != nil {
		return nil, false, localError{err}
	}
	f.swapped(t, old)
	return pr.ignored, true, nil
}

func (f *Feed) swapped(t, old *tree) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tree, f.bad = t, ""
	f.untidy, f.wanted = true, nil
	if old == nil || old.content != t.content {
		f.saved.Changed = f.cfg.Now()
	}
	if f.cfg.Rehearse != nil {
		f.saved.Content, f.saved.Engine = t.content, f.cfg.Engine
	}
}

// accept fetches a tree's new files, stages it and rehearses it.
func (f *Feed) accept(ctx context.Context, pr *proof, t, old *tree) error {
	f.mu.Lock()
	r, was := f.saved.refused(t.content, f.cfg.Engine, f.cfg.Now())
	f.mu.Unlock()
	if was && f.cfg.Rehearse != nil {
		return fmt.Errorf("%w (at %s): %s", ErrRefused, r.At.Format(time.DateTime), r.Reason)
	}
	f.untidy, f.wanted = true, nil
	for _, e := range t.entries {
		f.wanted = append(f.wanted, e.hash)
	}
	have := map[string]int64{} // sizes by hash
	if old != nil {
		for _, e := range old.entries {
			have[e.hash] = e.size
		}
	}
	for _, e := range t.entries {
		if err := f.download(pr, e, have); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
	}
	if err := f.disk.stage(t); err != nil {
		return localError{err}
	}
	if f.cfg.Rehearse == nil {
		return nil
	}
	err := f.rehearse(ctx, t)
	if err == nil || ctx.Err() != nil {
		return err
	}
	f.mu.Lock()
	f.saved.refuse(refusal{Content: t.content, Engine: f.cfg.Engine, Version: t.version, Reason: err.Error(), At: f.cfg.Now(),
		Slow: errors.Is(err, errSlow)})
	f.mu.Unlock()
	f.wanted = nil
	return fmt.Errorf("%w: %w", ErrRefused, err)
}

// download puts one target into targets/, unless it is there.
func (f *Feed) download(pr *proof, e entry, have map[string]int64) error {
	name := "targets/" + e.hash
	if size, ok := have[e.hash]; ok && size == e.size || checkHash(f.disk.path(name), e) == nil {
		return nil
	}
	data, err := guard(func() ([]byte, error) {
		_, data, err := pr.updater.DownloadTarget(e.file, "", "")
		return data, err
	})
	if err != nil {
		return fmt.Errorf("fetch %s: %w", e.path, err)
	}
	if err := f.disk.write(name, data); err != nil {
		return localError{err}
	}
	have[e.hash] = e.size
	return nil
}

var errSlow = errors.New("it took too long")

// rehearse runs the rehearsal with its time limit, also when it does not look at its context.
func (f *Feed) rehearse(ctx context.Context, t *tree) error {
	limit := f.cfg.Limits.Rehearsal
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errSlow)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil {
				done <- fmt.Errorf("the rehearsal broke: %v", r)
			}
		}()
		done <- f.cfg.Rehearse(ctx, t.files)
	}()
	select {
	case err := <-done:
		if err != nil && errors.Is(context.Cause(ctx), errSlow) {
			return fmt.Errorf("%w, more than %v: %w", errSlow, limit, err)
		}
		return err
	case <-ctx.Done():
		if cause := context.Cause(ctx); !errors.Is(cause, errSlow) {
			return cause
		}
		return fmt.Errorf("%w, more than %v", errSlow, limit)
	}
}

// compare says how the files changed.
func (u *Update) compare(before, after *tree) {
	old, now := map[string]string{}, map[string]string{}
	if before != nil {
		for _, e := range before.entries {
			old[e.path] = e.hash
		}
	}
	for _, e := range after.entries {
		now[e.path] = e.hash
		switch was, ok := old[e.path]; {
		case !ok:
			u.Added = append(u.Added, e.path)
		case was != e.hash:
			u.Modified = append(u.Modified, e.path)
		}
	}
	for p := range old {
		if _, ok := now[p]; !ok {
			u.Removed = append(u.Removed, p)
		}
	}
	slices.Sort(u.Removed)
	u.Changed = before == nil || before.content != after.content
}
