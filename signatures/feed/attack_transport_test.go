package feed

import (
	"bytes"
	"compress/gzip"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// The attacks of this file need no key: who controls the mirror, the network or the stick can do them.

func serveNothing(_ string, req *http.Request) *http.Response {
	return reply(req, http.StatusServiceUnavailable, nil)
}

// files of an update that the mirror may withhold or change, one at a time.
func (r *repo) changed() []string {
	return []string{"metadata/timestamp.json", "metadata/2.snapshot.json", "metadata/2.targets.json", "metadata/2.org.json",
		hashed("version.txt", r.content["version.txt"])}
}

// attackFiles changes each file of an update in turn; the agent must refuse, and take the honest one afterwards.
func attackFiles(t *testing.T, change func(r *repo, name string)) {
	for i := range 5 {
		r := newRepo(t)
		f := r.client()
		r.change()
		honest := r.save()
		change(r, r.changed()[i])
		r.wantKept(f)
		r.files, r.answer = honest, nil
		r.time = r.time.Add(time.Hour)
		r.wantUpdate(f)
	}
}

func TestAttackMissingFile(t *testing.T) {
	t.Parallel()
	attackFiles(t, func(r *repo, name string) { delete(r.files, name) })
}

func TestAttackTruncatedFile(t *testing.T) {
	t.Parallel()
	attackFiles(t, func(r *repo, name string) { r.files[name] = r.files[name][:len(r.files[name])/2] })
	attackFiles(t, func(r *repo, name string) { r.files[name] = nil })
}

// The file goes on for ever; only so much of it is read.
func TestAttackOversizedFile(t *testing.T) {
	t.Parallel()
	attackFiles(t, func(r *repo, name string) { r.files[name] = append(bytes.Clone(r.files[name]), make([]byte, 5<<20)...) })
	attackFiles(t, func(r *repo, bad string) {
		read := &endless{}
		r.answer = func(name string, req *http.Request) *http.Response {
			if name != bad {
				return nil
			}
			resp := reply(req, http.StatusOK, nil)
			resp.ContentLength, resp.Body = -1, io.NopCloser(read)
			return resp
		}
		r.t.Cleanup(func() {
			if read.n > 8<<20 {
				r.t.Errorf("%s: %d bytes were read", bad, read.n)
			}
		})
	})
}

type endless struct{ n int }

func (e *endless) Read(p []byte) (int, error) {
	e.n += len(p)
	return copy(p, bytes.Repeat([]byte{' '}, len(p))), nil
}

// The mirror sends a byte from time to time.
func TestAttackSlowFile(t *testing.T) {
	t.Parallel()
	for i := range 5 {
		synctest.Test(t, func(t *testing.T) {
			r := newRepo(t)
			f := r.client()
			r.change()
			bad := r.changed()[i]
			r.answer = func(name string, req *http.Request) *http.Response {
				if name != bad {
					return nil
				}
				resp := reply(req, http.StatusOK, nil)
				resp.ContentLength, resp.Body = -1, io.NopCloser(drip{req})
				return resp
			}
			start := time.Now()
			r.wantKept(f, "too slow")
			if took := time.Since(start); took > 31*time.Second {
				t.Errorf("%s: given up after %v", bad, took)
			}
		})
	}
}

type drip struct{ req *http.Request }

func (d drip) Read(p []byte) (int, error) {
	select {
	case <-time.After(10 * time.Second):
		p[0] = ' '
		return 1, nil
	case <-d.req.Context().Done():
		return 0, d.req.Context().Err()
	}
}

// Each file comes fast enough, and there is no end of them.
func TestAttackSlowMirror(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRepo(t)
		for i := range 100 {
			r.put(fmt.Sprintf("campaigns/%d.yml", i), fmt.Sprint(i))
		}
		r.publish()
		f := r.open()
		r.answer = func(string, *http.Request) *http.Response { time.Sleep(20 * time.Second); return nil }
		start := time.Now()
		r.wantKept(f, "took longer")
		if took := time.Since(start); took > 11*time.Minute {
			t.Errorf("given up after %v", took)
		}
	})
}

func TestAttackWrongHash(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	f := r.client()
	r.change()
	name := hashed("version.txt", r.content["version.txt"])
	r.files[name][0] ^= 1
	if err := r.wantKept(f, "version.txt", "hash"); !errors.Is(err, &metadata.ErrLengthOrHashMismatch{}) {
		t.Error(err)
	}
}

// The thief has the targets key, and signs a hash with another length: one of them is wrong.
func TestAttackWrongLength(t *testing.T) {
	t.Parallel()
	for _, by := range []int64{-1, 1} {
		r := newRepo(t)
		f := r.client()
		r.targets.Signed.Targets["version.txt"].Length += by
		r.sign()
		r.wantKept(f, "version.txt")
	}
}

