//go:build linux

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A lan is a switch without machines: a bridge in a network namespace of its own.
type lan struct {
	t     *testing.T
	wires int // process that holds the namespace
}

// A host is a machine in a lan: namespaces of its own, and folders of its own in the place of those that the service
// uses. An account ada lives on it.
type host struct {
	t       *testing.T
	lan     *lan
	name    string
	address string
	dir     string // what it has of its own, seen from outside
	leader  int    // process that holds the namespaces
}

const adaUID = 15078

// hostScript puts the folder $1 in the place of the folders that programs write to, says so, and stays.
const hostScript = `set -e
cd "$1"
mkdir -p home run bin var etc /etc/extwatch
printf 'root:x:0:0:root:/nowhere:/bin/sh\nada:x:` + "%[1]d:%[1]d" + `::/home/ada:/bin/sh\n' > passwd
for m in home:/home run:/run bin:/usr/local/bin var:/var/lib etc:/etc/extwatch passwd:/etc/passwd; do mount --bind ${m%%:*} ${m#*:}; done
ip link set lo up
echo up
exec cat`

// hold runs a shell script in new namespaces until the test ends, and returns when it has said something.
func hold(t *testing.T, script string, args ...string) (pid int) {
	t.Helper()
	cmd := exec.Command("unshare", append([]string{"--net", "--mount", "--propagation", "private", "--", "/bin/sh", "-c", script, "sh"}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close() // cat ends, also when this process is killed
		cmd.Wait()
	})
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("make a namespace: %v\n%s", err, stderr.String())
	}
	return cmd.Process.Pid
}

func newLAN(t *testing.T) *lan {
	t.Helper()
	return &lan{t: t, wires: hold(t, `ip link add br0 type bridge && ip link set br0 up && echo up && exec cat`)}
}

// host connects a new machine, with the address 10.77.0.NUMBER.
func (n *lan) host(name string, number int) *host {
	n.t.Helper()
	h := &host{t: n.t, lan: n, name: name, address: fmt.Sprintf("10.77.0.%d", number), dir: n.t.TempDir()}
	data, err := os.ReadFile(program)
	if err == nil {
		err = errors.Join(os.Mkdir(filepath.Join(h.dir, "bin"), 0o755), os.WriteFile(filepath.Join(h.dir, "bin", "extwatch"), data, 0o755))
	}
	if err != nil {
		n.t.Fatal(err)
	}
	h.leader = hold(n.t, fmt.Sprintf(hostScript, adaUID), h.dir)
	n.run("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", strconv.Itoa(h.leader))
	n.run("ip", "link", "set", name, "master", "br0", "up")
	h.must("ip", "addr", "add", h.address+"/24", "dev", "eth0")
	h.must("ip", "link", "set", "eth0", "up")
	return h
}

func (n *lan) run(args ...string) {
	n.t.Helper()
	if out, err := exec.Command("nsenter", append([]string{"-t", strconv.Itoa(n.wires), "-n", "--"}, args...)...).CombinedOutput(); err != nil {
		n.t.Fatalf("%v: %v\n%s", args, err, out)
	}
}

// cut pulls a machine's cable out, and join puts it back.
func (h *host) cut()  { h.t.Helper(); h.lan.run("ip", "link", "set", h.name, "down") }
func (h *host) join() { h.t.Helper(); h.lan.run("ip", "link", "set", h.name, "up") }

// loses has a machine lose some of the packets that it is sent. (Not every kernel has netem.)
func (h *host) loses(percent int) {
	h.t.Helper()
	h.must("nft", "add table inet e2e; add chain inet e2e in { type filter hook input priority 0; }; "+
		fmt.Sprintf("add rule inet e2e in iifname eth0 numgen random mod 100 < %d counter drop", percent))
}

// lost says how many packets a machine has lost.
func (h *host) lost() string {
	h.t.Helper()
	for line := range strings.Lines(h.must("nft", "list", "chain", "inet", "e2e", "in")) {
		if _, counter, ok := strings.Cut(line, "counter "); ok {
			return strings.TrimSpace(counter)
		}
	}
	return "?"
}

