package store

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
)

const (
	// seenEvery is how old LastSeen of what is there may be: an unchanged sweep writes nothing.
	seenEvery = 12 * time.Hour
	// maxFiles bounds the file hashes of one version. The largest real extensions have about 10,000 files.
	maxFiles = 20_000
	// maxFindings bounds the findings of one extension; there is one for a rule.
	maxFindings = 500
	// RuleUnreadable is the rule of the finding that says that an extension cannot be judged.
	RuleUnreadable = "unreadable"
)

// A Kind says what an Event is about, or what Record noticed of an extension.
type Kind string

// The kinds.
const (
	New     Kind = "new"     // it was not there, or was gone
	Changed Kind = "changed" // another version or content, enabled or disabled, other permissions granted
	Same    Kind = "same"    // as it was; it may be judged otherwise
	Gone    Kind = "gone"
	Warning Kind = "warning" // a finding, suspicious or worse, or an extension that cannot be judged
	Problem Kind = "problem" // what could not be read, watched, kept or sent
	Decided Kind = "decided" // trust, block, snooze, or the end of one
)

// An Observation is one extension as it was seen now.
type Observation struct {
	Dir       string // the profile's folder, absolute: two data folders may both hold a "Default"
	Extension *manifests.Extension
	Gone      bool // it is there no more; Extension needs only what identifies it: Browser, ID, Origin, Path

	Content string            // hash of its files, in the caller's way; "" when they have not been read
	Files   map[string]string // SHA-256 by path; nil when not known
	Result  signatures.Result
	Ruleset int // the version of what judged it
	// Unreadable is set when it could not be judged for so long that it is to be told.
	Unreadable bool
}

// An Outcome is what Record noticed.
type Outcome struct {
	Kind      Kind  // New, Changed, Same or Gone
	Extension int64 // its row: Extension.Row
	// Untold are its open findings, suspicious or worse, that nobody has been told of on any channel, and that no
	// decision covers.
	Untold []Finding
}

