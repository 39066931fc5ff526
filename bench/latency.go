package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

const (
	patience = 10 * time.Second // what is not reported by then counts as missed
	resident = 40               // replayed installs that stay installed; older ones are removed
)

// An observer runs the agent and notes when each extension is first reported and warned of.
type observer struct {
	cmd    *exec.Cmd
	ready  chan struct{}
	mu     sync.Mutex
	first  map[string]time.Time // ID → its first verdict was read from the pipe
	warned map[string]time.Time // ID → its warning was
	judged map[string]time.Time // ID → its full verdict was
}

// An event is the part of a line of `extwatch run --json` that matters here.
type event struct {
	Event     string
	Extension struct{ ID string }
}

func observe(program string, args ...string) (*observer, error) {
	o := &observer{ready: make(chan struct{}), first: map[string]time.Time{}, warned: map[string]time.Time{}, judged: map[string]time.Time{}}
	o.cmd = exec.Command(program, append([]string{"run", "--json"}, args...)...)
	o.cmd.Stderr = os.Stderr
	out, err := o.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := o.cmd.Start(); err != nil {
		return nil, err
	}
	go o.read(out)
	select {
	case <-o.ready:
		return o, nil
	case <-time.After(30 * time.Second):
		o.cmd.Process.Kill()
		return nil, fmt.Errorf("the agent was not ready after 30 s")
	}
}

func (o *observer) read(out io.Reader) {
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadBytes('\n')
		now := time.Now()
		if err != nil {
			return
		}
		var e event
		if json.Unmarshal(line, &e) != nil {
			continue
		}
		o.mu.Lock()
		switch e.Event {
		case "ready":
			close(o.ready)
		case "found", "new":
			if _, ok := o.first[e.Extension.ID]; !ok {
				o.first[e.Extension.ID] = now
			}
		case "judged":
			if _, ok := o.judged[e.Extension.ID]; !ok {
				o.judged[e.Extension.ID] = now
			}
		case "warning":
			if _, ok := o.warned[e.Extension.ID]; !ok {
				o.warned[e.Extension.ID] = now
			}
		}
		o.mu.Unlock()
	}
}

// times returns how long after its start each install was judged and warned of, and how many were not.
func (o *observer) times(started map[string]time.Time) (first, warned []time.Duration, missed int) {
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		o.mu.Lock()
		n := len(o.warned)
		o.mu.Unlock()
		if n >= len(started) {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for id, start := range started {
		f, okFirst := o.first[id]
		w, okWarned := o.warned[id]
		if !okFirst || !okWarned {
			missed++
			continue
		}
		first, warned = append(first, f.Sub(start)), append(warned, w.Sub(start))
	}
	return first, warned, missed
}

// judgedSince waits for the full verdict of an install, and tells how long after its start both verdicts came.
func (o *observer) judgedSince(id string, start time.Time) (first, full time.Duration, ok bool) {
	for deadline := start.Add(patience); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		o.mu.Lock()
		f, j := o.first[id], o.judged[id]
		o.mu.Unlock()
		if !f.IsZero() && !j.IsZero() {
			return f.Sub(start), j.Sub(start), true
		}
	}
	return 0, 0, false
}

// latency replays installs as Chromium makes them: the whole version folder lies in Extensions/Temp, then
// mkdir Extensions/<id> and rename into it back to back.
func latency(args []string) error {
	fs := newFlags("latency")
	n := fs.Int("n", 1000, "installs")
	gap := fs.Duration("gap", 60*time.Millisecond, "pause between installs")
	busy := fs.Bool("busy", false, "keep all cores busy meanwhile")
	size := fs.Int64("bytes", 1<<20, "size of each extension's script")
	fs.Parse(args)
	tmp, err := os.MkdirTemp("", "extwatch-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	program, err := build(tmp)
	if err != nil {
		return err
	}
	home := filepath.Join(tmp, "home", "trader")
	profile := filepath.Join(home, ".config", "google-chrome", "Default")
	if err := os.MkdirAll(filepath.Join(profile, "Extensions", "Temp"), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(profile, "Preferences"), []byte("{}"), 0o600); err != nil {
		return err
	}
	o, err := observe(program, "--home", home)
	if err != nil {
		return err
	}
	defer o.cmd.Process.Kill()
	if *busy {
		stop := keepBusy()
		defer stop()
	}
	started, err := replay(profile, *n, *gap, *size)
	if err != nil {
		return err
	}
	first, warned, missed := o.times(started)
	fmt.Printf("%d replayed installs, busy=%v, %d KiB each, %v apart: missed %d\n", *n, *busy, *size>>10, *gap, missed)
	printLatencies("rename -> first verdict", first)
	printLatencies("rename -> printed warning", warned)
	return nil
}

func replay(profile string, n int, gap time.Duration, size int64) (map[string]time.Time, error) {
	script := strings.Repeat("export const quotes=(s)=>s.map((x)=>x*2);\n", int(size/42)+1)[:size]
	extensions := filepath.Join(profile, "Extensions")
	started := map[string]time.Time{}
	for i := range n {
		id := benchID(i)
		staged := filepath.Join(extensions, "Temp", fmt.Sprintf("scoped_dir%d", i), "CRX_INSTALL")
		if err := os.MkdirAll(staged, 0o700); err != nil {
			return nil, err
		}
		manifest := fmt.Sprintf(`{"manifest_version":3,"name":"MetaM\u0430sk %d","version":"1.0","permissions":["cookies"],"host_permissions":["*://*.binance.com/*"],"background":{"service_worker":"bg.js"}}`, i)
		for name, text := range map[string]string{"manifest.json": manifest, "bg.js": script} {
			if err := os.WriteFile(filepath.Join(staged, name), []byte(text), 0o600); err != nil {
				return nil, err
			}
		}
		if err := os.Mkdir(filepath.Join(extensions, id), 0o700); err != nil {
			return nil, err
		}
		started[id] = time.Now()
		if err := os.Rename(staged, filepath.Join(extensions, id, "1.0_0")); err != nil {
			return nil, err
		}
		os.Remove(filepath.Dir(staged))
		if i >= resident {
			os.RemoveAll(filepath.Join(extensions, benchID(i-resident)))
		}
		time.Sleep(gap)
	}
	return started, nil
}

// benchID returns the i-th made-up extension ID.
func benchID(i int) string {
	id := []byte(strings.Repeat("a", 32))
	for k := len(id) - 1; i > 0; k, i = k-1, i/16 {
		id[k] = 'a' + byte(i%16)
	}
	return string(id)
}

// keepBusy spins on every core until stopped. The work is done by child processes, so that it competes as any other
// program would.
func keepBusy() (stop func()) {
	var spinners []*exec.Cmd
	for range runtime.NumCPU() {
		cmd := exec.Command("sh", "-c", "while :; do :; done")
		if cmd.Start() == nil {
			spinners = append(spinners, cmd)
		}
	}
	return func() {
		for _, c := range spinners {
			c.Process.Kill()
			c.Wait()
		}
	}
}
