package outputs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/extwatch/extwatch/signatures"
)

var update = flag.Bool("update", false, "write the golden files anew")

var now = time.Date(2026, 11, 22, 12, 0, 0, 123_000_000, time.UTC)

func event(kind Kind) Event {
	e := Event{
		Key: "key-1", Kind: kind, Time: now, Message: `"Aggr Helper" sends your login at an exchange to a stranger`, Host: "desk", Agent: "1.0",
		User: "ada", Browser: "chrome", Profile: "Default", Extension: "abcdefghijklmnopabcdefghijklmnop", Name: "Aggr \"Helper\"]\nMESSAGE=forged",
		Version: "1.2", Path: "/home/ada/x", Verdict: signatures.Malicious, Exchanges: []string{"Binance", "OKX"}, FindingKey: "f1",
	}
	switch kind {
	case Opened, Closed:
		e.Finding = &signatures.Finding{Rule: "exchange-session-theft", Title: "Sends your login", Description: "It reads cookies.", Level: "critical",
			Verdict: signatures.Malicious, Evidence: []signatures.Evidence{{File: "bg.js", Line: 3, Text: "fetch(…)"}},
			References: []string{"https://example.test/a"}, Response: signatures.Response{Admin: []string{"Take the machine off the network."}}}
	case Problem:
		e = Event{Key: "key-2", Kind: kind, Time: now, Message: "A profile could not be read", Host: "desk", Agent: "1.0", User: "ada", Reason: "permission denied"}
	case Trusted:
		e.Reason = "our own tool"
	}
	return e
}

func TestShapes(t *testing.T) {
	for _, shape := range []string{"plain", "ecs", "ocsf"} {
		for _, kind := range []Kind{Opened, Closed, Problem, Trusted} {
			data, err := encode(event(kind), shape)
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			if err := json.Indent(&got, data, "", "  "); err != nil {
				t.Fatal(err)
			}
			got.WriteByte('\n')
			text := regexp.MustCompile(`(?s)"os": \{.*?\}`).ReplaceAllString(got.String(), `"os": {}`) // of whoever runs the test
			golden := filepath.Join("testdata", shape+"-"+string(kind)+".json")
			if *update {
				if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(golden, []byte(text), 0o644)); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), text); diff != "" {
				t.Errorf("%s (-want +got)\n%s", golden, diff)
			}
		}
	}
	if _, err := encode(event(Opened), "cef"); err == nil {
		t.Error("an unknown shape was written")
	}
}

// What the schemas require of each event.
func TestRequiredFields(t *testing.T) {
	has := func(v any, path string) bool {
		for _, key := range strings.Split(path, "/") {
			m, ok := v.(map[string]any)
			if !ok {
				return false
			}
			if v, ok = m[key]; !ok {
				return false
			}
		}
		return true
	}
	for _, kind := range []Kind{Opened, Closed, Warned, Blocked, Undone, Trusted, Problem, Feed} {
		required := map[string][]string{
			"ecs": {"@timestamp", "ecs/version", "event/kind", "event/category", "event/type", "message"},
			"ocsf": {"activity_id", "category_uid", "class_uid", "type_uid", "time", "severity_id", "metadata/version", "metadata/product/name",
				"metadata/product/vendor_name"},
		}
		if kind == Opened || kind == Closed { // Detection Finding; a device needs its type, a remediation its text
			required["ocsf"] = append(required["ocsf"], "finding_info/uid", "device/type_id", "device/hostname", "device/os/type_id", "remediation/desc")
		}
		for shape, fields := range required {
			data, err := encode(event(kind), shape)
			if err != nil {
				t.Fatal(err)
			}
			var v map[string]any
			if err := json.Unmarshal(data, &v); err != nil {
				t.Fatal(err)
			}
			for _, f := range fields {
				if !has(v, f) {
					t.Errorf("%s of %s lacks %s: %s", shape, kind, f, data)
				}
			}
			if shape == "ocsf" && v["type_uid"].(float64) != v["class_uid"].(float64)*100+v["activity_id"].(float64) {
				t.Errorf("%s: type_uid %v", kind, v["type_uid"])
			}
		}
	}
}

