package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/extwatch/extwatch/agent"
	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/signatures"
)

// behavior measures the analysis of code: a whole first scan beside peers, a sweep over what has not changed, the time from
// an install to its full verdict, memory, and growth.
func behavior(args []string) error {
	flags := newFlags("behavior")
	tree := flags.String("tree", "", "folder with home/… in it")
	runs := flags.Int("n", 5, "counted runs of each command, after one to warm up; 0 leaves them and the sweeps out")
	peers := flags.Bool("peers", true, "run yara and clamscan too, where they are installed")
	within := flags.Duration("within", 5*time.Minute, "a peer's run is stopped after this, and it is not run again")
	growth := flags.Bool("growth", true, "measure growth with bytes, extensions and rules")
	installs := flags.Int("installs", 100, "installs of one extension of 2.5 MB; 0 leaves this out")
	sweeps := flags.Int("sweeps", 20, "sweeps over what has not changed; 0 leaves this out")
	flags.Parse(args)
	tmp, err := os.MkdirTemp("", "extwatch-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	program, err := build(tmp)
	if err != nil {
		return err
	}
	folders, err := versionFolders(*tree)
	if err != nil {
		return err
	}
	list := filepath.Join(tmp, "files")
	files, size, err := writeList(list, folders)
	if err != nil {
		return err
	}
	fmt.Printf("%d extensions, %d files, %.1f MB\n", len(folders), files, float64(size)/1e6)
	fmt.Printf("load of the machine at the start: %s\n", load())
	s := &contender{name: "sha256sum (S)", args: []string{"sh", "-c", `xargs -0 sha256sum < "$0"`, list}}
	if *runs > 0 {
		if err := firstScan(program, *tree, tmp, list, s, *runs, *peers, *within); err != nil {
			return err
		}
	}
	if *sweeps > 0 && *runs > 0 {
		progress("sweeps")
		if err := unchanged(program, *tree, len(folders), *sweeps, median(s.cpu)); err != nil {
			return err
		}
	}
	if *installs > 0 {
		progress("installs")
		if err := fullVerdicts(program, tmp, folders, *installs); err != nil {
			return err
		}
	}
	if *growth {
		progress("growth")
		err = growths(program, tmp, folders)
	}
	fmt.Printf("load of the machine at the end: %s\n", load())
	return err
}

// progress says what is being measured: a whole benchmark takes long.
func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s %s\n", time.Now().Format("15:04:05"), fmt.Sprintf(format, args...))
}

// load is the load average, to judge the figures by: CPU times rise as well when many want the processors.
func load() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(data))[:3], " ")
}

// firstScan runs everything in turn and prints ratios to S.
func firstScan(program, tree, tmp, list string, s *contender, runs int, peers bool, within time.Duration) error {
	scan := func(name string, more ...string) *contender {
		args := append([]string{program, "scan", "--format", "json", "--root", tree, "--os", "linux"}, more...)
		return &contender{name: name, args: args, watched: true}
	}
	all := []*contender{s, scan("extwatch scan"), scan("extwatch scan --quick", "--quick")}
	if peers {
		more, err := scanners(tmp, list)
		if err != nil {
			return err
		}
		for _, c := range more {
			c.within = within
		}
		all = append(all, more...)
	}
	for i := range runs + 1 {
		for _, c := range all {
			progress("run %d of %d: %s", i+1, runs+1, c.name)
			if err := c.run(i > 0); err != nil {
				return err
			}
		}
	}
	fmt.Printf("%-24s %12s %12s %8s %8s %10s\n", "command", "wall", "CPU", "wall/S", "CPU/S", "peak MiB (their own)")
	for _, c := range all {
		peak := "-"
		if c.peak.resident > 0 {
			peak = fmt.Sprintf("%d (%d)", c.peak.resident>>20, c.peak.own>>20)
		}
		if c.stopped {
			peak = "stopped after " + c.within.String() + ": more than this"
		}
		fmt.Printf("%-24s %12s %12s %8.2f %8.2f %10s\n", c.name, milliseconds(median(c.wall)), milliseconds(median(c.cpu)),
			ratio(c.wall, s.wall), ratio(c.cpu, s.cpu), peak)
	}
	return nil
}

// versionFolders lists the folders of all extensions in a tree.
func versionFolders(tree string) ([]string, error) {
	var out []string
	err := filepath.WalkDir(filepath.Join(tree, "home"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "manifest.json" && strings.Contains(path, "/Extensions/") {
			out = append(out, filepath.Dir(path))
		}
		return err
	})
	return out, err
}

// writeList writes the names of all files, with a NUL after each.
func writeList(list string, folders []string) (files int, size int64, err error) {
	var b bytes.Buffer
	for _, dir := range folders {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			files, size = files+1, size+info.Size()
			b.WriteString(path)
			b.WriteByte(0)
			return nil
		})
		if err != nil {
			return 0, 0, err
		}
	}
	return files, size, os.WriteFile(list, b.Bytes(), 0o600)
}

