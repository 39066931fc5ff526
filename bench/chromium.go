package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing/fstest"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/extwatch/extwatch/manifests/archive/archivetest"
)

const chromiumBinary = "/usr/lib/chromium/chromium"

// chromium lets a real Chromium install n extensions in one burst while it starts, from the "External Extensions" folder of
// its user data. An install's time is that of the event for its version folder, as an observer of our own sees it, which
// knows where to look beforehand and does nothing else.
func chromium(args []string) error {
	fs := newFlags("chromium")
	n := fs.Int("n", 50, "installs")
	busy := fs.Bool("busy", false, "keep all cores busy meanwhile")
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
	data := filepath.Join(home, ".config", "chromium")
	ids, err := offer(data, tmp, *n)
	if err != nil {
		return err
	}
	arrivals, err := watchArrivals(filepath.Join(data, "Default", "Extensions"), ids)
	if err != nil {
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
	browser := exec.Command(chromiumBinary, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-component-update", "--disable-sync", "--user-data-dir="+data, "about:blank")
	browser.Env = append(os.Environ(), "HOME="+home)
	if err := browser.Start(); err != nil {
		return err
	}
	started := arrivals(time.Now().Add(120 * time.Second))
	first, warned, missed := o.times(started)
	browser.Process.Signal(syscall.SIGTERM)
	browser.Wait()
	fmt.Printf("%d of %d offered extensions were installed by Chromium, busy=%v: missed %d\n", len(started), *n, *busy, missed)
	printLatencies("on disk -> first verdict", first)
	printLatencies("on disk -> printed warning", warned)
	return nil
}

// offer packs n extensions and names them in the folder from which Chromium installs at start.
func offer(data, tmp string, n int) ([]string, error) {
	external := filepath.Join(data, "External Extensions")
	// The folders exist beforehand so that the observer can watch them; Chromium makes no difference.
	for _, dir := range []string{external, filepath.Join(data, "Default", "Extensions")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
	}
	var ids []string
	for i := range n {
		manifest := fmt.Sprintf(`{"manifest_version":3,"name":"MetaMask %d","version":"1.0","permissions":["cookies"],"host_permissions":["*://*.binance.com/*"],"background":{"service_worker":"bg.js"}}`, i)
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		crx, id, err := archivetest.PackCRX3(fstest.MapFS{
			"manifest.json": {Data: []byte(manifest)},
			"bg.js":         {Data: []byte(strings.Repeat("self.quotes=1;\n", 70_000))},
		}, key)
		if err != nil {
			return nil, err
		}
		file := filepath.Join(tmp, id+".crx")
		if err := os.WriteFile(file, crx, 0o644); err != nil {
			return nil, err
		}
		offer := fmt.Sprintf(`{"external_crx":%q,"external_version":"1.0"}`, file)
		if err := os.WriteFile(filepath.Join(external, id+".json"), []byte(offer), 0o644); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// watchArrivals notes when each ID's folder appears. The folder is made right before the version is renamed into it, so this
// is slightly earlier than the end of the install, never later.
func watchArrivals(dir string, ids []string) (func(deadline time.Time) map[string]time.Time, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	if err := w.Add(dir); err != nil {
		return nil, err
	}
	return func(deadline time.Time) map[string]time.Time {
		defer w.Close()
		seen := map[string]time.Time{}
		for len(seen) < len(ids) {
			select {
			case e := <-w.Events:
				if id := filepath.Base(e.Name); e.Has(fsnotify.Create) && len(id) == 32 {
					if _, ok := seen[id]; !ok {
						seen[id] = time.Now()
					}
				}
			case <-time.After(time.Until(deadline)):
				return seen
			}
		}
		return seen
	}, nil
}
