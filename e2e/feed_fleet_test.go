//go:build linux

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	feedPort = "8443"
	feedPoll = 10 * time.Second // the shortest that the settings take
)

// feedRule is a rule about an extension that an administrator has heard of, by its name.
const feedRule = `title: A colour tool that has become a thief
id: 5f4f9a1e-4c1b-4a52-9f0e-0d8c5a7b6e%02[1]d
name: colour-thief-%[1]d
status: stable
description: The tool was sold, and its next version asks a server for code.
references:
  - https://news.example/colours
author: IT of Example Ltd
date: 2026-01-31
tags: [attack.t1176.001]
logsource: {product: browser, category: extension}
detection:
  selection:
    name: %[2]q
    permissions: storage
  condition: selection
falsepositives:
  - Another extension of the same name.
level: high
verdict: suspicious
campaign: colour-thief-%[1]d
response:
  user:
    - Switch the extension off in the browser's extension page.
  admin:
    - Look for the same extension on other machines.
tests:
  match:
    - {case: the tool, name: %[2]q, permissions: [storage]}
  no_match:
    - {case: another tool, name: Dark Colours, permissions: [storage]}
`

// What is harmless until somebody says otherwise.
const (
	colourManifest = `{"manifest_version":3,"name":"Chart Colours %d","version":"1.0","permissions":["storage"],"background":{"service_worker":"bg.js"}}`
	colourCode     = "chrome.storage.local.get('colour', (c) => console.log(c));\n"
)

func colourRule(n int) string { return fmt.Sprintf(feedRule, n, fmt.Sprintf("Chart Colours %d", n)) }

// colourID is the ID of the n-th tool.
func colourID(n int) string { return strings.Repeat(string(rune('a'+n)), 32) }

// A feedAdmin is the machine on which an organisation publishes, with the commands of docs/publishing.md.
type feedAdmin struct {
	*host
	feed string
	out  bytes.Buffer // of what serves it
}

// publishes makes a host the publisher's, with a feed that has nothing in it, and serves it.
func (h *host) publishes() *feedAdmin {
	h.t.Helper()
	a := &feedAdmin{host: h, feed: filepath.Join(h.dir, "feed")}
	secret := filepath.Join(h.dir, "passphrase")
	if err := os.WriteFile(secret, []byte("four words put together\n"), 0o600); err != nil {
		h.t.Fatal(err)
	}
	h.must("extwatch", "feed", "init", a.feed, "--name", "Example Ltd", "--scrypt", "8", "--passphrase-file", secret, "--root-passphrase-file", secret,
		"--root-keys", h.dir+"/a", "--root-keys", h.dir+"/b", "--root-keys", h.dir+"/c")
	serve := h.command(context.Background(), "/usr/local/bin/extwatch", "feed", "serve", "--dir", a.feed, "--host", h.address, "--listen", h.address+":"+feedPort)
	serve.Stdout, serve.Stderr = &a.out, &a.out
	serve.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := serve.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		serve.Process.Signal(syscall.SIGINT)
		serve.Wait()
		if h.t.Failed() {
			h.t.Logf("feed serve said:\n%s", a.out.String())
		}
	})
	waitFor(h.t, "the server's certificate", 10*time.Second, func() bool {
		_, err := os.Stat(filepath.Join(a.feed, "serve", "certificate.pem"))
		return err == nil
	})
	return a
}

// publish adds a rule to the feed and publishes it, and returns when the command had ended.
func (a *feedAdmin) publish(rule string) time.Time {
	a.t.Helper()
	name := ""
	for line := range strings.Lines(rule) {
		if value, ok := strings.CutPrefix(line, "name: "); ok {
			name = strings.TrimSpace(value)
		}
	}
	file := filepath.Join(a.dir, name+".yml")
	writeFile(a.t, file, rule)
	a.must("extwatch", "feed", "add", "--dir", a.feed, file)
	out := a.must("extwatch", "feed", "publish", "--dir", a.feed, "--passphrase-file", filepath.Join(a.dir, "passphrase"))
	a.t.Logf("publish: %s", strings.ReplaceAll(strings.TrimSpace(out), "\n", "; "))
	return time.Now()
}