func TestAttackRedirects(t *testing.T) {
	t.Parallel()
	for to, says := range map[string]string{
		address + "/loop":              "more than 5 redirects",
		"http://mirror.example/feed/x": "not followed",
		"file:///etc/passwd":           "not followed",
		"ftp://mirror.example/x":       "not followed",
	} {
		r := newRepo(t)
		f := r.client()
		r.change()
		r.reset()
		r.answer = func(name string, req *http.Request) *http.Response {
			resp := reply(req, http.StatusFound, nil)
			resp.Header.Set("Location", to)
			return resp
		}
		r.wantKept(f, says)
		if n := len(r.requests); n > 6 {
			t.Errorf("%s: %d requests", to, n)
		}
	}
}

// A redirect within https is followed: object stores do that.
func TestRedirect(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.answer = func(name string, req *http.Request) *http.Response {
		if req.URL.Host != "mirror.example" {
			return nil
		}
		resp := reply(req, http.StatusFound, nil)
		resp.Header.Set("Location", "https://cdn.example/feed/"+name)
		return resp
	}
	r.client()
}

// The hotel's login page answers everything with status 200.
func TestAttackCaptivePortal(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	f := r.client()
	r.change()
	r.answer = func(_ string, req *http.Request) *http.Response {
		return reply(req, http.StatusOK, []byte("<!DOCTYPE html><title>Welcome</title>"))
	}
	r.wantKept(f, "login page")
	r.answer = nil
	r.time = r.time.Add(time.Hour)
	r.wantUpdate(f)
}

// A few bytes that unpack to a gigabyte, though nothing packed was asked for.
func TestAttackPackedAnswer(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write(make([]byte, 32<<20))
	z.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(packed.Bytes())
	}))
	defer server.Close()
	r := newRepo(t)
	for _, client := range []*http.Client{nil, {}} {
		f := r.open(func(c *Config) { c.Client, c.Mirrors = client, []string{server.URL} })
		r.wantKept(f, "packed")
	}
}

// A mirror that lags or stands still does not win over one that is ahead, in whatever order they are named.
func TestAttackStaleMirror(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	old := &wire{files: r.save()}
	r.change()
	both := func(c *Config) {
		c.Mirrors = []string{"https://old.example/feed", address}
		c.Client = &http.Client{Transport: byHost{"old.example": old, "mirror.example": r.wire}}
	}
	f := r.client(both)
	r.change()
	r.wantUpdate(f)
	f = r.client(both, func(c *Config) { c.Mirrors = []string{address, "https://old.example/feed"} })
	if s := f.State(); s.Mirror != address || s.Mirrors[1].Err == nil || s.Mirrors[0].Err != nil {
		t.Errorf("state: %+v", s)
	}

	// The good one fails: the other one's files are older, and not taken.
	r.answer = serveNothing
	r.wantKept(f, "older files", "503")
	r.answer = nil
	r.change()
	r.wantUpdate(f) // both rest now, and are asked because no other is left
}

type byHost map[string]http.RoundTripper

func (b byHost) RoundTrip(req *http.Request) (*http.Response, error) {
	return b[req.URL.Host].RoundTrip(req)
}

// A stick holds a pipe, a link out of it, a folder, where files should be.
func TestAttackStick(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	stick := t.TempDir()
	r.writeTo(stick)
	f := r.client(func(c *Config) { c.Mirrors = []string{stick} })
	r.change()
	r.writeTo(stick)
	outside := filepath.Join(t.TempDir(), "timestamp.json")
	check(t, os.Rename(filepath.Join(stick, "metadata", "timestamp.json"), outside))
	check(t, os.Symlink(outside, filepath.Join(stick, "metadata", "timestamp.json")))
	r.wantKept(f, "escapes")
	check(t, os.Remove(filepath.Join(stick, "metadata", "timestamp.json")))
	check(t, os.Mkdir(filepath.Join(stick, "metadata", "timestamp.json"), 0o755))
	r.wantKept(f, "not a regular file")
	check(t, os.RemoveAll(filepath.Join(stick, "metadata")))
	check(t, os.WriteFile(filepath.Join(stick, "metadata"), nil, 0o644))
	r.wantKept(f)
}

func TestTLS(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		data, ok := r.files[strings.TrimPrefix(req.URL.Path, "/")]
		if !ok {
			http.NotFound(w, req)
			return
		}
		w.Write(data)
	}))
	defer server.Close()
	server.Config.ErrorLog = nil
	direct := func(c *Config) { c.Client, c.Mirrors, c.Proxy = nil, []string{server.URL}, "none" }
	r.wantKept(r.open(direct), "certificate")
	r.client(direct, func(c *Config) {
		c.CA = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	})
}
