package agent

import (
	"os"
	"reflect"
	"slices"
	"time"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
)

// A slot is the place of one extension in a profile, over all its versions. An unpacked extension can claim any ID, so
// it has a place for each folder; there is one packed extension for an ID.
type slot struct{ id, path string }

func slotOf(e *manifests.Extension) slot {
	if e.ID == "" || e.Origin == manifests.OriginUnpacked || e.Origin == manifests.OriginBuiltin {
		return slot{e.ID, e.Path}
	}
	return slot{id: e.ID}
}

// known is what is known of one extension.
type known struct {
	profile  *profile
	ext      *manifests.Extension
	previous *manifests.Extension // the version before
	result   signatures.Result
	contents *signatures.Contents // nil until the files have been read
	code     *code                // what it does; never nil
	oldCode  *code                // what the version before did
	mark     mark
	at       time.Time // when its last change was noticed

	told       map[string]signatures.Verdict // worst verdict told, by rule
	unreadable time.Time                     // since when it cannot be judged; zero: it can
	warned     bool                          // that it cannot
	failed     bool                          // its files could not be opened the last time
	stamped    time.Time                     // when its files were last asked for
	problem    manifests.Problem             // why its files cannot be read, as it was told
	unstudied  manifests.Problem             // why its code cannot be analysed, as it was told
	retell     bool                          // other rules judge it, and that is to be told when all is known
	beside     bool                          // a version that waits beside the one that runs
	gone       bool
}

// A mark is the state of an extension's folder or package, as one look at it shows.
type mark struct {
	time time.Time
	size int64
}

func markOf(path string) mark {
	fi, err := os.Lstat(path)
	if err != nil {
		return mark{}
	}
	return mark{fi.ModTime(), fi.Size()}
}

// diff compares what a profile holds with what is known of it, and judges and tells what is new.
func (r *run) diff(p *profile, l *listing) {
	slots := p.slots(l.Extensions)
	seen := make(map[slot]bool, len(slots))
	for _, beside := range []bool{false, true} {
		for i := range l.Extensions {
			e, s := &l.Extensions[i], slots[i]
			if beside != (s != slotOf(e)) {
				continue
			}
			if seen[s] || beside && p.known[slotOf(e)].ext.Path == e.Path {
				continue // the same ID at the same place is the same extension
			}
			seen[s] = true
			if k := p.known[s]; k != nil {
				r.compare(k, e, l.marks[i])
				continue
			}
			r.add(p, s, &known{
				profile: p, ext: e, mark: l.marks[i], at: p.cause.at, told: map[string]signatures.Verdict{}, code: &code{},
			})
		}
	}
	for s, k := range p.known {
		// With a problem, absence proves nothing.
		if seen[s] || len(l.Problems) > 0 && k.ext.Path != "" && !l.absent[k.ext.Path] {
			continue
		}
		r.gone(p, s, p.cause.at)
		if main := (slot{id: s.id}); k.beside && k.ext.Pending && seen[main] {
			r.tell(Changed, p.known[main]) // the version that waited will not run
		}
	}
}

// add takes over an extension, or another version of one, that was not known.
func (r *run) add(p *profile, s slot, k *known) {
	kind := Installed
	if main := p.known[slot{id: s.id}]; main != nil && s.path != "" && slotOf(k.ext).path == "" {
		// One finding is told once, over all versions.
		kind, k.beside, k.previous, k.told = Changed, true, main.ext, main.told
		k.oldCode = main.code
	}
	if !r.ready || p.late {
		kind = Found
	}
	p.known[s] = k
	r.judge(k)
	r.tell(kind, k)
	r.warn(k)
	r.readFiles(k, true)
	if kind == Installed || kind == Changed {
		r.warmUp(k)
	}
}

// warmUp readies a worker for what arrived.
func (r *run) warmUp(k *known) {
	if r.cfg.Analyst != nil && k.ext.Open != nil && k.ext.Origin != manifests.OriginBuiltin {
		r.cfg.Analyst.warm()
	}
}

