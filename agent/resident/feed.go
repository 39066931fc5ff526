package resident

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/extwatch/extwatch/agent"
	"github.com/extwatch/extwatch/agent/settings"
	"github.com/extwatch/extwatch/agent/store"
	"github.com/extwatch/extwatch/agent/updates"
	"github.com/extwatch/extwatch/signatures"
)

// maxTrustFile bounds root.json and certificates; real ones have kilobytes.
const maxTrustFile = 4 << 20

// Rules returns the rules in use.
func (r *Resident) Rules() *signatures.Ruleset { return r.rules.Load() }

// openFeed takes the last good feed from the disk, if the settings name one. What cannot be used leaves the built-in rules.
func (r *Resident) openFeed(ctx context.Context) {
	s := r.set().Feed
	var u *updates.Updates
	reason := ""
	switch {
	case s.Root == "" && s.Mirrors != "":
		reason = "feed.mirrors is set, but not whose signatures are trusted: put the root.json of the feed beside the settings, or name it as feed.root"
	case s.Root != "":
		var err error
		u, err = updates.Open(updates.Config{
			Builtin: r.cfg.Rules, Folder: updates.Folder(r.cfg.Folder), Settings: s, Engine: r.cfg.Engine, Logger: r.log, Now: r.cfg.Now,
		})
		if err != nil {
			reason = err.Error()
		}
	}
	if reason != "" {
		r.log.Error("the built-in rules judge alone", "error", reason)
		r.note(ctx, store.Problem, "", "the feed is not used: "+reason)
	}
	pinned := pinnedBy(s)
	r.mu.Lock()
	r.updates, r.feedErr, r.pinned = u, reason, pinned
	r.mu.Unlock()
	rules := r.cfg.Rules
	if u != nil {
		rules = u.Rules()
	}
	r.rules.Store(rules)
}

// pinnedBy is what the files say that decide whose feed is trusted: another root.json at the same place is another feed.
func pinnedBy(s settings.Feed) string {
	h := sha256.New()
	for _, name := range trustFiles(s) {
		info, err := os.Stat(name)
		if err == nil && info.Mode().IsRegular() && info.Size() <= maxTrustFile {
			data, rerr := os.ReadFile(name)
			h.Write(data)
			err = rerr
		}
		fmt.Fprintf(h, " %s %t ", name, err == nil)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// trustFiles are the files that the settings of a feed name.
func trustFiles(s settings.Feed) []string {
	return slices.DeleteFunc([]string{s.Root, s.CA}, func(name string) bool { return name == "" })
}

// startFeed keeps the rules up to date until stopFeed.
func (r *Resident) startFeed(ctx context.Context) {
	r.mu.Lock()
	u := r.updates
	r.mu.Unlock()
	if u == nil {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		u.Run(ctx, func(rules *signatures.Ruleset) {
			r.rules.Store(rules)
			r.swapRules(ctx)
		}, func(text string) { r.note(ctx, store.Problem, "", text) })
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.feedStop = func() {
		cancel()
		wg.Wait()
	}
}

func (r *Resident) stopFeed() {
	r.mu.Lock()
	stop := r.feedStop
	r.feedStop = nil
	r.mu.Unlock()
	if stop != nil {
		stop()
	}
}

// watching says which agent is to be told of new rules.
func (r *Resident) watching(a *agent.Agent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.agent = a
	if a != nil {
		a.Swap(r.Rules()) // they may have changed since it was made
	}
}

// swapRules lets everything be judged by the rules in use.
func (r *Resident) swapRules(ctx context.Context) {
	r.fed(ctx)
	r.release(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.agent != nil {
		r.agent.Swap(r.Rules())
	}
}

// fed writes down which rules are in use.
func (r *Resident) fed(ctx context.Context) {
	rules := r.Rules()
	h := store.Health{Feed: "built-in", FeedVersion: rules.Version()}
	r.mu.Lock()
	if r.updates != nil && rules != r.cfg.Rules {
		h.Feed, h.FeedVersion = "your organisation's feed", int(r.updates.State().Version)
	}
	r.mu.Unlock()
	h.Rules, h.Indicators = rules.Counts()
	if err := r.db().Fed(ctx, h); err != nil {
		r.log.Error("write down the version of the rules", "error", err)
	}
}

// keepDecisions lets everything be judged anew when a decision of the organisation ends, and takes its block back.
func (r *Resident) keepDecisions(ctx context.Context) {
	look := time.NewTicker(time.Minute)
	defer look.Stop()
	rules, end := r.Rules(), r.nextEnd()
	r.release(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
		if now := r.Rules(); now != rules {
			rules, end = now, r.nextEnd()
		}
		if end.IsZero() || r.cfg.Now().Before(end) {
			continue
		}
		r.mu.Lock()
		u := r.updates
		r.mu.Unlock()
		if u != nil {
			r.rules.Store(u.Again())
		}
		rules, end = r.Rules(), r.nextEnd()
		r.swapRules(ctx)
	}
}
