//go:build linux && figures

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// kills publishes one rule after the other, kills the service at a random moment while it takes that rule in, and starts it
// again without a network. It has to have all rules of the version that it says, and none of a later one; with the network
// back it has the newest.
func kills(t *testing.T, times int) {
	t.Helper()
	n := newLAN(t)
	admin := n.host("publisher", 1).publishes()
	machine := n.host("machine", 2)
	machine.follows(admin, "")
	for i := range times {
		machine.plant(killedID(i), fmt.Sprintf(colourManifest, i), colourCode)
	}
	heard := func(s feedStatus, version int64) bool {
		return s.Ready && s.Extensions == times && s.Updates.Version == version
	}
	service := machine.start()
	old, new := 0, 0
	for i := range times {
		version := int64(i + 1) // of what is published; the first has no rules
		waitFor(t, fmt.Sprintf("version %d", version), 40*time.Second, func() bool {
			s := service.status()
			return heard(s, version) && s.Updates.Events && s.Suspicious == i
		})
		before := machine.timestamp()
		published := admin.publish(colourRule(i))
		for machine.timestamp() == before && time.Since(published) < 20*time.Second {
			time.Sleep(time.Millisecond)
		}
		moment := rand.N(1500 * time.Millisecond)
		time.Sleep(moment)
		service.kill()
		machine.cut()
		service = machine.start()
		waitFor(t, "the service to be back", time.Minute, func() bool {
			select {
			case <-service.ended: // as systemd does
				t.Logf("it did not start, and is started again: %s", service.log())
				time.Sleep(2 * time.Second)
				service = machine.start()
			default:
			}
			s := service.status()
			return s.Ready && s.Extensions == times && s.Suspicious == int(s.Updates.Version)-1
		})
		switch s := service.status(); {
		case heard(s, version):
			old++
		case heard(s, version+1):
			new++
		default:
			t.Errorf("killed after %v, it came up with %+v", moment, s)
		}
		t.Logf("killed %v after it began with version %d: came up with %d", moment.Round(time.Millisecond), version+1, service.status().Updates.Version)
		machine.join()
	}
	waitFor(t, "the newest version", 40*time.Second, func() bool {
		s := service.status()
		return heard(s, int64(times+1)) && s.Suspicious == times
	})
	t.Logf("%d kills: %d times the old feed, %d times the new one", times, old, new)
}

func killedID(n int) string { return colourID(n % 16)[:30] + colourID(n / 16)[:2] }

// timestamp says when the newest timestamp was written down: the first thing that an update writes.
func (h *host) timestamp() time.Time {
	info, err := os.Stat(filepath.Join(h.dir, "var", "extwatch", "feed", "metadata", "timestamp.json"))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// However the service ends while it updates, it comes up with the old feed or the new one.
func TestFigureFeedKills(t *testing.T) { kills(t, 12) }

// Without event streams, one poll brings what is new: after publishing, and after a partition.
func TestFigureFeedPollsOnly(t *testing.T) {
	fleet(t, "  events: false\n", false, feedPoll*6/5+10*time.Second)
}

const loadConf = `
user root; daemon off; worker_processes 1; pid %[1]s/nginx.pid; error_log %[1]s/error.log;
events { worker_connections 64; }
http {
	log_format short '$request_method $uri $status $request_length $bytes_sent'; access_log %[1]s/access.log short; default_type application/octet-stream;
	client_body_temp_path %[1]s/1; proxy_temp_path %[1]s/2; fastcgi_temp_path %[1]s/3; uwsgi_temp_path %[1]s/4; scgi_temp_path %[1]s/5;
	server {
		listen %[2]s:443 ssl; http2 on; root %[3]s/public; ssl_certificate %[3]s/serve/certificate.pem; ssl_certificate_key %[3]s/serve/key.pem;
	}
}
`

// What one agent costs a static web server on a day on which nothing is published, by the server's log and on the wire.
func TestFigureFeedLoad(t *testing.T) {
	// At 15 minutes no connection is open any more at the next poll: nginx closes idle ones after 75 s.
	const polls, day, every = 3, 24 * time.Hour / (15 * time.Minute), 95 * time.Second
	n := newLAN(t)
	admin := n.host("publisher", 1).publishes()
	conf, log := filepath.Join(admin.dir, "nginx.conf"), filepath.Join(admin.dir, "access.log")
	text := fmt.Sprintf(loadConf, admin.dir, admin.address, admin.feed)
	if out, _, _ := admin.run("/usr/sbin/nginx", "-v"); !strings.Contains(out, "1.25") {
		text = strings.Replace(text, "ssl; http2 on;", "ssl http2;", 1) // before 1.25
	}
	writeFile(t, conf, text)
	server := admin.command(context.Background(), "/usr/sbin/nginx", "-c", conf, "-p", admin.dir, "-e", admin.dir+"/error.log")
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Process.Signal(syscall.SIGQUIT)
		server.Wait()
	})
	machine := n.host("machine", 2)
	machine.follows(admin, "  events: false\n")
	text = strings.ReplaceAll(string(machine.read("config.yml")), ":"+feedPort, "")
	machine.settings(strings.Replace(text, fmt.Sprintf("poll: %v", feedPoll), fmt.Sprintf("poll: %v", every), 1))
	service := machine.start()
	waitFor(t, "the feed", patience, func() bool { s := service.status(); return s.Ready && s.Updates.Version == 1 })
	time.Sleep(30 * time.Second) // the first answers are over
	before, wire := machine.requests(log), machine.wire()
	asked := func() int { return strings.Count(machine.requests(log)[len(before):], "timestamp.json") }
	waitFor(t, "some polls", polls*2*every, func() bool { return asked() >= polls })
	time.Sleep(time.Second)
	lines := strings.Split(strings.TrimSpace(machine.requests(log)[len(before):]), "\n")
	in, out := 0, 0
	for _, line := range lines {
		var method, name string
		var status, received, sent int
		fmt.Sscan(line, &method, &name, &status, &received, &sent)
		in, out = in+received, out+sent
	}
	real, count := machine.wire()-wire, asked()
	t.Logf("a poll:\n%s", strings.Join(lines[:len(lines)/count], "\n"))
	per := func(n int) int { return n * int(day) / count }
	t.Logf("FIGURE feed, nothing new, an agent and a day of polls each 15 minutes: %d requests, %d bytes asked, %d bytes answered (nginx's log); %d bytes on the wire with TCP and TLS; 100,000 agents: %d requests a second",
		per(len(lines)), per(in), per(out), per(real), per(len(lines))*100_000/86_400)
}

func (h *host) read(name string) []byte {
	data, err := os.ReadFile(filepath.Join(h.dir, "etc", name))
	if err != nil {
		h.t.Fatal(err)
	}
	return data
}

func (h *host) requests(log string) string {
	data, _ := os.ReadFile(log)
	return string(data)
}

// wire is how many bytes its network card has sent and received.
func (h *host) wire() int {
	var list []struct {
		Stats64 struct{ RX, TX struct{ Bytes int } }
	}
	if err := json.Unmarshal([]byte(h.must("ip", "-s", "-j", "link", "show", "eth0")), &list); err != nil || len(list) != 1 {
		h.t.Fatalf("ip: %v", err)
	}
	return list[0].Stats64.RX.Bytes + list[0].Stats64.TX.Bytes
}