// Record keeps what was seen, all of it or, with an error, nothing: the extensions of one profile make one good call.
func (s *Store) Record(ctx context.Context, seen ...Observation) ([]Outcome, error) {
	var out []Outcome
	err := s.write(ctx, "record what was seen", false, func(x *tx) error {
		out = make([]Outcome, 0, len(seen))
		for i := range seen {
			if seen[i].Extension == nil {
				return errors.New("an observation without extension")
			}
			o, err := s.record(x, &seen[i])
			if err != nil {
				return err
			}
			out = append(out, o)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// placeOf tells apart the extensions of a profile that have the same ID.
func placeOf(e *manifests.Extension) string {
	if e.ID == "" || e.Origin == manifests.OriginUnpacked || e.Origin == manifests.OriginBuiltin {
		return e.Path
	}
	return ""
}

// A row is what the store has of an extension.
type row struct {
	id, lastSeen, gone, ruleset, episode int64
	enabled, partial                     bool
	verdict                              signatures.Verdict
	state, judged                        []byte
}

func (s *Store) record(x *tx, o *Observation) (Outcome, error) {
	e, now := o.Extension, s.now()
	var was row
	found, err := x.scan(`SELECT id, last_seen, gone, ruleset, episode, enabled, partial, verdict, state, judged
		FROM extensions WHERE browser = ? AND dir = ? AND ext_id = ? AND place = ?`,
		[]any{e.Browser, o.Dir, e.ID, placeOf(e)},
		&was.id, &was.lastSeen, &was.gone, &was.ruleset, &was.episode, &was.enabled, &was.partial, &was.verdict, &was.state, &was.judged)
	if err != nil {
		return Outcome{}, err
	}
	if o.Gone {
		if !found || was.gone != 0 {
			return Outcome{Kind: Gone, Extension: was.id}, nil
		}
		return Outcome{Kind: Gone, Extension: was.id}, recordGone(x, was.id, e, now)
	}
	state, judged, result, err := fingerprints(o)
	if err != nil {
		return Outcome{}, err
	}
	kind := Same
	switch {
	case !found || was.gone != 0:
		kind = New
	case !slices.Equal(state[:], was.state):
		kind = Changed
	}
	// What is known of the files is not forgotten because they have not been read yet.
	early := kind == Same && o.Result.Partial && !was.partial && was.ruleset == int64(o.Ruleset)
	var changed bool
	switch {
	case kind == Same && (early && !o.Result.Verdict.Worse(was.verdict) || slices.Equal(judged[:], was.judged)):
		if now-was.lastSeen >= seenEvery.Milliseconds() {
			_, _, err = x.exec("UPDATE extensions SET last_seen = ? WHERE id = ?", now, was.id)
		}
	default:
		changed, err = recordChange(x, o, &was, found, kind, state[:], judged[:], result, now)
		if changed && kind == Same {
			kind = Changed
		}
	}
	if err != nil {
		return Outcome{}, err
	}
	out := Outcome{Kind: kind, Extension: was.id}
	if o.Result.Verdict.Worse(signatures.Unreadable) || was.verdict.Worse(signatures.Unreadable) || o.Unreadable {
		out.Untold, err = untold(x, was.id, now)
	}
	return out, err
}

// fingerprints are hashes of what an extension is, and of how it was judged, which is also returned as JSON. The findings
// have rows of their own.
func fingerprints(o *Observation) (state, judged [sha256.Size]byte, result []byte, err error) {
	e := o.Extension
	text, err := json.Marshal([]any{e.Manifest, e.Unreadable, e.Enabled, e.Disabled, e.Origin, e.FromStore, e.CommandLine,
		e.Granted, e.Withheld, e.DiskDiffers, e.Names})
	if err != nil {
		return state, judged, nil, err
	}
	state = sha256.Sum256(text)
	r := o.Result
	findings, err := json.Marshal(r.Findings)
	if err != nil {
		return state, judged, nil, err
	}
	r.Findings = nil
	if result, err = json.Marshal(r); err != nil {
		return state, judged, nil, err
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s %d %t %s %s ", o.Content, o.Ruleset, o.Unreadable, e.Path, e.Version())
	h.Write(result)
	h.Write(findings)
	h.Sum(judged[:0])
	return state, judged, result, nil
}

// recordChange writes what is new of an extension, and reports whether its content is another one.
func recordChange(x *tx, o *Observation, was *row, found bool, kind Kind, state, judged, result []byte, now int64) (bool, error) {
	e := o.Extension
	resultRow, err := x.blobOf(result, sha256.Sum256(result))
	if err != nil {
		return false, err
	}
	switch {
	case !found:
		was.episode = 1
		was.id, _, err = x.exec(`INSERT INTO extensions (browser, dir, ext_id, place, channel, user, profile, title, path, origin, name,
			version, enabled, verdict, ruleset, result, partial, state, judged, episode, first_seen, last_seen)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			e.Browser, o.Dir, e.ID, placeOf(e), e.Channel, e.User, e.Profile, short(e.ProfileTitle), e.Path, e.Origin, short(e.Name()),
			short(e.Version()), e.Enabled, o.Result.Verdict, o.Ruleset, resultRow, o.Result.Partial, state, judged, was.episode, now, now)
	default:
		if was.gone != 0 || e.Enabled && !was.enabled {
			was.episode++ // what was no danger then is one now
			if _, _, err := x.exec("UPDATE findings SET closed = ? WHERE extension = ? AND closed = 0", now, was.id); err != nil {
				return false, err
			}
		}
		_, _, err = x.exec(`UPDATE extensions SET channel = ?, user = ?, profile = ?, title = ?, path = ?, origin = ?, name = ?,
			version = ?, enabled = ?, verdict = ?, ruleset = ?, result = ?, partial = ?, state = ?, judged = ?, episode = ?,
			last_seen = ?, gone = 0 WHERE id = ?`,
			e.Channel, e.User, e.Profile, short(e.ProfileTitle), e.Path, e.Origin, short(e.Name()), short(e.Version()), e.Enabled,
			o.Result.Verdict, o.Ruleset, resultRow, o.Result.Partial, state, judged, was.episode, now, was.id)
	}
	if err != nil {
		return false, err
	}
	changed, err := recordVersion(x, o, was.id, now)
	if err != nil {
		return false, err
	}
	if kind != Same || changed {
		what := kind
		if kind == Same {
			what = Changed
		}
		if err := addEvent(x, now, what, was.id, e.User, describe(e)); err != nil {
			return false, err
		}
	}
	return changed, recordFindings(x, o, was, now)
}

// describe names an extension in the timeline.
func describe(e *manifests.Extension) string {
	text := e.Name()
	if v := e.Version(); v != "" {
		text += " " + v
	}
	if !e.Enabled {
		text += " (disabled)"
	}
	return text
}

func recordGone(x *tx, id int64, e *manifests.Extension, now int64) error {
	for _, query := range []string{
		"UPDATE extensions SET gone = ?1, last_seen = ?1 WHERE id = ?2",
		"UPDATE findings SET closed = ?1 WHERE extension = ?2 AND closed = 0",
		`INSERT INTO events (at, kind, extension, user, text)
			SELECT ?1, 'gone', id, user, trim(name || ' ' || version) FROM extensions WHERE id = ?2`,
	} {
		if _, _, err := x.exec(query, now, id); err != nil {
			return err
		}
	}
	return nil
}

// recordVersion keeps the manifest and the hashes, and reports whether the content differs from what was known.
func recordVersion(x *tx, o *Observation, id, now int64) (bool, error) {
	if o.Extension.Manifest == nil {
		return false, nil
	}
	manifest, err := x.blob(o.Extension.Manifest)
	if errors.Is(err, errTooLarge) {
		return false, nil // it is judged all the same; its history lacks this manifest
	}
	if err != nil {
		return false, err
	}
	var last, lastManifest int64
	var content string
	found, err := x.scan("SELECT id, manifest, content FROM versions WHERE extension = ? ORDER BY id DESC LIMIT 1",
		[]any{id}, &last, &lastManifest, &content)
	if err != nil {
		return false, err
	}
	var files any // NULL
	if n := len(o.Files); n > 0 && n <= maxFiles {
		if files, err = x.blob(o.Files); err != nil {
			return false, err
		}
	}
	if found && manifest == lastManifest && (content == o.Content || content == "" || o.Content == "") {
		_, _, err = x.exec(`UPDATE versions SET last_seen = ?, content = iif(?2 = '', content, ?2), files = ifnull(?3, files)
			WHERE id = ?4`, now, o.Content, files, last)
		return false, err
	}
	_, _, err = x.exec(`INSERT INTO versions (extension, version, manifest, content, files, first_seen, last_seen)
		VALUES (?, ?, ?, ?, ?, ?, ?)`, id, short(o.Extension.Version()), manifest, o.Content, files, now, now)
	return found, err
}
