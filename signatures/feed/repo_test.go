package feed

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// A repo is a TUF repository in memory whose clock can be moved. Its roles sign whatever a test tells them to.
type repo struct {
	t    testing.TB
	time time.Time
	keys map[string][]signature.Signer // by role; root has two, both needed

	root      *metadata.Metadata[metadata.RootType]
	targets   *metadata.Metadata[metadata.TargetsType]
	org       *metadata.Metadata[metadata.TargetsType]
	snapshot  *metadata.Metadata[metadata.SnapshotType]
	timestamp *metadata.Metadata[metadata.TimestampType]

	content map[string]string // what the author wrote
	pinned  []byte
	*wire
}

const address = "https://mirror.example/feed"

func newRepo(t testing.TB) *repo {
	t.Helper()
	r := &repo{t: t, time: time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC), keys: map[string][]signature.Signer{},
		content: map[string]string{}, wire: &wire{files: map[string][]byte{}}}
	r.root = metadata.Root(r.in(365))
	for _, role := range []string{"root", "root", "targets", "snapshot", "timestamp"} {
		r.addKey(role, newKey(t))
	}
	r.root.Signed.Roles["root"].Threshold = 2
	r.targets, r.org = metadata.Targets(r.in(90)), metadata.Targets(r.in(90))
	r.snapshot, r.timestamp = metadata.Snapshot(r.in(7)), metadata.Timestamp(r.in(2))
	r.targets.Signed.Version, r.org.Signed.Version, r.snapshot.Signed.Version, r.timestamp.Signed.Version = 0, 0, 0, 0
	r.targets.Signed.Delegations = &metadata.Delegations{Keys: map[string]*metadata.Key{}, Roles: []metadata.DelegatedRole{
		{Name: "org", Threshold: 1, Paths: []string{"org/*", "org/campaigns/*", "org/techniques/*", "org/indicators/*"}}}}
	key := newKey(t)
	r.keys["org"] = []signature.Signer{key}
	check(t, r.targets.Signed.AddKey(public(t, key), "org"))
	r.signRoot()
	r.pinned = r.files["metadata/1.root.json"]
	r.put("version.txt", "2026.11.01\n")
	r.put("campaigns/first.yml", "title: first\n")
	r.put("org/campaigns/own.yml", "title: own\n")
	r.publish()
	return r
}

func newKey(t testing.TB) signature.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(nil)
	check(t, err)
	signer, err := signature.LoadSigner(private, crypto.Hash(0))
	check(t, err)
	return signer
}

func public(t testing.TB, s signature.Signer) *metadata.Key {
	t.Helper()
	p, err := s.PublicKey()
	check(t, err)
	key, err := metadata.KeyFromPublicKey(p)
	check(t, err)
	return key
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (r *repo) in(days int) time.Time { return r.time.AddDate(0, 0, days) }
func (r *repo) now() time.Time        { return r.time }

func (r *repo) put(name, data string) { r.content[name] = data }

// addKey and dropKey change the root in memory; signRoot publishes it.
func (r *repo) addKey(role string, s signature.Signer) {
	r.keys[role] = append(r.keys[role], s)
	check(r.t, r.root.Signed.AddKey(public(r.t, s), role))
}

func (r *repo) dropKey(role string, i int) signature.Signer {
	s := r.keys[role][i]
	id, err := public(r.t, s).ID()
	check(r.t, err)
	check(r.t, r.root.Signed.RevokeKey(id, role))
	r.keys[role] = slices.Delete(slices.Clone(r.keys[role]), i, i+1)
	return s
}

// rotate replaces the only key of a role, and returns the old one.
func (r *repo) rotate(role string) signature.Signer {
	r.addKey(role, newKey(r.t))
	return r.dropKey(role, 0)
}

// signRoot publishes the root as it is, signed by its keys and by others that sign as well.
func (r *repo) signRoot(others ...signature.Signer) {
	if r.files["metadata/1.root.json"] != nil {
		r.root.Signed.Version++
	}
	store(r, fmt.Sprintf("%d.root.json", r.root.Signed.Version), r.root, append(slices.Clone(r.keys["root"]), others...)...)
}

// publish signs everything anew, one version up, as the publisher does.
func (r *repo) publish() {
	r.fill(r.targets, func(name string) bool { return !strings.HasPrefix(name, "org/") })
	r.fill(r.org, func(name string) bool { return strings.HasPrefix(name, "org/") })
	r.sign()
}

// sign signs targets and org as they are, and the rest accordingly.
func (r *repo) sign() {
	r.targets.Signed.Version++
	r.org.Signed.Version++
	store(r, fmt.Sprintf("%d.targets.json", r.targets.Signed.Version), r.targets, r.keys["targets"]...)
	store(r, fmt.Sprintf("%d.org.json", r.org.Signed.Version), r.org, r.keys["org"]...)
	r.signSnapshot()
}

func (r *repo) signSnapshot() {
	r.snapshot.Signed.Version++
	r.snapshot.Signed.Meta["targets.json"] = metadata.MetaFile(r.targets.Signed.Version)
	r.snapshot.Signed.Meta["org.json"] = metadata.MetaFile(r.org.Signed.Version)
	store(r, fmt.Sprintf("%d.snapshot.json", r.snapshot.Signed.Version), r.snapshot, r.keys["snapshot"]...)
	r.timestamp.Signed.Meta["snapshot.json"] = metadata.MetaFile(r.snapshot.Signed.Version)
	r.signTimestamp()
}

func (r *repo) signTimestamp() {
	r.timestamp.Signed.Version++
	store(r, "timestamp.json", r.timestamp, r.keys["timestamp"]...)
}

func (r *repo) fill(role *metadata.Metadata[metadata.TargetsType], mine func(string) bool) {
	role.Signed.Targets = map[string]*metadata.TargetFiles{}
	for name, data := range r.content {
		if mine(name) {
			r.target(role, name, data)
		}
	}
}

// target makes a role list a file, and puts it where clients look for it.
func (r *repo) target(role *metadata.Metadata[metadata.TargetsType], name, data string) {
	file, err := metadata.TargetFile().FromBytes(name, []byte(data), "sha256")
	check(r.t, err)
	role.Signed.Targets[name] = file
	r.files[hashed(name, data)] = []byte(data)
}

func hashed(name, data string) string {
	return path.Join("targets", path.Dir(name), fmt.Sprintf("%x.%s", sha256.Sum256([]byte(data)), path.Base(name)))
}

func store[T metadata.Roles](r *repo, name string, m *metadata.Metadata[T], signers ...signature.Signer) {
	r.t.Helper()
	m.ClearSignatures()
	seen := map[string]bool{}
	for _, s := range signers {
		if id, err := public(r.t, s).ID(); err == nil && !seen[id] {
			seen[id] = true
			_, err := m.Sign(s)
			check(r.t, err)
		}
	}
	data, err := m.ToBytes(false)
	check(r.t, err)
	r.files["metadata/"+name] = data
}

// save and restore keep what a mirror had at one time, for attacks that offer it again.
func (r *repo) save() map[string][]byte { return maps.Clone(r.files) }

// writeTo writes the repository into a folder, as a stick has it.
func (r *repo) writeTo(dir string) {
	for name, data := range r.files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		check(r.t, os.MkdirAll(filepath.Dir(file), 0o755))
		check(r.t, os.WriteFile(file, data, 0o644))
	}
}

