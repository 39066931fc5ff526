//go:build linux && figures

package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// quantile returns the q-quantile (0 to 1) of durations.
func quantile(d []time.Duration, q float64) time.Duration {
	s := slices.Sorted(slices.Values(d))
	return s[int(q*float64(len(s)-1)+0.5)].Round(time.Millisecond)
}

// listen opens a port of the box's loopback.
func (b *box) listen(t *testing.T) net.Listener {
	t.Helper()
	type result struct {
		l   net.Listener
		err error
	}
	done := make(chan result, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		l, err := func() (net.Listener, error) {
			ns, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", b.leader))
			if err != nil {
				return nil, err
			}
			defer ns.Close()
			if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
				return nil, err
			}
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				return nil, err
			}
			f := os.NewFile(uintptr(fd), "listener")
			defer f.Close()
			if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
				return nil, err
			}
			if err := unix.Listen(fd, 64); err != nil {
				return nil, err
			}
			return net.FileListener(f)
		}()
		done <- result{l, err}
	}()
	r := <-done
	if r.err != nil {
		t.Fatal(r.err)
	}
	t.Cleanup(func() { r.l.Close() })
	return r.l
}

// Fifty thieves, one after the other, in a Chromium that runs: how long from the last step of the install until the person's
// session bus carries the warning?
func TestFigureInstallToWarning(t *testing.T) {
	const installs = 50
	b := boot(t)
	s := b.trader(t, "ada")
	s.screen("1000x700")
	s.record()
	b.must(t, "extwatch", "service", "install")
	code, err := os.ReadFile(filepath.Join(thiefFolder, "bg.js"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(thiefFolder, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	l := b.listen(t)
	base := "http://" + l.Addr().String()
	var mu sync.Mutex
	packages := map[string][]byte{}
	mux := http.NewServeMux()
	mux.HandleFunc("/updates.xml", func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprint(w, `<?xml version='1.0'?><gupdate xmlns='http://www.google.com/update2/response' protocol='2.0'>`)
		for id := range packages {
			fmt.Fprintf(w, `<app appid='%s'><updatecheck codebase='%s/%[1]s.crx' version='1.0.0'/></app>`, id, base)
		}
		fmt.Fprint(w, `</gupdate>`)
	})
	mux.HandleFunc("/{file}", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		w.Header().Set("Content-Type", "application/x-chrome-extension")
		w.Write(packages[strings.TrimSuffix(r.PathValue("file"), ".crx")])
	})
	server := &http.Server{Handler: mux}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	s.browser()
	waitFor(t, "the browser", 30*time.Second, func() bool { return len(s.tabs()) > 0 })
	time.Sleep(25 * time.Second) // a policy that comes sooner may be missed

	b.must(t, "mkdir", "-p", managed)
	var forced []string
	var delays []time.Duration
	for i := range installs {
		p := newProduct(t)
		crx, _ := p.packWith(strings.Replace(string(text), "Exchange helper", fmt.Sprintf("Exchange helper %d", i), 1), fmt.Sprintf("%s\nself.copy = %d;\n", code, i))
		mu.Lock()
		packages[p.id] = crx
		mu.Unlock()
		forced = append(forced, fmt.Sprintf("%q", p.id+";"+base+"/updates.xml"))
		writeIn(t, b, "/etc/chromium/policies/force", `{"ExtensionInstallForcelist":[`+strings.Join(forced, ",")+`]}`)
		b.must(t, "mv", "/etc/chromium/policies/force", managed+"force.json")
		waitFor(t, "the install", 60*time.Second, func() bool { return s.installed(p.id) != "" })
		waitFor(t, "the warning", 20*time.Second, func() bool { return s.delay(p.id) >= 0 })
		delays = append(delays, s.delay(p.id))
	}
	t.Logf("FIGURE %d installs in Chromium -> notification on the bus, code analysed: median %v, p90 %v, p99 %v, slowest %v; load %s", installs,
		quantile(delays, .5), quantile(delays, .9), quantile(delays, .99), quantile(delays, 1), loadNow())
}

// loadNow is what else the machine does: processes that run or want to, in the last minute, five and fifteen.
func loadNow() string {
	data, _ := os.ReadFile("/proc/loadavg")
	return strings.Join(strings.Fields(string(data))[:3], " ")
}

// A load is what the processes of the service have used.
type load struct {
	cpu       time.Duration
	ended     time.Duration // CPU of children that have ended
	rss       int           // KiB
	pss       int           // KiB; what processes share counts once
	switches  int
	watches   int
	processes int
}

// load adds up the service's processes, as the kernel counts them.
func (b *box) load(t *testing.T) (u load) {
	t.Helper()
	out, _ := b.run("sh", "-c", `for p in $(cat /sys/fs/cgroup/systemd/system.slice/extwatch.service/cgroup.procs /sys/fs/cgroup/system.slice/extwatch.service/cgroup.procs 2>/dev/null); do
		echo process; sed 's/.*)//' /proc/$p/stat | cut -d' ' -f15,16 | sed 's/^/ended /'; grep -h VmRSS /proc/$p/status; grep -h ^Pss: /proc/$p/smaps_rollup; cat /proc/$p/task/*/schedstat | sed 's/^/ran /'; grep -h ^voluntary_ctxt_switches /proc/$p/task/*/status; grep -hc '^inotify wd' /proc/$p/fdinfo/* | sed 's/^/watches /'; done 2>/dev/null`)
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		n := 0
		if len(f) > 1 {
			n, _ = strconv.Atoi(f[1])
		}
		switch {
		case f[0] == "process":
			u.processes++
		case f[0] == "VmRSS:":
			u.rss += n
		case f[0] == "Pss:":
			u.pss += n
		case f[0] == "ended" && len(f) == 3: // in hundredths of a second
			system, _ := strconv.Atoi(f[2])
			u.ended += time.Duration(n+system) * 10 * time.Millisecond
		case f[0] == "ran":
			u.cpu += time.Duration(n)
		case f[0] == "watches":
			u.watches += n
		default:
			u.switches += n
		}
	}
	return u
}

