package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// idle starts the agent on a tree and, once it has read everything, reads the kernel's account of it twice.
func idle(args []string) error {
	fs := newFlags("idle")
	tree := fs.String("tree", "", "folder with home/…")
	minutes := fs.Float64("minutes", 5, "how long to look on")
	settle := fs.Duration("settle", 20*time.Second, "time to read everything first")
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
	users, err := os.ReadDir(filepath.Join(*tree, "home"))
	if err != nil {
		return err
	}
	run := []string{"run", "--json"}
	for _, u := range users {
		run = append(run, "--home", filepath.Join(*tree, "home", u.Name()))
	}
	cmd := exec.Command(program, run...)
	if err := cmd.Start(); err != nil {
		return err
	}
	defer cmd.Process.Kill()
	time.Sleep(*settle)
	before, err := account(cmd.Process.Pid)
	if err != nil {
		return err
	}
	time.Sleep(time.Duration(*minutes * float64(time.Minute)))
	after, err := account(cmd.Process.Pid)
	if err != nil {
		return err
	}
	seconds := *minutes * 60
	fmt.Printf("after %v: RSS %.1f MiB (peak %.1f)\n", *settle, before.rss, before.peak)
	fmt.Printf("after %.1f idle minutes: RSS %.1f MiB, CPU %.3f s, %.3f context switches/s\n",
		*minutes, after.rss, after.cpu-before.cpu, float64(after.switches-before.switches)/seconds)
	return nil
}

type usage struct {
	rss, peak float64 // MiB
	cpu       float64 // seconds, all threads
	switches  int     // context switches of all threads
}

func account(pid int) (usage, error) {
	var u usage
	dir := fmt.Sprintf("/proc/%d", pid)
	if err := status(filepath.Join(dir, "status"), func(key string, n float64) {
		switch key {
		case "VmRSS":
			u.rss = n / 1024
		case "VmHWM":
			u.peak = n / 1024
		}
	}); err != nil {
		return u, err
	}
	tasks, err := os.ReadDir(filepath.Join(dir, "task"))
	if err != nil {
		return u, err
	}
	for _, t := range tasks {
		status(filepath.Join(dir, "task", t.Name(), "status"), func(key string, n float64) {
			if strings.HasSuffix(key, "ctxt_switches") {
				u.switches += int(n)
			}
		})
	}
	// schedstat counts nanoseconds; the clock ticks of stat are too coarse for an idle process.
	for _, t := range tasks {
		data, err := os.ReadFile(filepath.Join(dir, "task", t.Name(), "schedstat"))
		if err != nil {
			continue
		}
		if f := strings.Fields(string(data)); len(f) > 0 {
			ns, _ := strconv.ParseFloat(f[0], 64)
			u.cpu += ns / 1e9
		}
	}
	return u, nil
}

// status calls each with the numbers of a /proc status file.
func status(name string, each func(key string, n float64)) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		key, value, _ := strings.Cut(s.Text(), ":")
		if n, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 64); err == nil {
			each(key, n)
		}
	}
	return nil
}
