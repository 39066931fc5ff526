package publisher

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// clockSlack is how far this computer's clock may be behind that of the last publishing: another computer's clock, or
// this one's after it was set right by a little.
const clockSlack = 10 * time.Minute

// A Request says what to publish.
type Request struct {
	// Role is "" for everything that this folder has the keys for, "targets" for all but org/, or "org" for nothing but
	// org/: it then becomes visible with the next publishing or refresh by who has the keys of snapshot and timestamp.
	Role string
	// AcceptPublic takes over a public/ that is newer than this folder knows, because another folder published.
	AcceptPublic bool
}

// Published is what publishing did.
type Published struct {
	Versions map[string]int64 // of each role, after it
	Signed   []string         // the roles that were signed anew
	Changes  []Change         // of source/, against what was published before
	Notes    []string         // what the publisher should know: a role that is due, metadata that was not used
	NewKeys  []string         // files of the keys that Rotate made
	Waiting  string           // the signatures that a new root lacks; "": none, or there is no new root
}

// Publish checks source/ and publishes what has changed. When nothing has, it renews the timestamp.
func (p *Publisher) Publish(ctx context.Context, q Request) (Published, error) {
	if q.Role != "" && q.Role != roleTargets && q.Role != roleOrg {
		return Published{}, refuse("the authors' roles are targets and org", "role %q has nothing of its own to publish", q.Role)
	}
	return p.locked(func() (Published, error) { return p.publish(ctx, q, false) })
}

// Refresh renews the timestamp, and the snapshot when half of its time is over or the role org has published: the
// work of a nightly job, which needs only the keys of these two roles. source/ is not looked at.
func (p *Publisher) Refresh(ctx context.Context) (Published, error) {
	return p.locked(func() (Published, error) { return p.publish(ctx, Request{}, true) })
}

func (p *Publisher) locked(do func() (Published, error)) (Published, error) {
	unlock, err := p.lock()
	if err != nil {
		return Published{}, err
	}
	defer unlock()
	return do()
}

func (p *Publisher) publish(ctx context.Context, q Request, refresh bool) (Published, error) {
	st, err := p.readState()
	if err != nil {
		return Published{}, err
	}
	r, err := p.read()
	if err != nil {
		return Published{}, err
	}
	if err := p.guard(ctx, st, r, (q.AcceptPublic || refresh) && r.before == nil); err != nil {
		return Published{}, err
	}
	d := &draft{root: r.root, refresh: refresh}
	if err := p.loadStaged(r, d); err != nil {
		return Published{}, err
	}
	if refresh {
		return p.finish(ctx, st, r, d)
	}
	root, err := p.source()
	if err != nil {
		return Published{}, err
	}
	defer root.Close()
	source := root.FS()
	if defects := p.check(ctx, source); len(defects) > 0 {
		return Published{}, &Refusal{Err: errors.Join(defects...), Hint: "correct the lines above; nothing was published"}
	}
	f, err := p.prepare(ctx, r, source)
	if err != nil {
		return Published{}, err
	}
	if d.changes, err = p.changes(source); err != nil {
		return Published{}, err
	}
	if err := p.rises(f, d.changes); err != nil {
		return Published{}, err
	}
	if err := p.fill(r, d, f, q.Role); err != nil {
		return Published{}, err
	}
	if q.Role == roleOrg {
		return p.publishOrg(ctx, st, r, d, source)
	}
	out, err := p.finish(ctx, st, r, d)
	if err != nil {
		return out, err
	}
	roles := []string{}
	if d.mine(roleTargets) {
		roles = append(roles, roleTargets)
	}
	if d.mine(roleOrg) {
		roles = append(roles, roleOrg)
	}
	return out, p.remember(source, roles)
}

// rises refuses a version.txt that falls: agents would take the built-in rules for the newer ones.
func (p *Publisher) rises(f *prepared, changes []Change) error {
	const name = "version.txt"
	if !slices.ContainsFunc(changes, func(c Change) bool { return c.Path == name && c.What != "added" }) {
		return nil
	}
	before, err := os.ReadFile(p.path("published", name))
	if err != nil {
		return fmt.Errorf("read what was published: %w", err)
	}
	old, _ := strconv.Atoi(strings.TrimSpace(string(before))) // it was checked when it was published
	now, err := strconv.Atoi(strings.TrimSpace(string(f.data[name])))
	if err != nil || now < old {
		return refuse("write a higher number, or the one that was", "version.txt falls from %d", old)
	}
	return nil
}

// A draft is what is going to be published.
type draft struct {
	root    *rootMeta // whose keys count: the published root's, or the staged one's
	staged  []byte    // the new root, complete; nil: none
	refresh bool

	files       map[string]map[string]*metadata.TargetFiles // by role; nil: as it was
	data        map[string][]byte                           // by path
	skip        []string                                    // authors' roles that are left as they were
	delegations *metadata.Delegations                       // nil: as they were
	changes     []Change

	notes  []string
	signed []string
	next   repository
	bytes  map[string][]byte // by role
}

func (d *draft) mine(role string) bool { return !slices.Contains(d.skip, role) }