// people gives the box accounts with profiles of n extensions each.
func (b *box) people(t *testing.T, users, profiles, n int) {
	t.Helper()
	root := fmt.Sprintf("/proc/%d/root", b.leader)
	for name, line := range map[string]string{"etc/passwd": "u%[1]d:x:%[2]d:%[2]d::/home/u%[1]d:/bin/bash\n", "etc/group": "u%[1]d:x:%[2]d:\n"} {
		f, err := os.OpenFile(filepath.Join(root, name), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		for i := range users {
			fmt.Fprintf(f, line, i, 3000+i)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	script := strings.Repeat("export const shown = (list) => list.map((x) => x.price * 2).filter((x) => x > 0);\n", 250) // 20 KB
	for i := range users {
		data := filepath.Join(root, "home", fmt.Sprintf("u%d", i), ".config", "google-chrome")
		writeFile(t, filepath.Join(data, "Local State"), "{}")
		for k := range profiles {
			profile := filepath.Join(data, []string{"Default", "Profile 1", "Profile 2"}[k])
			writeFile(t, filepath.Join(profile, "Preferences"), "{}")
			for j := range n {
				dir := filepath.Join(profile, "Extensions", letters(j*users+i), "1.0_0")
				writeFile(t, filepath.Join(dir, "manifest.json"), fmt.Sprintf(`{"manifest_version":3,"name":"Helper %d","version":"1.0","permissions":["storage","alarms"],"host_permissions":["https://*.quotes%d.test/*"],"background":{"service_worker":"bg.js","type":"module"}}`, j, j))
				writeFile(t, filepath.Join(dir, "bg.js"), fmt.Sprintf("const number = %d;\n", j)+script)
			}
		}
	}
	b.must(t, "sh", "-c", fmt.Sprintf("for i in $(seq 0 %d); do chown -R u$i:u$i /home/u$i; chmod 700 /home/u$i; done", users-1))
}

// letters returns the n-th made-up ID.
func letters(n int) string {
	id := []byte(strings.Repeat("a", 32))
	for k := len(id) - 1; n > 0; k, n = k-1, n/16 {
		id[k] = 'a' + byte(n%16)
	}
	return string(id)
}

// Three profiles with forty extensions each, and nothing happens.
func TestFigureIdle(t *testing.T) {
	b := boot(t)
	b.people(t, 1, 3, 40)
	b.must(t, "extwatch", "service", "install")
	waitFor(t, "the first sweep", 60*time.Second, func() bool { s, _ := b.status(t); return s.Ready && s.Extensions == 120 })
	time.Sleep(90 * time.Second) // what code does is looked at after the sweep
	before := b.load(t)
	begun := time.Now()
	time.Sleep(10 * time.Minute)
	after := b.load(t)
	t.Logf("FIGURE idle for %v with 3 profiles x 40 extensions: CPU %v, RSS %.1f MB (%.1f MB with what is shared counted once) in %d processes, %d wake-ups, %d watches; before that CPU %v; load %s", time.Since(begun).Round(time.Second),
		(after.cpu - before.cpu).Round(time.Millisecond), float64(after.rss)/1024, float64(after.pss)/1024, after.processes, after.switches-before.switches, after.watches, (before.cpu + before.ended).Round(time.Millisecond), loadNow())
}

// Two hundred users with twenty-five extensions each, as on a terminal server.
func TestFigureManyUsers(t *testing.T) {
	b := boot(t)
	b.people(t, 200, 1, 25)
	b.must(t, "mkdir", "-p", "/etc/extwatch")
	writeIn(t, b, "/etc/extwatch/config.yml", "scan:\n  sweep: 60s\n")
	peak, stop := 0, make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(300 * time.Millisecond):
				peak = max(peak, b.load(t).rss)
			}
		}
	})
	begun := time.Now()
	b.must(t, "extwatch", "service", "install")
	waitFor(t, "the first sweep", 10*time.Minute, func() bool { s, _ := b.status(t); return s.Ready && s.Extensions == 5000 })
	first := b.load(t)
	t.Logf("FIGURE 200 users x 25 extensions: installed -> everything read and watched: %v, CPU %v and %v of children that have ended; load %s\n%s", time.Since(begun).Round(10*time.Millisecond),
		first.cpu.Round(10*time.Millisecond), first.ended.Round(10*time.Millisecond), loadNow(), b.must(t, "extwatch", "status"))
	waitFor(t, "the next sweep", 10*time.Minute, func() bool { return strings.Count(b.journal(), "msg=swept") > 1 })
	close(stop)
	wg.Wait()
	u := b.load(t)
	for line := range strings.Lines(b.journal()) {
		if strings.Contains(line, "msg=ready") || strings.Contains(line, "msg=swept") {
			t.Log("FIGURE 200 users x 25 extensions: " + strings.TrimSpace(line))
		}
	}
	t.Logf("FIGURE 200 users x 25 extensions: RSS %.1f MB (%.1f MB with what is shared counted once) in %d processes, at most %.1f MB; %d watches; CPU so far %v and %v of children that have ended; load %s", float64(u.rss)/1024, float64(u.pss)/1024, u.processes,
		float64(peak)/1024, u.watches, u.cpu.Round(10*time.Millisecond), u.ended.Round(10*time.Millisecond), loadNow())
}

