//go:build linux

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata/config"
	"github.com/theupdateframework/go-tuf/v2/metadata/updater"
)

const tufModule = "node_modules/tuf-js/package.json"

// A feedLab is a feed that the program makes, and nginx in front of it.
type feedLab struct {
	t    *testing.T
	dir  string // of the feed
	tmp  string
	base string // nginx's address
}

func newFeedLab(t *testing.T) *feedLab {
	t.Helper()
	tmp := t.TempDir()
	l := &feedLab{t: t, tmp: tmp, dir: filepath.Join(tmp, "feed")}
	l.run("feed", "init", l.dir, "--name", "Example Ltd", "--root-keys", filepath.Join(tmp, "a"), "--root-keys", filepath.Join(tmp, "b"),
		"--root-keys", filepath.Join(tmp, "c"), "--scrypt", "8")
	l.nginx()
	return l
}

// run runs the program with the passphrases that it needs.
func (l *feedLab) run(args ...string) {
	l.t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), "EXTWATCH_FEED_PASSPHRASE=four words put together", "EXTWATCH_FEED_ROOT_PASSPHRASE=four other words put together")
	if out, err := cmd.CombinedOutput(); err != nil {
		l.t.Fatalf("extwatch %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

const nginxConf = `
%s
daemon off; worker_processes 1; pid %[2]s/nginx.pid; error_log %[2]s/error.log;
events { worker_connections 64; }
http {
	access_log off; default_type application/octet-stream;
	client_body_temp_path %[2]s/1; proxy_temp_path %[2]s/2; fastcgi_temp_path %[2]s/3; uwsgi_temp_path %[2]s/4; scgi_temp_path %[2]s/5;
	server {
		listen %[3]s;
		root %[4]s;
		location / { add_header Cache-Control "public, max-age=31536000, immutable"; }
		location = /metadata/timestamp.json { add_header Cache-Control "no-cache"; }
	}
}
`

// nginx starts Debian's web server with the configuration of docs/publishing.md, on the loopback of the namespace.
func (l *feedLab) nginx() {
	l.t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		l.t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	as := "" // the folders of the test are root's
	if os.Geteuid() == 0 {
		as = "user root;"
	}
	conf := filepath.Join(l.tmp, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, nginxConf, as, l.tmp, address, filepath.Join(l.dir, "public")), 0o644); err != nil {
		l.t.Fatal(err)
	}
	cmd := exec.Command("/usr/sbin/nginx", "-c", conf, "-p", l.tmp, "-e", filepath.Join(l.tmp, "error.log"))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGQUIT)
		cmd.Wait()
	})
	l.base = "http://" + address
	waitFor(l.t, "nginx to answer", 10*time.Second, func() bool {
		resp, err := http.Get(l.base + "/metadata/timestamp.json")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

func (l *feedLab) put(name, text string) {
	l.t.Helper()
	file := filepath.Join(l.dir, "source", name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644)); err != nil {
		l.t.Fatal(err)
	}
}

// A memory is a client's folder, with the root that it was given.
func (l *feedLab) memory() string {
	l.t.Helper()
	root, err := os.ReadFile(filepath.Join(l.dir, "root.json"))
	if err != nil {
		l.t.Fatal(err)
	}
	dir := l.t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "root.json"), root, 0o644); err != nil {
		l.t.Fatal(err)
	}
	return dir
}

func feedFiles() []string { return []string{"decisions.yml", "org/decisions.yml"} }

// foreign asks tuf-js for the feed.
func (l *feedLab) foreign(memory string) (files map[string]string, err error) {
	cmd := exec.Command("node", append([]string{"tufclient.js", l.base, memory}, feedFiles()...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, strings.TrimSpace(stderr.String()))
	}
	return files, json.Unmarshal(out, &files)
}

// own asks go-tuf for it.
func (l *feedLab) own(memory string) (map[string]string, error) {
	root, err := os.ReadFile(filepath.Join(memory, "root.json"))
	if err != nil {
		return nil, err
	}
	cfg, err := config.New(l.base+"/metadata", root)
	if err != nil {
		return nil, err
	}
	cfg.RemoteTargetsURL, cfg.LocalMetadataDir, cfg.LocalTargetsDir = l.base+"/targets", memory, filepath.Join(memory, "targets")
	u, err := updater.New(cfg)
	if err != nil {
		return nil, err
	}
	if err := u.Refresh(); err != nil {
		return nil, err
	}
	files := map[string]string{}
	for _, name := range feedFiles() {
		if info, err := u.GetTargetInfo(name); err == nil {
			_, data, err := u.DownloadTarget(info, filepath.Join(memory, "file"), "")
			if err != nil {
				return nil, err
			}
			files[name] = string(data)
		}
	}
	return files, nil
}