// slots gives each extension of a listing its place. Of the versions of one packed extension, the one that runs has the
// extension's place, and the others, which are pending, one beside it. What is known moves along when that changes.
func (p *profile) slots(list []manifests.Extension) []slot {
	slots := make([]slot, len(list))
	main := map[slot]int{}
	for i := range list {
		s := slotOf(&list[i])
		slots[i] = s
		j, ok := main[s]
		if !ok || p.before(s, &list[i], &list[j]) {
			main[s] = i
		}
	}
	for i := range list {
		s := slots[i]
		e, k := &list[i], p.known[s]
		switch beside := (slot{s.id, e.Path}); {
		case main[s] != i:
			slots[i] = beside
		case beside == s || p.known[beside] == nil || k != nil && k.ext.Path == e.Path:
		default:
			p.swap(s, beside)
		}
	}
	return slots
}

// before reports whether a, rather than b, has the place of the extension that both are versions of.
func (p *profile) before(s slot, a, b *manifests.Extension) bool {
	if a.Pending != b.Pending {
		return b.Pending
	}
	k := p.known[s]
	return k != nil && k.ext.Path == a.Path && k.ext.Path != b.Path
}

// swap gives the version beside an extension its place, and the other way round.
func (p *profile) swap(s, beside slot) {
	next, old := p.known[beside], p.known[s]
	delete(p.known, beside)
	p.known[s], next.beside = next, false
	if old != nil {
		old.beside = true
		p.known[slot{s.id, old.ext.Path}] = old
	}
}

// compare takes over what the profile says now of an extension that is known.
func (r *run) compare(k *known, e *manifests.Extension, m mark) {
	old := k.ext
	k.ext = e
	confirmed := old.Pending && !e.Pending && old.Path == e.Path
	updated := old.Path != e.Path || !confirmed && !reflect.DeepEqual(old.Manifest, e.Manifest)
	moved := m != k.mark
	k.mark = m
	if updated {
		if old.Manifest != nil {
			k.previous, k.oldCode = old, k.code
		}
		k.contents, k.code = nil, &code{}
	}
	if updated || !sameState(old, e) {
		k.at = k.profile.cause.at
		verdict := k.result.Verdict
		r.judge(k)
		// That the preferences caught up with the disk is no news, unless they say something unexpected.
		unexpected := old.Enabled != e.Enabled || old.Origin != e.Origin && e.Origin != manifests.OriginStore || verdict != k.result.Verdict
		// Nor that they say again, or no longer, what is granted.
		known := *old
		if old.Granted == nil || e.Granted == nil {
			known.Granted = e.Granted
		}
		if !old.Enabled && e.Enabled {
			clear(k.told) // what was no danger then is one now
		}
		if unexpected || !confirmed && (updated || !sameState(&known, e)) {
			r.tell(Changed, k)
		}
	}
	r.warn(k)
	p := k.profile
	if updated || moved || p.cause.touches(e.Path) || k.failed || k.due() {
		r.readFiles(k, updated)
	}
	if updated {
		r.warmUp(k)
	}
}

// due reports whether the files of an extension that reaches an exchange should be looked at again, if only because its
// profile is read: some writes into them raise no event.
func (k *known) due() bool {
	return k.ext.Enabled && len(k.result.Reach) > 0 && time.Since(k.stamped) >= restampEvery
}

// sameState reports whether two readings of the same version say the same.
func sameState(a, b *manifests.Extension) bool {
	return a.Enabled == b.Enabled && slices.Equal(a.Disabled, b.Disabled) && a.Unreadable == b.Unreadable &&
		a.Origin == b.Origin && a.FromStore == b.FromStore && a.Signed == b.Signed && a.CommandLine == b.CommandLine &&
		a.Withheld == b.Withheld && reflect.DeepEqual(a.Granted, b.Granted) &&
		slices.Equal(a.DiskDiffers, b.DiskDiffers) && slices.Equal(a.Names, b.Names)
}

