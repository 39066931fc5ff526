package feed

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// The attacks of this file are in what is signed, or in what lies on this computer's disk. Where a signature is needed the
// attacker has that key.

// wantRefusedAnew publishes a change that must be refused, then an honest one.
func (r *repo) wantRefusedAnew(f *Feed, change func(), says string) {
	r.t.Helper()
	r.fill(r.targets, func(name string) bool { return !strings.HasPrefix(name, "org/") })
	r.fill(r.org, func(name string) bool { return strings.HasPrefix(name, "org/") })
	delegations := *r.targets.Signed.Delegations
	change()
	r.sign()
	r.wantKept(f, says)
	r.targets.Signed.Delegations = &delegations
	r.time = r.time.Add(time.Minute)
	r.change()
	r.wantUpdate(f)
}

func TestAttackPaths(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	f := r.client()
	for _, name := range []string{"../evil", "/etc/evil", "a/../../evil", "a//b", "a/", ".", "..", ".hidden", "a/.b", "a\x00b", `a\b`, "a:b",
		"C:/evil", "a b", "ä", "a%2fb", "a?b", "a#b", "nul.", strings.Repeat("a", 201), "version.txt/x", "Campaigns/x.yml"} {
		r.wantRefusedAnew(f, func() { r.target(r.targets, name, "evil") }, "target path")
	}
	r.wantRefusedAnew(f, func() { r.target(r.targets, "VERSION.txt", "evil") }, "twice")
}

func TestAttackBounds(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	limit := func(c *Config) {
		c.Limits = Limits{Targets: 10, Target: 1000, Total: 2000, Metadata: 8 << 10, Roles: 3, Depth: 2}
	}
	f := r.client(limit)
	targets := &r.targets.Signed
	add := func(n int, size int64, name string) {
		for i := range n {
			r.target(r.targets, fmt.Sprintf(name, i), fmt.Sprint(i))
			targets.Targets[fmt.Sprintf(name, i)].Length = size
		}
	}
	role := func(name string, paths ...string) metadata.DelegatedRole {
		return metadata.DelegatedRole{Name: name, Threshold: 1, KeyIDs: targets.Delegations.Roles[0].KeyIDs, Paths: paths}
	}
	for says, change := range map[string]func(){
		"more than 10 targets":  func() { add(11, 1, "a/%d") },
		"1001 bytes, and 1000":  func() { add(1, 1001, "a/%d") },
		"-1 bytes":              func() { add(1, -1, "a/%d") },
		"more than 2000 bytes":  func() { add(3, 900, "a/%d") },
		"9223372036854775807 b": func() { add(2, 1<<63-1, "a/%d") },
		"are allowed":           func() { add(100, 1, "a/%d") }, // the metadata file grows too large
		"one hash":              func() { targets.Targets["version.txt"].Hashes["sha512"] = make([]byte, 64) },
		"must have one hash":    func() { targets.Targets["version.txt"].Hashes = metadata.Hashes{"sha512": make([]byte, 64)} },
		"hashes must not":       func() { targets.Targets["version.txt"].Hashes = nil },
		"broke the verifier":    func() { targets.Targets["version.txt"] = nil },
		"is taken":              func() { targets.Delegations.Roles = append(targets.Delegations.Roles, role("snapshot", "x/*")) },
		"role name":             func() { targets.Delegations.Roles = append(targets.Delegations.Roles, role("../../../etc/x", "org/*")) },
		"only * is read":        func() { targets.Delegations.Roles = append(targets.Delegations.Roles, role("x", "[a-")) },
		"hash prefixes": func() {
			targets.Delegations.Roles = append(targets.Delegations.Roles, metadata.DelegatedRole{Name: "x", PathHashPrefixes: []string{"a"}})
		},
		"hash bins": func() {
			targets.Delegations = &metadata.Delegations{SuccinctRoles: &metadata.SuccinctRoles{BitLength: 30, NamePrefix: "bin", Threshold: 1}}
		},
		"more than 3 delegated roles": func() {
			for _, name := range []string{"x", "y", "z"} {
				targets.Delegations.Roles = append(targets.Delegations.Roles, role(name, name+"/*"))
				r.files["metadata/1."+name+".json"] = r.files["metadata/1.org.json"]
				r.snapshot.Signed.Meta[name+".json"] = metadata.MetaFile(1)
			}
		},
		"role w": func() { targets.Delegations.Roles = append(targets.Delegations.Roles, role("w", "w/*")) }, // not in the snapshot
	} {
		r.wantRefusedAnew(f, change, says)
	}
}

// A role delegates to itself, to the one above it, and ever deeper.
func TestAttackDelegationLoop(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	f := r.client(func(c *Config) { c.Limits.Depth = 1 })
	d := *r.targets.Signed.Delegations
	d.Roles = append([]metadata.DelegatedRole{}, d.Roles...)
	d.Roles[0].Paths = []string{"org/*"}
	r.org.Signed.Delegations = &d
	r.change()
	r.wantUpdate(f)
	d.Roles = append(d.Roles, metadata.DelegatedRole{Name: "deep", Threshold: 1, KeyIDs: d.Roles[0].KeyIDs, Paths: []string{"org/*"}})
	r.change()
	r.wantKept(f, "deeper than 1")
}