// A feed that the program made is read and verified by a client that shares no code with it, from Debian's nginx; one
// that somebody has touched is refused.
func TestFeedForForeignClients(t *testing.T) {
	l := newFeedLab(t)
	rows := "decisions: [] # none yet\n"
	l.put("decisions.yml", rows)
	l.put("org/decisions.yml", "decisions: []\n")
	l.run("feed", "publish", "--dir", l.dir)
	want := map[string]string{"decisions.yml": rows, "org/decisions.yml": "decisions: []\n"}
	memories := map[string]string{"tuf-js": l.memory(), "go-tuf": l.memory()}
	read := map[string]func(string) (map[string]string, error){"tuf-js": l.foreign, "go-tuf": l.own}
	accepted := func(step string) {
		t.Helper()
		for who, ask := range read {
			if got, err := ask(memories[who]); err != nil || !maps.Equal(got, want) {
				t.Errorf("%s: %s has %v, %v", step, who, got, err)
			}
		}
	}
	accepted("published")
	resp, err := http.Get(l.base + "/metadata/timestamp.json")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	again, _ := http.NewRequest("GET", l.base+"/metadata/timestamp.json", nil)
	again.Header.Set("If-None-Match", resp.Header.Get("ETag"))
	if resp, err = http.DefaultClient.Do(again); err != nil || resp.StatusCode != http.StatusNotModified {
		t.Errorf("asked again for the same: %v, %v", resp.StatusCode, err)
	}

	before := filepath.Join(l.tmp, "before")
	if err := os.CopyFS(before, os.DirFS(filepath.Join(l.dir, "public"))); err != nil {
		t.Fatal(err)
	}
	for _, role := range []string{"timestamp", "targets", "root"} {
		l.run("feed", "rotate", role, "--dir", l.dir, "--root-keys", filepath.Join(l.tmp, "a"), "--root-keys", filepath.Join(l.tmp, "b"), "--root-keys", filepath.Join(l.tmp, "c"))
	}
	accepted("keys changed")

	public := filepath.Join(l.dir, "public")
	good := filepath.Join(l.tmp, "good")
	if err := os.CopyFS(good, os.DirFS(public)); err != nil {
		t.Fatal(err)
	}
	for what, tamper := range map[string]func() error{
		"a file": func() error {
			return edit(filepath.Join(public, "targets", "*.decisions.yml"), "none", "some")
		},
		"targets": func() error {
			return edit(filepath.Join(public, "metadata", "*.targets.json"), "decisions.yml", "decisionz.yml")
		},
		"timestamp": func() error {
			return edit(filepath.Join(public, "metadata", "timestamp.json"), `"version":`, `"version":1`)
		},
		"the whole, which is an older one": func() error {
			return errors.Join(os.RemoveAll(filepath.Join(public, "metadata")), os.CopyFS(filepath.Join(public, "metadata"), os.DirFS(filepath.Join(before, "metadata"))))
		},
	} {
		for _, dir := range []string{"metadata", "targets"} {
			if err := errors.Join(os.RemoveAll(filepath.Join(public, dir)), os.CopyFS(filepath.Join(public, dir), os.DirFS(filepath.Join(good, dir)))); err != nil {
				t.Fatal(err)
			}
		}
		if err := tamper(); err != nil {
			t.Fatal(err)
		}
		// A client with a memory asks for nothing that it knows; a new one cannot know that there was something newer.
		memory := l.memory()
		if strings.Contains(what, "older") {
			memory = memories["tuf-js"]
		}
		if got, err := l.foreign(memory); err == nil {
			t.Errorf("tampered with %s: tuf-js took %v", what, got)
		}
	}
}

// edit replaces a text in all files of a pattern.
func edit(pattern, old, new string) error {
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no file %s", pattern)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := os.WriteFile(file, bytes.Replace(data, []byte(old), []byte(new), 1), 0o644); err != nil {
			return err
		}
	}
	return nil
}