// fill decides which authors' roles are signed anew, with what.
func (p *Publisher) fill(r *repository, d *draft, f *prepared, only string) error {
	d.data, d.files = f.data, map[string]map[string]*metadata.TargetFiles{}
	for role, m := range map[string]*targetsMeta{roleTargets: r.targets, roleOrg: r.org} {
		if only != "" && only != role {
			d.skip = append(d.skip, role)
			continue
		}
		files := f.of(role)
		changed := !same(files, m)
		lifetime, err := p.settings.lifetime(role)
		if err != nil {
			return err
		}
		ids, n := keysOf(role, d.root, r.targets)
		here := p.has(ids, n)
		switch {
		case !here && changed && (only == role || role == roleTargets):
			return p.lacking(role, ids, n)
		case !here && changed:
			d.skip = append(d.skip, role)
			if len(files) > 0 {
				d.notes = append(d.notes, "org/ is left as it is published: the key of role org is not in keys/")
			}
		case changed, here && m.Signed.Expires.Sub(p.cfg.now()) < lifetime/3:
			d.files[role] = files
		}
	}
	return nil
}

// lacking says which keys of a role are missing.
func (p *Publisher) lacking(role string, ids []string, threshold int) error {
	var missing []string
	for _, id := range ids {
		if p.keys[id] == nil && find(id, []string{p.path("keys")}) == "" {
			missing = append(missing, keyName(role, id))
		}
	}
	hint := "put the key file into keys/, or publish where it is"
	if role == roleOrg {
		hint = "publish with --role targets, and let the team that has the key run 'extwatch feed publish --role org'"
	}
	return refuse(hint, "role %s needs %d of %d keys; %s is not in %s", role, threshold, len(ids), strings.Join(missing, ", "), p.path("keys"))
}

// guard refuses to go down, and to publish over what somebody else has published.
func (p *Publisher) guard(ctx context.Context, st state, r *repository, acceptNewer bool) error {
	versions := r.versions()
	newest, _, err := p.newestOrg(ctx, r, r.targets)
	if err != nil {
		return err
	}
	versions[roleOrg] = newest.Signed.Version
	for _, role := range allRoles() {
		have, known := versions[role], max(st.Versions[role], st.Next[role])
		if have < st.Versions[role] {
			return refuse("bring public/ back from the web server or a backup: agents refuse what is older than what they have",
				"public/ is older than what was published last: role %s is at version %d, not %d", role, have, st.Versions[role])
		}
		ids, n := keysOf(role, r.root, r.targets)
		author := role == roleTargets || role == roleOrg
		if author && have > known && len(st.Versions) > 0 && p.has(ids, n) && !acceptNewer { // a folder without a past takes what is there
			return refuse("fetch the other folder's source/ first, or its changes are taken back; then add --accept-public",
				"public/ is newer than this folder knows: role %s is at version %d, not %d; somebody else has published", role, have, known)
		}
	}
	if now := p.cfg.now(); now.Before(st.At.Add(-clockSlack)) {
		return refuse("set the clock of this computer", "the clock shows %s, but the last publishing was at %s",
			now.Format(time.RFC3339), st.At.UTC().Format(time.RFC3339))
	}
	return nil
}

// finish signs the draft and writes it.
func (p *Publisher) finish(ctx context.Context, st state, r *repository, d *draft) (Published, error) {
	changes, err := p.compose(ctx, r, d)
	if err != nil {
		return Published{}, err
	}
	if err := st.begin(p, d.next.versions()); err != nil {
		return Published{}, err
	}
	if err := p.write(changes); err != nil {
		return Published{}, err
	}
	if err := st.done(p, d.next.versions()); err != nil {
		return Published{}, err
	}
	if d.staged != nil || r.before != nil {
		if err := p.unstage(&d.next); err != nil {
			return Published{}, err
		}
	}
	out := Published{Versions: d.next.versions(), Signed: d.signed, Changes: d.changes, Notes: append(d.notes, p.due(&d.next)...)}
	return out, p.prune(&d.next)
}

// publishOrg publishes the part of the role org, which the next snapshot will name.
func (p *Publisher) publishOrg(ctx context.Context, st state, r *repository, d *draft, source fs.FS) (Published, error) {
	newest, notes, err := p.newestOrg(ctx, r, r.targets)
	if err != nil {
		return Published{}, err
	}
	out := Published{Versions: r.versions(), Changes: d.changes, Notes: notes}
	out.Versions[roleOrg] = newest.Signed.Version
	if d.files[roleOrg] == nil {
		return out, p.remember(source, []string{roleOrg})
	}
	if f := d.files[roleOrg]; same(f, newest) && newest != r.org {
		return out, p.remember(source, []string{roleOrg})
	}
	d.next = *r
	if err := p.signOrg(ctx, r, d); err != nil {
		return Published{}, err
	}
	out.Versions[roleOrg], out.Signed = d.next.org.Signed.Version, d.signed
	if err := st.begin(p, out.Versions); err != nil {
		return Published{}, err
	}
	if err := p.write(append(d.targetFiles(roleOrg), d.metadataFile(roleOrg, d.next.org.Signed.Version))); err != nil {
		return Published{}, err
	}
	if err := st.done(p, map[string]int64{roleOrg: out.Versions[roleOrg]}); err != nil {
		return Published{}, err
	}
	return out, p.remember(source, []string{roleOrg})
}
