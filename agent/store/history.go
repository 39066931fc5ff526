package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
)

// maxExtensions bounds one answer: a machine with 500 users has about 20,000.
const maxExtensions = 50_000

// A Query selects extensions. Its zero value is all that are there.
type Query struct {
	Row  int64  // Extension.Row
	ID   string // of the extension, in all profiles
	User string
	Dir  string // the profile's folder
	Gone bool   // also those that are there no more
	// Versions is how many versions of each are wanted, newest first; 0 is none.
	Versions int
	// Findings are wanted, closed ones as well.
	Findings bool
	Open     bool // only extensions with a finding that is open
}

// An Extension is what the store has of one extension in one profile. Texts hold what it calls itself: escape them where
// they are shown.
type Extension struct {
	Row                                    int64
	Browser, Channel, User, Profile, Title string // Title is the profile's name as the person sees it
	Dir, ID, Place, Path                   string // Place is its folder when it is unpacked or built in, else ""
	Origin                                 manifests.Origin
	Name, Version                          string
	Enabled                                bool
	Ruleset                                int
	Result                                 signatures.Result // its findings are in Findings
	FirstSeen, LastSeen                    time.Time         // LastSeen of what is there may be 12 hours old
	Gone                                   time.Time         // zero: it is there
	Versions                               []Version
	Findings                               []Finding           // newest first
	Problems                               []manifests.Problem // what is damaged in the rows of this extension
}

// A Version is one version, or one state of the files, of an extension.
type Version struct {
	Version             string
	Manifest            *manifests.Manifest // nil when it cannot be read any more
	Content             string              // hash of the files; "" when they were not read
	Files               map[string]string   // SHA-256 by path; nil when not known
	FirstSeen, LastSeen time.Time
}

// Extensions returns what is known of extensions, in the order of user, browser, profile and name.
func (s *Store) Extensions(ctx context.Context, q Query) ([]Extension, error) {
	list, err := s.extensions(ctx, q)
	return list, s.fail("read what is known of extensions", err)
}

func (s *Store) extensions(ctx context.Context, q Query) ([]Extension, error) {
	var list []Extension
	where, values := q.where()
	err := s.read(ctx, `SELECT e.id, e.browser, e.channel, e.user, e.profile, e.title, e.dir, e.ext_id, e.place, e.path, e.origin,
		e.name, e.version, e.enabled, e.ruleset, e.verdict, e.first_seen, e.last_seen, e.gone, b.data
		FROM extensions e JOIN blobs b ON b.id = e.result
		WHERE `+where+` ORDER BY e.user, e.browser, e.dir, e.name, e.id LIMIT ?`, append(values, maxExtensions), func(rows *sql.Rows) error {
		e, err := scanExtension(rows)
		list = append(list, e)
		return err
	})
	if err != nil {
		return nil, err
	}
	for i := range list {
		if err := s.versions(ctx, &list[i], q.Versions); err != nil {
			return nil, err
		}
		if !q.Findings {
			continue
		}
		if err := s.findings(ctx, &list[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// where selects by what is set only, so that an index is used.
func (q Query) where() (string, []any) {
	terms := []string{"1"}
	var values []any
	add := func(set bool, term string, value ...any) {
		if set {
			terms, values = append(terms, term), append(values, value...)
		}
	}
	add(q.Row != 0, "e.id = ?", q.Row)
	add(q.ID != "", "e.ext_id = ?", q.ID)
	add(q.User != "", "e.user = ?", q.User)
	add(q.Dir != "", "e.dir = ?", q.Dir)
	add(!q.Gone, "e.gone = 0")
	add(q.Open, "EXISTS (SELECT 1 FROM findings f WHERE f.extension = e.id AND f.closed = 0)")
	return strings.Join(terms, " AND "), values
}

func scanExtension(rows *sql.Rows) (e Extension, err error) {
	var first, last, gone int64
	var verdict signatures.Verdict
	var data []byte
	if err := rows.Scan(&e.Row, &e.Browser, &e.Channel, &e.User, &e.Profile, &e.Title, &e.Dir, &e.ID, &e.Place, &e.Path, &e.Origin,
		&e.Name, &e.Version, &e.Enabled, &e.Ruleset, &verdict, &first, &last, &gone, &data); err != nil {
		return e, err
	}
	if err := unpack(data, &e.Result); err != nil {
		e.Result = signatures.Result{}
		e.damaged("how it was judged", err)
	}
	e.Result.Verdict = verdict
	e.FirstSeen, e.LastSeen, e.Gone = fromMillis(first), fromMillis(last), fromMillis(gone)
	return e, nil
}

func (e *Extension) damaged(what string, err error) {
	e.Problems = append(e.Problems, manifests.Problem{Path: e.Path, Reason: fmt.Sprintf("%s cannot be read any more: %v", what, err)})
}

func (s *Store) versions(ctx context.Context, e *Extension, n int) error {
	if n <= 0 {
		return nil
	}
	return s.read(ctx, `SELECT v.version, v.content, v.first_seen, v.last_seen, m.data, f.data FROM versions v
		JOIN blobs m ON m.id = v.manifest LEFT JOIN blobs f ON f.id = v.files
		WHERE v.extension = ? ORDER BY v.id DESC LIMIT ?`, []any{e.Row, n}, func(rows *sql.Rows) error {
		var v Version
		var first, last int64
		var manifest, files []byte
		if err := rows.Scan(&v.Version, &v.Content, &first, &last, &manifest, &files); err != nil {
			return err
		}
		if err := unpack(manifest, &v.Manifest); err != nil {
			v.Manifest = nil
			e.damaged("the manifest of version "+v.Version, err)
		}
		if files != nil {
			if err := unpack(files, &v.Files); err != nil {
				v.Files = nil
				e.damaged("the file list of version "+v.Version, err)
			}
		}
		v.FirstSeen, v.LastSeen = fromMillis(first), fromMillis(last)
		e.Versions = append(e.Versions, v)
		return nil
	})
}

func (s *Store) findings(ctx context.Context, e *Extension) error {
	return s.read(ctx, "SELECT "+findingColumns+` FROM findings f JOIN extensions e ON e.id = f.extension JOIN blobs b ON b.id = f.data
		WHERE f.extension = ? ORDER BY f.id DESC`, []any{e.Row}, func(rows *sql.Rows) error {
		f, problem, err := scanFinding(rows)
		if err != nil {
			return err
		}
		if problem != nil {
			problem.Path = e.Path
			e.Problems = append(e.Problems, *problem)
		}
		e.Findings = append(e.Findings, f)
		return nil
	})
}

// History returns all that is known of the extensions with an ID, in all profiles, those that are gone as well.
func (s *Store) History(ctx context.Context, id string) ([]Extension, error) {
	return s.Extensions(ctx, Query{ID: id, Gone: true, Versions: 100, Findings: true})
}
