package inventory

import (
	"hash/maphash"
	"io/fs"
	"slices"
	"sync"
	"time"

	"github.com/extwatch/extwatch/manifests"
)

const (
	// A server may have hundreds of users; past this many profiles the one read longest ago is forgotten.
	maxProfiles = 4096
	// File systems stamp a change with a clock of 4 ms (ext4) to 2 s (FAT). A file that changed more recently than that
	// before it was read may change again without its stamp changing, so it is read again next time.
	stampGrain = 2 * time.Second
)

// A stamp identifies one state of one file.
type stamp struct {
	size         int64
	mtime, ctime int64 // ns; ctime, which no program can set, where the system has it
	dev, ino     uint64
}

func stampOf(fi fs.FileInfo) stamp {
	s := stamp{size: fi.Size(), mtime: fi.ModTime().UnixNano()}
	s.ctime, s.dev, s.ino = identity(fi)
	return s
}

// settledBy reports whether the file had come to rest well before now.
func (s stamp) settledBy(now time.Time) bool {
	return max(s.mtime, s.ctime) < now.Add(-stampGrain).UnixNano()
}

// A kept is a parsed value and the state of the files that it came from.
type kept[T any] struct {
	stamps  []stamp
	settled bool
	used    uint64
	value   T
}

// A memo keeps what was parsed in the last read of one profile. It is safe for concurrent use.
type memo[T any] struct {
	mu    sync.Mutex
	items map[string]kept[T]
}

func (m *memo[T]) get(key string, stamps []stamp, gen uint64) (T, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k, ok := m.items[key]
	if !ok || !k.settled || !slices.Equal(k.stamps, stamps) {
		var zero T
		return zero, false
	}
	k.used = gen
	m.items[key] = k
	return k.value, true
}

// last returns what was kept for key, of whatever state.
func (m *memo[T]) last(key string) T {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.items[key].value
}

// keep returns what was kept for key, of whatever state, and keeps it on.
func (m *memo[T]) keep(key string, gen uint64) (T, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k, ok := m.items[key]
	if ok {
		k.used = gen
		m.items[key] = k
	}
	return k.value, ok
}

func (m *memo[T]) put(key string, stamps []stamp, gen uint64, value T) {
	now := time.Now()
	settled := true
	for _, s := range stamps {
		settled = settled && s.settledBy(now)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.items == nil {
		m.items = make(map[string]kept[T])
	}
	m.items[key] = kept[T]{stamps: stamps, settled: settled, used: gen, value: value}
}

func (m *memo[T]) drop(gen uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for k, v := range m.items {
		if v.used != gen {
			delete(m.items, k)
		}
	}
}

// memory is what a Reader remembers of one profile.
type memory struct {
	reading sync.Mutex
	lastUse uint64 // guarded by Reader.mu

	gen     uint64
	files   memo[*prefsFile] // preferences files, parsed
	gecko   memo[geckoFiles] // extensions.json and what belongs to it
	folders memo[folder]     // manifests in folders and packages
	listed  memo[[]string]   // version folders of one extension
	differs memo[comparison] // what differences said of two manifests

	newer memo[time.Time] // when a version folder that the preferences do not name was first seen

	lost map[string]time.Time // since when a preferences file that was read before is missing; guarded by reading
	seed maphash.Seed
}

func (r *Reader) memoryOf(dir string) *memory {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clock++
	m := r.profiles[dir]
	if m == nil {
		r.forget()
		m = &memory{seed: maphash.MakeSeed(), lost: make(map[string]time.Time)}
		r.profiles[dir] = m
	}
	m.lastUse = r.clock
	return m
}

// forget makes room for one more profile.
func (r *Reader) forget() {
	if len(r.profiles) < maxProfiles {
		return
	}
	oldest, least := "", uint64(0)
	for dir, m := range r.profiles {
		if oldest == "" || m.lastUse < least {
			oldest, least = dir, m.lastUse
		}
	}
	delete(r.profiles, oldest)
}

func (m *memory) begin() { m.gen++ }

// end forgets what this read did not use.
func (m *memory) end() {
	m.files.drop(m.gen)
	m.gecko.drop(m.gen)
	m.folders.drop(m.gen)
	m.listed.drop(m.gen)
	m.differs.drop(m.gen)
	m.newer.drop(m.gen)
}

// folderOf returns the remembered folder at key, or reads it.
func (m *memory) folderOf(key string, stamps []stamp, read func() folder) folder {
	if m == nil {
		return read()
	}
	if f, ok := m.folders.get(key, stamps, m.gen); ok {
		return f
	}
	f := read()
	m.folders.put(key, stamps, m.gen, f)
	return f
}

// A comparison is what differences said of two manifests.
type comparison struct {
	run, disk *manifests.Manifest
	keys      []string
}

// differences compares the manifests of one extension, unless the same two were compared before.
func (m *memory) differences(id string, run, disk *manifests.Manifest) []string {
	if c, ok := m.differs.get(id, nil, m.gen); ok && c.run == run && c.disk == disk {
		return c.keys
	}
	c := comparison{run, disk, differences(run, disk)}
	m.differs.put(id, nil, m.gen, c)
	return c.keys
}

// A folder is what one extension's folder or package says: its manifest, localized, or why there is none.
type folder struct {
	manifest   *manifests.Manifest
	modified   time.Time // of manifest.json in a folder
	names      []string  // of all locales
	unreadable string
	problems   []manifests.Problem
	signedID   string // of a package with a valid signature of its developer
	fromStore  bool   // … and of a store
	verified   bool   // a folder with a store's update address and its _metadata/verified_contents.json
	extension  bool   // its manifest.json is one of a browser extension
}