// told is one line of the file of findings.
type told struct{ id, rule string }

// toldFile is where the tests let the service write its findings, one a line.
const toldFile = "/var/lib/extwatch/told.jsonl"

func (b *box) toldFindings(t *testing.T) (list []told) {
	t.Helper()
	out, _ := b.run("cat", toldFile)
	for line := range strings.Lines(out) {
		if !strings.HasSuffix(line, "\n") {
			break // it is being written
		}
		var e struct {
			Extension any    `json:"extension"`
			ID        string `json:"extension_id"`
			Rule      string `json:"rule"`
			Finding   struct{ Rule string }
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Errorf("a broken line: %q", line)
			continue
		}
		id := e.ID
		switch x := e.Extension.(type) {
		case string:
			id = x
		case map[string]any:
			id, _ = x["id"].(string)
		}
		rule := e.Rule
		if rule == "" {
			rule = e.Finding.Rule
		}
		list = append(list, told{id, rule})
	}
	return list
}

// drop puts an extension in place as Chromium does: made elsewhere, and renamed.
func (b *box) drop(t *testing.T, user string, uid int, id, name string) {
	t.Helper()
	extensions := fmt.Sprintf("/proc/%d/root/home/%s/.config/google-chrome/Default/Extensions", b.leader, user)
	staged := filepath.Join(extensions, "Temp", id)
	writeFile(t, filepath.Join(staged, "manifest.json"), strings.Replace(plantedManifest, "Rate Helper", name, 1))
	writeFile(t, filepath.Join(staged, "bg.js"), plantedCode)
	if err := os.Mkdir(filepath.Join(extensions, id), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{staged, staged + "/manifest.json", staged + "/bg.js", filepath.Join(extensions, id)} {
		if err := os.Chown(f, uid, uid); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Rename(staged, filepath.Join(extensions, id, "1.0_0")); err != nil {
		t.Fatal(err)
	}
}

// A thousand thieves in a minute: none is lost, none is told twice.
func TestFigureThousandInstalls(t *testing.T) {
	b := boot(t)
	b.people(t, 1, 1, 1)
	b.must(t, "mkdir", "-p", "/etc/extwatch")
	writeIn(t, b, "/etc/extwatch/config.yml", "outputs:\n  file: "+toldFile+"\n")
	b.must(t, "extwatch", "service", "install")
	begun := time.Now()
	for i := range 1000 {
		b.drop(t, "u0", 3000, letters(5000+i), fmt.Sprintf("Rate Helper %d", i))
		time.Sleep(time.Until(begun.Add(time.Duration(i+1) * 60 * time.Millisecond)))
	}
	t.Logf("installed 1000 in %v", time.Since(begun).Round(100*time.Millisecond))
	waitFor(t, "all to be told", 2*time.Minute, func() bool { return len(b.toldFindings(t)) >= 2000 })
	took := time.Since(begun)
	time.Sleep(5 * time.Second)
	count, ids := map[told]int{}, map[string]bool{}
	for _, x := range b.toldFindings(t) {
		count[x]++
		ids[x.id] = true
	}
	twice := 0
	for _, n := range count {
		if n > 1 {
			twice++
		}
	}
	s, _ := b.status(t)
	u := b.load(t)
	t.Logf("FIGURE 1000 installs in a minute: %d extensions told of, %d findings, %d told twice; the last after %v; RSS %.1f MB (%.1f MB with what is shared counted once), CPU %v; the status counts %d malicious; load %s", len(ids), len(count), twice,
		took.Round(100*time.Millisecond), float64(u.rss)/1024, float64(u.pss)/1024, (u.cpu + u.ended).Round(10*time.Millisecond), s.Malicious, loadNow())
	if len(ids) != 1000 || twice > 0 || s.Malicious != 1000 {
		t.Errorf("lost or told twice: %d extensions, %d twice, %d malicious", len(ids), twice, s.Malicious)
	}
}

// A hundred times kill -9, at a random moment while thieves are installed: the database holds, no finding that was told is
// forgotten, and none is told again.
func TestFigureHundredKills(t *testing.T) {
	b := boot(t)
	s := b.seat(t, "ada")
	s.screen("760x300")
	s.record()
	b.people(t, 1, 1, 1)
	b.must(t, "sh", "-c", "mkdir -p /home/ada/.config && mv /home/u0/.config/google-chrome /home/ada/.config/ && chown -R ada:ada /home/ada/.config")
	uid, _ := strconv.Atoi(s.uid)
	b.must(t, "mkdir", "-p", "/etc/extwatch", "/etc/systemd/system/extwatch.service.d")
	writeIn(t, b, "/etc/extwatch/config.yml", "outputs:\n  file: "+toldFile+"\n")
	writeIn(t, b, "/etc/systemd/system/extwatch.service.d/soon.conf", "[Service]\nRestartSec=50ms\nRestartSteps=0\n")
	b.must(t, "extwatch", "service", "install")
	installed := 0
	for i := range 100 {
		pid := b.property(t, "MainPID")
		for range 1 + rand.IntN(2) {
			b.drop(t, "ada", uid, letters(5000+installed), fmt.Sprintf("Rate Helper %04d", installed))
			installed++
		}
		time.Sleep(time.Duration(rand.IntN(2000)) * time.Millisecond)
		b.run("kill", "-9", pid)
		waitFor(t, "the service to come back", 30*time.Second, func() bool {
			now := b.property(t, "MainPID")
			return now != pid && now != "0"
		})
		if i%10 == 0 {
			b.run("extwatch", "status") // it answers
		}
	}
	waitFor(t, "all to be told", time.Minute, func() bool {
		ids := map[string]bool{}
		for _, x := range b.toldFindings(t) {
			ids[x.id] = true
		}
		st, _ := b.status(t)
		return len(ids) == installed && st.Ready && st.Malicious == installed
	})
	time.Sleep(3 * time.Second)
	count := map[told]int{}
	twice := 0
	for _, x := range b.toldFindings(t) {
		if count[x]++; count[x] == 2 {
			twice++
		}
	}
	out, _ := b.run("extwatch", "history", "--json")
	var history []struct {
		ID       string `json:"id"`
		Findings []struct{ Told time.Time }
	}
	if err := json.Unmarshal([]byte(out), &history); err != nil {
		t.Fatal(err)
	}
	untold := 0
	for _, x := range history {
		for _, f := range x.Findings {
			if f.Told.IsZero() {
				untold++
			}
		}
	}
	b.must(t, "extwatch", "service", "stop")
	integrity := strings.TrimSpace(b.must(t, "sh", "-c", "for f in /var/lib/extwatch/*.db; do sqlite3 $f 'PRAGMA integrity_check'; done"))
	aside, _ := b.run("sh", "-c", "ls /var/lib/extwatch")
	again := strings.Count(b.journal(), "shown again")
	t.Logf("FIGURE 100 kill -9: %d thieves, %d findings told to the file, %d of them twice; %d not told on screen; restarts %s; integrity %s; %d shown again; folder: %s", installed, len(count), twice,
		untold, b.property(t, "NRestarts"), integrity, again, strings.Fields(aside))
	if integrity != "ok" || untold > 0 {
		t.Errorf("integrity %q, %d not told", integrity, untold)
	}
}
