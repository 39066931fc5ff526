package agent

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
)

const (
	// readTimeout bounds the reading of one extension's files. The largest real ones, 200 MB, take a few seconds.
	readTimeout = 2 * time.Minute
	// maxStamped bounds the files that a stamp covers. The largest real extensions have about 10,000.
	maxStamped = 50_000
	// restampEvery is the least time between two looks at the files of an extension without a reason. A browser in use
	// writes its preferences every few seconds; a look takes a millisecond for a hundred files.
	restampEvery = time.Minute
)

// content is what reading the files at a path told.
type content struct {
	stamp    string
	contents *signatures.Contents
}

// A job is to read one extension's files.
type job struct {
	known *known
	ext   *manifests.Extension
	code  *code // what is not known yet of it
	rules *signatures.Ruleset
	had   content // of the last time
}

// A reading is a job begun, and then done.
type reading struct {
	job
	started time.Time
	told    manifests.Problem // that it takes too long
	stuck   bool              // another is done in its place

	got content
	err error
}

// readFiles lets an extension's files be read, before those that are only looked at again or after.
func (r *run) readFiles(k *known, first bool) {
	// The version before is still to be read, for what this one gained.
	r.jobs = slices.DeleteFunc(r.jobs, func(j job) bool { return j.known == k && j.code != k.oldCode })
	if k.ext.Open == nil {
		return
	}
	k.stamped = time.Now()
	j := job{known: k, ext: k.ext, code: k.code}
	if first {
		r.jobs = slices.Insert(r.jobs, 0, j)
	} else {
		r.jobs = append(r.jobs, j)
	}
}

// do reads the files, unless they are as they were.
func (j job) do(ctx context.Context) (content, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	files, err := j.ext.Open()
	if err != nil {
		return content{}, err // it says that the extension could not be opened
	}
	defer files.Close()
	stamp, err := stampOf(ctx, j.ext.Path, files)
	if err != nil {
		return content{}, err
	}
	if stamp != "" && stamp == j.had.stamp {
		return j.had, nil
	}
	contents, err := j.rules.Read(ctx, files)
	if err != nil {
		return content{}, err
	}
	return content{stamp, contents}, nil
}

var errMany = errors.New("too many files")

// stampOf describes the state of an extension's files without reading them: size and time of the package, or path, size
// and time of each file in the folder. "" means that there are too many to say.
func stampOf(ctx context.Context, path string, files fs.FS) (string, error) {
	if fi, err := os.Lstat(path); err == nil && fi.Mode().IsRegular() {
		return fmt.Sprint(fi.Size(), " ", fi.ModTime().UnixNano()), nil
	}
	h := sha256.New()
	n := 0
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if n++; n > maxStamped {
			return errMany
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			var fi fs.FileInfo
			if fi, err = d.Info(); err == nil {
				fmt.Fprintf(h, "%s\x00%v %d %d\n", name, fi.Mode(), fi.Size(), fi.ModTime().UnixNano())
			}
		}
		if err != nil {
			fmt.Fprintf(h, "%s\x00%v\n", name, err) // reading it reports the problem
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
		}
		return nil
	})
	switch {
	case errors.Is(err, errMany):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("look at the extension's files: %w", err)
	}
	return string(h.Sum(nil)), nil
}

// finished judges an extension by its files, and tells what that adds.
func (r *run) finished(rd *reading) {
	r.working = slices.DeleteFunc(r.working, func(w *reading) bool { return w == rd })
	r.untell(rd.told)
	r.passStuck()
	k := rd.known
	if k.gone || k.ext.Path != rd.ext.Path || r.rules != rd.rules {
		if !k.gone && rd.err == nil && rd.code == k.oldCode {
			r.study(k, rd.ext, rd.code, rd.got)
		}
		return // it has changed meanwhile, and is read again
	}
	if rd.err != nil {
		r.unread(k, rd.err)
		return
	}
	k.failed = false
	r.untell(k.problem)
	r.contents[rd.ext.Path] = rd.got
	fresh := k.contents != rd.got.contents
	if fresh {
		k.contents = rd.got.contents
		if k.code.asked && (k.code.digest == "" || k.code.digest != k.contents.Digest) {
			k.code = &code{} // it has changed in place
		}
		k.at = r.cfg.Now()
		r.judge(k)
		r.warn(k)
	}
	if r.cfg.Analyst == nil || k.code.report != nil || k.ext.Origin == manifests.OriginBuiltin {
		if k.retell || fresh && k.ext.Origin != manifests.OriginBuiltin {
			k.retell = false
			r.tell(Judged, k) // no more will be known
		}
	}
	r.study(k, k.ext, k.code, rd.got)
}

// unread deals with files that could not be read: the browser may just be replacing them.
func (r *run) unread(k *known, err error) {
	if !k.failed {
		k.failed = true
		k.profile.later(time.Now())
		return
	}
	reason := err.Error()
	var pe *fs.PathError
	if errors.As(err, &pe) && pe == err {
		reason = pe.Op + ": " + pe.Err.Error() // the problem has the path
	}
	if problem := (manifests.Problem{Path: k.ext.Path, Reason: reason}); problem != k.problem {
		r.untell(k.problem)
		k.problem = problem
	}
	r.problem(k.problem, k.profile.Profile, r.cfg.Now())
	if k.retell { // by other rules, as far as it is known
		k.retell = false
		r.tell(Judged, k)
	}
}

// forgetContents drops what was read of extensions that are gone.
func (r *run) forgetContents() {
	here := map[string]bool{}
	for _, p := range r.profiles {
		for _, k := range p.known {
			here[k.ext.Path] = true
		}
	}
	for path := range r.contents {
		if !here[path] {
			delete(r.contents, path)
		}
	}
}