func TestSyslogMessage(t *testing.T) {
	got := string(rfc5424(event(Opened), maxBody))
	got = regexp.MustCompile(` extwatch \d+ `).ReplaceAllString(got, " extwatch PID ")
	want := `<106>1 2026-11-22T12:00:00.123Z desk extwatch PID finding.opened [extwatch@32473 event="finding.opened" id="100" key="key-1" ` +
		`verdict="malicious" extension="abcdefghijklmnopabcdefghijklmnop" name="Aggr \"Helper\"\] MESSAGE=forged" version="1.2" browser="chrome" ` +
		`profile="Default" user="ada" path="/home/ada/x" exchanges="Binance,OKX" finding="f1" rule="exchange-session-theft" title="Sends your login" ` +
		"level=\"critical\"] \ufeff\"Aggr Helper\" sends your login at an exchange to a stranger"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	long := event(Opened)
	long.Path, long.Name = strings.Repeat("p", 9000), strings.Repeat("]", 9000)
	if n := len(rfc5424(long, maxDatagram)); n > maxDatagram {
		t.Errorf("%d bytes in a datagram", n)
	}
}

func TestNumbersAreStable(t *testing.T) {
	for kind, want := range map[Kind]uint32{Opened: 100, Closed: 101, Warned: 200, Blocked: 300, Undone: 301, Trusted: 310, Problem: 400, Feed: 500, "x": 1} {
		if got := kind.Number(); got != want {
			t.Errorf("%s: %d, want %d", kind, got, want)
		}
		if id := messageID(kind); !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(id) {
			t.Errorf("%s: MESSAGE_ID %s", kind, id)
		}
	}
	if got := messageID(Opened); got != "5e1f0a7c9b3d4e62a8c4d17be0f60064" {
		t.Error(got)
	}
	if text := logText(ptr(event(Opened))); !strings.Contains(text, "rule: exchange-session-theft") || strings.Count(text, "MESSAGE=") != 1 {
		t.Error(text)
	}
}

func ptr[T any](v T) *T { return &v }

func FuzzSyslog(f *testing.F) {
	f.Add("a\"]\\\n", "\xff")
	f.Fuzz(func(t *testing.T, name, message string) {
		e := event(Opened)
		e.Name, e.Message = name, message
		got := rfc5424(e, maxDatagram)
		if len(got) > maxDatagram || bytes.ContainsAny(got, "\n\r\x00") {
			t.Errorf("%q", got)
		}
		if entry := entry(&e); bytes.Count(entry, []byte("\nMESSAGE_ID=")) < 1 {
			t.Errorf("%q", entry)
		}
	})
}

// A memory is a Queue of a test.
type memory struct {
	mu   sync.Mutex
	now  func() time.Time
	list []*item
}

type item struct {
	Delivery
	channel string
	due     time.Time
	done    bool
	why     string
}

func (m *memory) Push(_ context.Context, channel, key string, payload []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, i := range m.list {
		if i.channel == channel && i.Key == key {
			return nil
		}
	}
	m.list = append(m.list, &item{Delivery: Delivery{Row: int64(len(m.list)), Key: key, Payload: payload}, channel: channel})
	return nil
}

func (m *memory) Next(_ context.Context, channel string, n int) (list []Delivery, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, i := range m.list {
		if i.channel == channel && !i.done && !i.due.After(m.now()) && len(list) < n {
			list = append(list, i.Delivery)
		}
	}
	return list, nil
}

func (m *memory) Done(_ context.Context, rows ...int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range rows {
		m.list[r].done = true
	}
	return nil
}

func (m *memory) PutOff(_ context.Context, row int64, until time.Time, why string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.list[row].due, m.list[row].why = until, why
	m.list[row].Tries++
	return nil
}

func (m *memory) waiting() (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, i := range m.list {
		if !i.done {
			n++
		}
	}
	return n
}