// unchanged runs the agent here, with sweeps in quick succession, and prints what one costs once all is known.
func unchanged(program, tree string, extensions, sweeps int, s time.Duration) error {
	rules, err := signatures.Builtin()
	if err != nil {
		return err
	}
	analyst := agent.NewAnalyst(2, []string{program, "analyze"}, "bench")
	defer analyst.Close()
	const every = 3 * time.Second
	judged := make(chan string, 1<<16)
	a, err := agent.New(agent.Config{
		Machine: browsers.Config{Root: tree, OS: "linux"}, Rules: rules, Analyst: analyst, Sweep: every,
		Tell: func(e agent.Event) {
			if e.Kind == agent.Judged {
				judged <- e.Extension.Path
			}
		},
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	late := time.After(30 * time.Minute)
	for seen := map[string]bool{}; len(seen) < extensions; {
		select {
		case path := <-judged:
			seen[path] = true
		case <-late:
			return fmt.Errorf("only %d of %d extensions were judged within 30 minutes", len(seen), extensions)
		}
	}
	time.Sleep(2 * every) // what was begun is done
	before, err := ownCPU()
	if err != nil {
		return err
	}
	time.Sleep(time.Duration(sweeps) * every)
	after, err := ownCPU()
	if err != nil {
		return err
	}
	one := (after - before) / time.Duration(sweeps)
	fmt.Printf("a sweep over what has not changed: CPU %s, %.3f x S\n", milliseconds(one), one.Seconds()/s.Seconds())
	return nil
}

// ownCPU is the CPU time of this process so far, user and system.
func ownCPU() (time.Duration, error) {
	data, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0, err
	}
	_, rest, _ := bytes.Cut(data, []byte(") ")) // the name may hold spaces
	fields := strings.Fields(string(rest))
	if len(fields) < 13 {
		return 0, errors.New("/proc/self/stat is too short")
	}
	var ticks int64 // of 10 ms
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil
}

// growths prints how CPU time grows: an exponent of 1 is proportional.
func growths(program, tmp string, folders []string) error {
	cpu := func(args ...string) (time.Duration, error) {
		c := &contender{name: "extwatch scan", args: append([]string{program, "scan", "--format", "json"}, args...)}
		for range 3 {
			if err := c.run(true); err != nil {
				return 0, err
			}
		}
		return slices.Min(c.cpu), nil
	}
	one, err := nearest(folders, 2_500_000)
	if err != nil {
		return err
	}
	var sizes, times []float64
	for _, n := range []int{1, 2, 4} {
		dir := filepath.Join(tmp, "bytes", strconv.Itoa(n))
		size, err := enlarge(one, dir, n)
		if err != nil {
			return err
		}
		d, err := cpu(dir)
		if err != nil {
			return err
		}
		sizes, times = append(sizes, float64(size)), append(times, d.Seconds())
	}
	fmt.Printf("growth with bytes: exponent %.2f (%.1f to %.1f MB: %.2f to %.2f s CPU)\n", exponent(sizes, times),
		sizes[0]/1e6, sizes[len(sizes)-1]/1e6, times[0], times[len(times)-1])
	sizes, times = nil, nil
	half := folders[:min(len(folders), 40)]
	for _, n := range []int{len(half) / 4, len(half) / 2, len(half)} {
		var bytes int64
		for i := range n { // spread, so that each sample has large and small ones
			bytes += sizeOf(half[i*len(half)/n])
		}
		args := make([]string, n)
		for i := range n {
			args[i] = half[i*len(half)/n]
		}
		d, err := cpu(args...)
		if err != nil {
			return err
		}
		sizes, times = append(sizes, float64(n)), append(times, d.Seconds()/float64(bytes)*float64(n))
	}
	fmt.Printf("growth with extensions of the same size: exponent %.2f (%d to %d)\n", exponent(sizes, times), int(sizes[0]), int(sizes[len(sizes)-1]))
	few, err := cpu(half[:min(len(half), 10)]...)
	if err != nil {
		return err
	}
	rules, n, err := moreRules(tmp, 9)
	if err != nil {
		return err
	}
	many, err := cpu(append([]string{"--rules", rules}, half[:min(len(half), 10)]...)...)
	if err != nil {
		return err
	}
	fmt.Printf("%d rules more, ten times as many: %.2f x the CPU\n", n, many.Seconds()/few.Seconds())
	return nil
}

// exponent fits y = a * x^k and returns k.
func exponent(x, y []float64) float64 {
	var sx, sy, sxx, sxy float64
	n := float64(len(x))
	for i := range x {
		lx, ly := math.Log(x[i]), math.Log(y[i])
		sx, sy, sxx, sxy = sx+lx, sy+ly, sxx+lx*lx, sxy+lx*ly
	}
	return (n*sxy - sx*sy) / (n*sxx - sx*sx)
}

// A held says how much memory is held, in bytes.
type held struct {
	resident int64
	own      int64 // without the pages of files, which processes share
}

func (h held) most(o held) held { return held{max(h.resident, o.resident), max(h.own, o.own)} }

// treeRSS is the memory of a process and all below it.
func treeRSS(pid int) held {
	var total held
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return total
	}
	if fields := strings.Fields(string(data)); len(fields) > 2 {
		pages, _ := strconv.ParseInt(fields[1], 10, 64)
		shared, _ := strconv.ParseInt(fields[2], 10, 64)
		total = held{pages * int64(os.Getpagesize()), (pages - shared) * int64(os.Getpagesize())}
	}
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, task := range tasks {
		children, _ := os.ReadFile(task)
		for _, child := range strings.Fields(string(children)) {
			if n, err := strconv.Atoi(child); err == nil {
				below := treeRSS(n)
				total.resident, total.own = total.resident+below.resident, total.own+below.own
			}
		}
	}
	return total
}

// sampleEvery is often enough for what grows by tens of megabytes in a second. To look costs a millisecond of the CPU time that
// is to be measured elsewhere.
const sampleEvery = 50 * time.Millisecond

// watchMemory samples the memory of a process tree until stopped, and returns the most.
func watchMemory(cmd *exec.Cmd) (stop func() held) {
	done, most := make(chan struct{}), make(chan held, 1)
	go func() {
		var peak held
		for {
			peak = peak.most(treeRSS(cmd.Process.Pid))
			select {
			case <-done:
				most <- peak
				return
			case <-time.After(sampleEvery):
			}
		}
	}()
	return func() held { close(done); return <-most }
}
