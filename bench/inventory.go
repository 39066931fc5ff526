package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A contender is one command that lists the extensions of a tree.
type contender struct {
	name string
	args []string
	env  []string
	wall []time.Duration
	cpu  []time.Duration

	within  time.Duration // it is stopped after this; 0: never
	stopped bool          // it was, and is not run again
	watched bool          // sample its memory, and that of the processes below it
	peak    held          // the most of all runs

	out string // standard output of its last run, for recall
}

// inventory runs each contender in turn (A B C A B C …), so that all see the same load, and prints medians and the median of
// the ratios of runs that stood side by side.
func inventory(args []string) error {
	fs := newFlags("inventory")
	tree := fs.String("tree", "", "folder with home/… and truth.json")
	runs := fs.Int("n", 11, "counted runs of each, after one to warm up")
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
	all := contenders(program, *tree, tmp)
	for i := range *runs + 1 {
		for _, c := range all {
			if err := c.run(i > 0); err != nil {
				return err
			}
		}
	}
	planted, err := truth(*tree)
	if err != nil {
		return err
	}
	us := all[0]
	fmt.Printf("%-22s %12s %12s %13s %13s   %s\n", "command", "wall", "CPU", "ours/it wall", "ours/it CPU", "found")
	for _, c := range all {
		fmt.Printf("%-22s %12s %12s %13.3f %13.3f   %d of %d\n", c.name, milliseconds(median(c.wall)), milliseconds(median(c.cpu)),
			ratio(us.wall, c.wall), ratio(us.cpu, c.cpu), found(c.out, planted), len(planted))
	}
	return nil
}

// contenders lists our program first; peers that are not on PATH are left out, and said to be.
func contenders(program, tree, tmp string) []*contender {
	home := filepath.Join(tree, "home")
	all := []*contender{
		{name: "extwatch --inventory", args: []string{program, "scan", "--inventory", "--format", "json", "--root", tree, "--os", "linux"}},
		{name: "extwatch scan --quick", args: []string{program, "scan", "--quick", "--format", "json", "--root", tree, "--os", "linux"}},
		{name: "find manifest.json", args: []string{"find", home, "-path", "*/Extensions/*", "-name", "manifest.json"}},
		{name: "extwatch --help", args: []string{program, "--help"}},
	}
	if p, err := exec.LookPath("scalibr"); err == nil {
		all = append(all, &contender{name: "scalibr", args: []string{p, "--plugins=chrome/extensions", "--root", home, "--result", filepath.Join(tmp, "scalibr.textproto")}})
	} else {
		fmt.Println("scalibr is not on PATH: left out")
	}
	if p, err := exec.LookPath("bumblebee"); err == nil {
		args := []string{p, "scan", "--profile", "baseline", "--ecosystem", "browser-extension"}
		if users, _ := os.ReadDir(home); len(users) > 1 {
			args = []string{p, "scan", "--profile", "deep", "--ecosystem", "browser-extension"}
			for _, u := range users {
				args = append(args, "--root", filepath.Join(home, u.Name()))
			}
			all = append(all, &contender{name: "bumblebee deep", args: args})
		} else if len(users) == 1 {
			all = append(all, &contender{name: "bumblebee", args: args, env: []string{"HOME=" + filepath.Join(home, users[0].Name())}})
		}
	} else {
		fmt.Println("bumblebee is not on PATH: left out")
	}
	return all
}

func (c *contender) run(counted bool) error {
	if c.stopped {
		return nil
	}
	ctx := context.Background()
	if c.within > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.within)
		defer cancel()
	}
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...)
	cmd.WaitDelay = time.Second
	cmd.Env = append(os.Environ(), c.env...)
	start := time.Now()
	var out bytes.Buffer
	cmd.Stdout = &out
	err := cmd.Start()
	if err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	if c.watched {
		stop := watchMemory(cmd)
		err = cmd.Wait()
		c.peak = c.peak.most(stop())
	} else {
		err = cmd.Wait()
	}
	wall := time.Since(start)
	if c.stopped = ctx.Err() != nil; c.stopped {
		counted, err = true, nil // as much as this at least
	}
	// Exit codes other than 0 are results for some (3: findings).
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	c.out = out.String()
	if result := resultFile(c.args); result != "" {
		data, err := os.ReadFile(result)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		// scalibr names in its errors what it could not read; that is not found.
		_, listed, _ := strings.Cut(string(data), "\ninventory:")
		c.out = listed
	}
	if counted {
		c.wall = append(c.wall, wall)
		c.cpu = append(c.cpu, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
	}
	return nil
}

// resultFile returns the file that a command writes its result to, or "".
func resultFile(args []string) string {
	if i := slices.Index(args, "--result"); i >= 0 {
		return args[i+1]
	}
	return ""
}

func ratio(ours, theirs []time.Duration) float64 {
	var r []time.Duration
	for i := range ours {
		r = append(r, time.Duration(float64(ours[i])/float64(theirs[i])*1e9))
	}
	return median(r).Seconds()
}

// truth returns the IDs of the extensions that the tree holds, one for each place.
func truth(tree string) ([]string, error) {
	data, err := os.ReadFile(filepath.Join(tree, "truth.json"))
	if err != nil {
		return nil, err
	}
	var t struct {
		Extensions []struct{ ID string }
	}
	if err := json.Unmarshal(data, &t); err != nil {
		return nil, fmt.Errorf("truth.json: %w", err)
	}
	var ids []string
	for _, e := range t.Extensions {
		ids = append(ids, e.ID)
	}
	return ids, nil
}

// found counts planted IDs that an output names as often as they are planted.
func found(out string, planted []string) int {
	n, seen := 0, map[string]int{}
	for _, id := range planted {
		seen[id]++
	}
	for id, times := range seen {
		n += min(times, strings.Count(out, id))
	}
	return n
}