// A properly signed timestamp names no snapshot, which a verifier may stumble over.
func TestAttackEmptyMetadata(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	f := r.client()
	for _, data := range []string{"", "null", "{}", "[]", `{"signed":null,"signatures":null}`, `{"signed":{"_type":"timestamp"},"signatures":[]}`,
		strings.Repeat("[", 10000), `{"signed":{"_type":"timestamp","version":1e999},"signatures":[]}`} {
		r.files["metadata/timestamp.json"] = []byte(data)
		r.wantKept(f)
	}
	r.timestamp.Signed.Meta = map[string]*metadata.MetaFiles{}
	r.signTimestamp()
	r.wantKept(f)
	r.timestamp.Signed.Meta = map[string]*metadata.MetaFiles{"snapshot.json": nil}
	r.signTimestamp()
	r.wantKept(f)
	r.change()
	r.wantUpdate(f)
}

// Two readers may understand a key that is there twice in two ways.
func TestAttackDuplicateKeys(t *testing.T) {
	t.Parallel()
	for _, twice := range []string{`"version":99,`, `"Version":99,`, `"expires":"2099-01-01T00:00:00Z",`, `"meta":{},`} {
		for _, name := range []string{"timestamp.json", "2.snapshot.json", "2.targets.json"} {
			r := newRepo(t)
			f := r.client()
			r.change()
			data := string(r.files["metadata/"+name])
			if strings.HasPrefix(twice, `"meta`) && name == "2.targets.json" {
				twice = `"targets":{},`
			}
			r.files["metadata/"+name] = []byte(strings.Replace(data, `"signed":{`, `"signed":{`+twice, 1))
			r.wantKept(f, "twice")
		}
	}
	r := newRepo(t)
	f := r.client()
	r.change()
	data := r.files["metadata/timestamp.json"]
	r.files["metadata/timestamp.json"] = append(data[:len(data):len(data)], data...)
	r.wantKept(f, "behind the end")
}

// What is signed is the canonical form: another layout of the same is the same, another number is not.
func TestNonCanonicalMetadata(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	f := r.client()
	r.change()
	pretty, err := r.timestamp.ToBytes(true)
	check(t, err)
	r.files["metadata/timestamp.json"] = append([]byte("\n\t "), pretty...)
	r.wantUpdate(f)

	r.change()
	version := fmt.Sprintf(`"version":%d`, r.timestamp.Signed.Version)
	for _, other := range []string{version + ".5", version + "e3", version + "0", `"version":"9"`, `"version":-1`} {
		r.files["metadata/timestamp.json"] = []byte(strings.Replace(string(r.files["metadata/timestamp.json"]), version, other, 1))
		r.wantKept(f)
		r.timestamp.Signed.Version--
		r.signTimestamp()
	}
	r.wantUpdate(f)
}

// Something damaged each file of the feed's folder: the agent starts, uses nothing that is not what was signed, and the
// next update brings all back.
func TestDamagedFolder(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.rotate("timestamp")
	r.signRoot()
	r.publish()
	base := r.client()
	var names []string
	all := os.DirFS(base.cfg.Dir)
	for _, dir := range []string{".", "metadata", "targets", "trees/" + base.tree.id} {
		matches, err := filepath.Glob(filepath.Join(base.cfg.Dir, filepath.FromSlash(dir), "*"))
		check(t, err)
		for _, m := range matches {
			if info, err := os.Stat(m); err == nil && info.Mode().IsRegular() {
				rel, err := filepath.Rel(base.cfg.Dir, m)
				check(t, err)
				names = append(names, rel)
			}
		}
	}
	if len(names) < 15 {
		t.Fatalf("only %q", names)
	}
	r.answer = nil
	for i, name := range names {
		cfg := r.config()
		check(t, os.CopyFS(cfg.Dir, all))
		file := filepath.Join(cfg.Dir, name)
		data, err := os.ReadFile(file)
		check(t, err)
		switch {
		case i%3 == 0 && len(data) > 0:
			data[len(data)/2] ^= 0x20
		case i%3 == 1:
			data = nil
		default:
			data = append(data, data...)
		}
		check(t, os.WriteFile(file, data, 0o600))
		f, err := Open(cfg)
		check(t, err)
		if got := content(t, f); got != nil {
			wantFiles(t, f, r.content)
		} else if f.State().Err == nil {
			t.Errorf("%s: nothing is used, and nothing says why", name)
		}
		if _, err := f.Update(t.Context()); err != nil {
			t.Errorf("%s: update: %v", name, err)
		}
		wantFiles(t, f, r.content)
	}
}

// A file of the folder is exchanged while the agent runs.
func TestDamagedFileIsNotRead(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	f := r.client()
	files, _ := f.Files()
	for _, e := range f.tree.entries {
		check(t, os.WriteFile(f.disk.path("targets/"+e.hash), []byte("evil"), 0o600))
	}
	if data, err := files.(*treeFS).ReadFile("version.txt"); err == nil {
		t.Errorf("read %q", data)
	}
}

// Feeds that are refused, one after the other, do not fill the disk; what was fetched of one that is not whole yet stays.
func TestAttackFillTheDisk(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	f := r.client()
	for i := range 5 {
		r.put("version.txt", fmt.Sprintf("%d", i))
		r.put("zz.txt", fmt.Sprintf("z %d", i))
		r.publish()
		bad := hashed("zz.txt", r.content["zz.txt"])
		r.answer = func(name string, req *http.Request) *http.Response {
			if name == bad {
				return reply(req, http.StatusInternalServerError, nil)
			}
			return nil
		}
		r.wantKept(f, "500")
		if n := len(f.disk.list("targets")); n != 4 {
			t.Errorf("%d targets on disk", n)
		}
		r.time = r.time.Add(time.Hour)
	}
	r.reset()
	r.wantUpdate(f)
	if strings.Contains(strings.Join(r.requests, " "), ".version.txt") {
		t.Errorf("fetched again: %q", r.requests)
	}
}