// follows gives a host the settings that its device management would, and root.json.
func (h *host) follows(a *feedAdmin, more string) {
	h.t.Helper()
	for from, to := range map[string]string{"root.json": "root.json", "serve/certificate.pem": "feed.pem"} {
		data, err := os.ReadFile(filepath.Join(a.feed, from))
		if err != nil {
			h.t.Fatal(err)
		}
		writeFile(h.t, filepath.Join(h.dir, "etc", to), string(data))
	}
	h.settings(fmt.Sprintf("feed:\n  mirrors: https://%s:%s\n  ca_file: /etc/extwatch/feed.pem\n  poll: %v\n%s", a.address, feedPort, feedPoll, more))
}

// A fleet of two machines has what is published within ten seconds, over a network that loses packets; a machine that was
// cut off has it within one poll after it is back; nobody does anything on the machines. That the new rules are in use is
// seen from their findings about extensions that had been installed and harmless all the time.
func TestFeedReachesAFleet(t *testing.T) { fleet(t, "", true, 10*time.Second) }

// fleet is that test, with more settings; most is how long a connected machine may take.
func fleet(t *testing.T, more string, events bool, most time.Duration) {
	const tools = 3
	n := newLAN(t)
	admin := n.host("publisher", 1).publishes()
	agents := []*host{n.host("agent1", 2), n.host("agent2", 3)}
	for _, h := range append(agents, admin.host) {
		h.loses(8)
	}
	var services []*resident
	for _, h := range agents {
		h.follows(admin, more)
		for i := range tools {
			h.plant(colourID(i), fmt.Sprintf(colourManifest, i), colourCode)
		}
		services = append(services, h.start())
	}
	for _, r := range services {
		waitFor(t, "the service to know everything, and the publisher to be heard", 40*time.Second, func() bool {
			s := r.status()
			return s.Ready && s.Extensions == tools && s.Updates.Version == 1 && s.Updates.Events == events
		})
		if s := r.status(); s.Suspicious != 0 {
			t.Fatalf("%s: before anything is published: %+v", r.name, s)
		}
	}
	hear := func(r *resident, tool int, since time.Time, patience time.Duration) time.Duration {
		t.Helper()
		waitFor(t, fmt.Sprintf("%s to find tool %d", r.name, tool), patience, func() bool {
			at, _ := r.said(since.Add(-time.Minute), "msg=finding", "rule=colour-thief-"+fmt.Sprint(tool), colourID(tool))
			return !at.IsZero()
		})
		at, line := r.said(since.Add(-time.Minute), "msg=finding", "rule=colour-thief-"+fmt.Sprint(tool), colourID(tool))
		t.Logf("%s, %v: %s", r.name, at.Sub(since).Round(time.Millisecond), line)
		return at.Sub(since)
	}

	published := admin.publish(colourRule(0))
	for _, r := range services {
		if took := hear(r, 0, published, most); took > most {
			t.Errorf("%s: %v from published to found", r.name, took)
		}
	}

	agents[1].cut()
	published = admin.publish(colourRule(1))
	hear(services[0], 1, published, most)
	time.Sleep(2 * time.Second)
	if at, line := services[1].said(published, "rule=colour-thief-1"); !at.IsZero() {
		t.Errorf("a machine that is cut off knows: %s", line)
	}
	agents[1].join()
	joined := time.Now()
	if took := hear(services[1], 1, joined, feedPoll*6/5+10*time.Second); took > feedPoll*6/5+5*time.Second {
		t.Errorf("%s: %v from the network's return to found", services[1].name, took)
	}
	for _, h := range append(agents, admin.host) {
		t.Logf("%s lost %s", h.name, h.lost())
	}
	for _, r := range services {
		if s := r.status(); s.Suspicious != 2 || s.Updates.Warning != "" {
			t.Errorf("%s at the end: %+v", r.name, s)
		}
	}
}