// command prepares a command on the machine. It becomes the process that is started, so it can be killed.
func (h *host) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "nsenter", append([]string{"-t", strconv.Itoa(h.leader), "-n", "-m", "--"}, args...)...)
	cmd.Env = []string{"PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C", "NO_COLOR=1"}
	cmd.Dir = "/"
	return cmd
}

// run runs a command on the machine.
func (h *host) run(args ...string) (stdout, stderr string, code int) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := h.command(ctx, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); cmd.ProcessState == nil {
		return "", err.Error(), -1
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

func (h *host) must(args ...string) string {
	h.t.Helper()
	out, errs, code := h.run(args...)
	if code != 0 {
		h.t.Fatalf("%s: %v: exit %d\n%s%s", h.name, args, code, out, errs)
	}
	return out
}

// settings writes the file of settings.
func (h *host) settings(text string) {
	h.t.Helper()
	writeFile(h.t, filepath.Join(h.dir, "etc", "config.yml"), text)
}

// plant puts an extension into ada's Chromium.
func (h *host) plant(id, manifest, code string) {
	h.t.Helper()
	data := filepath.Join(h.dir, "home", "ada", ".config", "chromium")
	version := filepath.Join(data, "Default", "Extensions", id, "1.0_0")
	writeFile(h.t, filepath.Join(data, "Local State"), "{}")
	writeFile(h.t, filepath.Join(data, "Default", "Preferences"), "{}")
	writeFile(h.t, filepath.Join(version, "manifest.json"), manifest)
	writeFile(h.t, filepath.Join(version, "bg.js"), code)
	err := filepath.WalkDir(filepath.Join(h.dir, "home", "ada"), func(name string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(name, adaUID, adaUID))
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// A resident is the service on a host, started as systemd starts it.
type resident struct {
	*host
	cmd   *exec.Cmd
	ended chan struct{}

	mu    sync.Mutex
	lines []logged
}

// A logged is a line of the service's log, and when it came.
type logged struct {
	text string
	at   time.Time
}

// start starts the service.
func (h *host) start() *resident {
	h.t.Helper()
	r := &resident{host: h, cmd: h.command(context.Background(), "/usr/local/bin/extwatch", "run", "--service"), ended: make(chan struct{})}
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
	out, err := r.cmd.StderrPipe()
	if err == nil {
		err = r.cmd.Start()
	}
	if err != nil {
		h.t.Fatal(err)
	}
	go r.read(out)
	h.t.Cleanup(func() {
		r.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-r.ended:
		case <-time.After(15 * time.Second):
			r.kill()
			h.t.Errorf("%s: the service did not stop", h.name)
		}
		if h.t.Failed() {
			h.t.Logf("%s: the log of the service:\n%s", h.name, r.log())
		}
	})
	return r
}

func (r *resident) read(out io.Reader) {
	defer close(r.ended)
	for lines := bufio.NewReader(out); ; {
		line, err := lines.ReadString('\n')
		if line != "" {
			r.mu.Lock()
			r.lines = append(r.lines, logged{line, time.Now()})
			r.mu.Unlock()
		}
		if err != nil {
			r.cmd.Wait()
			return
		}
	}
}

// kill ends it as a power cut does.
func (r *resident) kill() {
	r.cmd.Process.Kill()
	<-r.ended
}

// log is what the service logged.
func (r *resident) log() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var b strings.Builder
	for _, l := range r.lines {
		fmt.Fprintf(&b, "%s %s", l.at.Format("05.000"), l.text)
	}
	return b.String()
}

// said returns when it first logged a line with all of these texts, after a time.
func (r *resident) said(after time.Time, texts ...string) (at time.Time, line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
next:
	for _, l := range r.lines {
		for _, text := range texts {
			if !strings.Contains(l.text, text) {
				continue next
			}
		}
		if l.at.After(after) {
			return l.at, strings.TrimSpace(l.text)
		}
	}
	return time.Time{}, ""
}

// A feedStatus is what `extwatch status --json` says of the feed, as far as the tests look.
type feedStatus struct {
	Ready      bool
	Extensions int
	Suspicious int
	Updates    struct {
		Version int64
		Events  bool
		Warning string
	}
}

// status asks the service. The answer is empty before it answers.
func (h *host) status() (s feedStatus) {
	out, _, _ := h.run("extwatch", "status", "--json")
	json.Unmarshal([]byte(out), &s)
	return s
}
