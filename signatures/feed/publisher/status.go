package publisher

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"time"
)

// Status is how a feed stands.
type Status struct {
	Organisation string
	Fingerprint  string // SHA-256 of root.json, hexadecimal
	Published    time.Time
	Files        int // that are published
	Roles        []RoleStatus
	Waiting      string   // what a new root in staged/ waits for; "": nothing
	Notes        []string // what is to be done
}

// A RoleStatus is how one role stands.
type RoleStatus struct {
	Role      string
	Version   int64
	Expires   time.Time
	Due       time.Time // from then on it is to be renewed
	Threshold int
	Keys      []KeyStatus
}

// A KeyStatus is a key, and where its file is.
type KeyStatus struct {
	ID   string
	Name string // of its file, without the ending
	File string // "" when it is not on this machine
}

// Status reads and verifies the feed.
func (p *Publisher) Status(ctx context.Context) (Status, error) {
	st, err := p.readState()
	if err != nil {
		return Status{}, err
	}
	r, err := p.read()
	if err != nil {
		return Status{}, err
	}
	pinned, err := os.ReadFile(p.path(rootName))
	if err != nil {
		return Status{}, fmt.Errorf("read the feed's first root: %w", err)
	}
	sum := sha256.Sum256(pinned)
	s := Status{Organisation: p.settings.Organisation, Fingerprint: hex.EncodeToString(sum[:]), Published: st.At,
		Files: len(r.targets.Signed.Targets) + len(r.org.Signed.Targets), Notes: p.due(r)}
	for _, role := range allRoles() {
		expires := r.expires(role)
		rs := RoleStatus{Role: role, Version: r.versions()[role], Expires: expires, Due: p.dueAt(role, expires)}
		ids, threshold := keysOf(role, r.root, r.targets)
		rs.Threshold = threshold
		folders := []string{p.path("keys")}
		if role == roleRoot {
			folders = p.cfg.RootKeys
		}
		for _, id := range ids {
			rs.Keys = append(rs.Keys, KeyStatus{ID: id, Name: keyName(role, id), File: find(id, folders)})
		}
		s.Roles = append(s.Roles, rs)
	}
	if next, _, err := p.staged(r); err != nil {
		s.Notes = append(s.Notes, err.Error())
	} else if next != nil {
		if s.Waiting = lacksSignatures(r.root, next); s.Waiting == "" {
			s.Notes = append(s.Notes, "a new root is signed and not published yet: run 'extwatch feed publish'")
		}
	}
	if err := p.guard(ctx, st, r, false); err != nil {
		s.Notes = append(s.Notes, err.Error())
	}
	newest, notes, err := p.newestOrg(ctx, r, r.targets)
	if err != nil {
		return s, err
	}
	if newest != r.org {
		s.Notes = append(s.Notes, fmt.Sprintf("the role org has published version %d: run 'extwatch feed refresh' to show it", newest.Signed.Version))
	}
	s.Notes = append(s.Notes, notes...)
	return s, ctx.Err()
}

func (r *repository) expires(role string) time.Time {
	switch role {
	case roleRoot:
		return r.root.Signed.Expires
	case roleTargets:
		return r.targets.Signed.Expires
	case roleOrg:
		return r.org.Signed.Expires
	case roleSnapshot:
		return r.snapshot.Signed.Expires
	}
	return r.timestamp.Signed.Expires
}

// dueAt is when a role's last third begins, and for the root two months before the end: people have to meet.
func (p *Publisher) dueAt(role string, expires time.Time) time.Time {
	lifetime, err := p.settings.lifetime(role)
	if err != nil {
		lifetime = Lifetimes()[role]
	}
	return expires.Add(-min(lifetime/3, 60*day))
}

// due says which roles are to be renewed, and how.
func (p *Publisher) due(r *repository) (notes []string) {
	now := p.cfg.now()
	for _, role := range allRoles() {
		expires := r.expires(role)
		if now.Before(p.dueAt(role, expires)) {
			continue
		}
		how := "run 'extwatch feed publish'"
		switch role {
		case roleRoot:
			how = "run 'extwatch feed rotate root --renew --root-keys DIR' with the root keys"
		case roleOrg:
			how = "run 'extwatch feed publish --role org' where its key is"
		case roleSnapshot, roleTimestamp:
			how = "run 'extwatch feed refresh', best every night"
		}
		when := "expires on " + expires.Format(time.DateOnly)
		if now.After(expires) {
			when = "expired on " + expires.Format(time.DateOnly)
		}
		notes = append(notes, fmt.Sprintf("role %s %s: %s", role, when, how))
	}
	return notes
}