// A wire carries requests to a map of files, without a network.
type wire struct {
	mu       sync.Mutex
	files    map[string][]byte
	answer   func(name string, req *http.Request) *http.Response // nil, or nil from it: the files answer
	requests []string
	sent     int64 // bytes of bodies
}

func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	name := strings.TrimPrefix(req.URL.Path, "/feed/")
	w.requests = append(w.requests, name)
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	if w.answer != nil {
		if resp := w.answer(name, req); resp != nil {
			resp.Request = req
			return resp, nil
		}
	}
	data, ok := w.files[name]
	if !ok {
		return reply(req, http.StatusNotFound, nil), nil
	}
	tag := fmt.Sprintf(`"%x"`, sha256.Sum256(data))
	if req.Header.Get("If-None-Match") == tag {
		return reply(req, http.StatusNotModified, nil), nil
	}
	resp := reply(req, http.StatusOK, data)
	resp.Header.Set("ETag", tag)
	w.sent += int64(len(data))
	return resp, nil
}

func reply(req *http.Request, status int, data []byte) *http.Response {
	return &http.Response{StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Request: req,
		ContentLength: int64(len(data)), Body: io.NopCloser(bytes.NewReader(data))}
}

func (w *wire) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests, w.sent, w.answer = nil, 0, nil
}

// config is that of an agent of this repository.
func (r *repo) config() Config {
	return Config{Dir: r.t.TempDir(), Root: r.pinned, Mirrors: []string{address}, Client: &http.Client{Transport: r.wire},
		Now: r.now, Rand: func() float64 { return 0.5 }, Engine: "1", noSync: true}
}

func (r *repo) open(change ...func(*Config)) *Feed {
	r.t.Helper()
	cfg := r.config()
	for _, c := range change {
		c(&cfg)
	}
	f, err := Open(cfg)
	check(r.t, err)
	return f
}

// client is an agent that has taken the repository as it is now.
func (r *repo) client(change ...func(*Config)) *Feed {
	r.t.Helper()
	f := r.open(change...)
	r.wantUpdate(f)
	return f
}

func (r *repo) wantUpdate(f *Feed) Update {
	r.t.Helper()
	u, err := f.Update(context.Background())
	if err != nil {
		r.t.Fatalf("update: %v", err)
	}
	if !u.Changed {
		r.t.Fatal("the update changed nothing")
	}
	wantFiles(r.t, f, r.content)
	return u
}

// wantKept runs an update that must fail, and insists that the files stay as they were, in this process and in the next.
func (r *repo) wantKept(f *Feed, says ...string) error {
	r.t.Helper()
	before := content(r.t, f)
	u, err := f.Update(context.Background())
	if err == nil {
		r.t.Fatal("the update was accepted")
	}
	if u.Changed {
		r.t.Fatalf("the update failed (%v), and changed the files", err)
	}
	for _, part := range says {
		if !strings.Contains(err.Error(), part) {
			r.t.Errorf("the error does not say %q: %v", part, err)
		}
	}
	if f.State().Err == nil {
		r.t.Error("the state does not tell the error")
	}
	wantFiles(r.t, f, before)
	cfg := f.cfg
	cfg.step = nil
	again, openErr := Open(cfg)
	check(r.t, openErr)
	wantFiles(r.t, again, before)
	return err
}

func content(t testing.TB, f *Feed) map[string]string {
	t.Helper()
	files, ok := f.Files()
	if !ok {
		return nil
	}
	all := map[string]string{}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(files, name)
		all[name] = string(data)
		return err
	})
	check(t, err)
	return all
}

func wantFiles(t testing.TB, f *Feed, want map[string]string) {
	t.Helper()
	if diff := cmp.Diff(want, content(t, f)); diff != "" {
		t.Fatalf("files (-want +got):\n%s", diff)
	}
}

func number(v int64) string { return strconv.FormatInt(v, 10) }