// gone forgets an extension; when it returns it is new.
func (r *run) gone(p *profile, s slot, at time.Time) {
	k := p.known[s]
	delete(p.known, s)
	k.at, k.gone = at, true
	r.jobs = slices.DeleteFunc(r.jobs, func(j job) bool { return j.known == k })
	r.untell(k.problem)
	r.untell(k.unstudied)
	if !k.beside {
		r.tell(Gone, k)
	}
}

func (r *run) tell(kind Kind, k *known) { r.cfg.Tell(r.event(kind, k)) }

func (r *run) event(kind Kind, k *known) Event {
	return Event{
		Kind: kind, At: k.at, Extension: *k.ext, Profile: k.profile.Profile, Result: k.result, Code: k.code.known(),
		Content: contentOf(k.ext, k.contents), Ruleset: r.rules.Version(),
	}
}

// judge gives the verdict from what is known now.
func (r *run) judge(k *known) {
	err := r.protect("judging "+k.ext.Path, func() {
		k.result = r.rules.Judge(signatures.Input{
			Extension: k.ext, Previous: k.previous, Contents: k.contents, Behavior: k.code.known(), PreviousBehavior: k.oldCode.known(),
		})
	})
	if err != nil {
		k.result = signatures.Result{
			Verdict:  signatures.Unreadable,
			Problems: []manifests.Problem{{Path: k.ext.Path, Reason: err.Error()}},
		}
	}
	switch {
	case k.result.Verdict != signatures.Unreadable:
		k.unreadable, k.warned = time.Time{}, false
	case k.unreadable.IsZero():
		k.unreadable = time.Now()
	}
}

// warn tells the findings that have not been told.
func (r *run) warn(k *known) {
	var fresh []signatures.Finding
	for _, f := range k.result.Findings {
		before, told := k.told[f.Rule]
		if !f.Verdict.Worse(signatures.Unreadable) || told && !f.Verdict.Worse(before) {
			continue // no warning, or nothing new
		}
		k.told[f.Rule] = f.Verdict
		fresh = append(fresh, f)
	}
	switch {
	case len(fresh) > 0:
	case k.unreadable.IsZero() || k.warned || !k.ext.Enabled:
		return
	case time.Since(k.unreadable) < retryAfter:
		k.profile.later(k.unreadable)
		return
	default:
		k.warned = true
	}
	ev := r.event(Warning, k)
	ev.New, ev.Unreadable = fresh, len(fresh) == 0
	r.cfg.Tell(ev)
}

// swap judges all extensions by the new ruleset, from what is known of their files. Only those are read again of which it
// asks something that the last one did not.
func (r *run) swap() {
	rules := r.Agent.rules.Load()
	if rules == nil || rules == r.rules {
		return
	}
	r.rules = rules
	adopted := map[*signatures.Contents]*signatures.Contents{} // what is shared stays so
	adopt := func(c *signatures.Contents) (*signatures.Contents, bool) {
		if a := adopted[c]; a != nil {
			return rules.Adopt(a)
		}
		a, complete := rules.Adopt(c)
		adopted[c] = a
		return a, complete
	}
	for path, got := range r.contents {
		var complete bool
		if got.contents, complete = adopt(got.contents); !complete {
			got.stamp = "" // that it has not changed does not matter
		}
		r.contents[path] = got
	}
	busy := map[*known]bool{} // what is read now is read for the last ruleset
	for _, w := range r.working {
		busy[w.known] = true
	}
	for _, p := range r.profiles {
		for _, k := range p.known {
			var complete bool
			k.contents, complete = adopt(k.contents)
			k.at = r.cfg.Now()
			r.judge(k)
			r.warn(k)
			switch {
			case k.ext.Open != nil && (!complete || busy[k]):
				k.retell = true
				r.readFiles(k, false)
			case r.cfg.Analyst != nil && k.code.asked && k.code.report == nil:
				k.retell = true
			default:
				r.tell(Judged, k)
			}
		}
	}
}
