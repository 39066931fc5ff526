package settings

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func load(t *testing.T, files map[string]string, managed ...Managed) (Settings, string, error) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Load(Places{File: filepath.Join(dir, "config.yml"), Managed: func() []Managed { return managed }})
	return s, dir, err
}

func TestOptions(t *testing.T) {
	names := map[string]bool{}
	for _, o := range Options() {
		v, err := o.parse(o.Built)
		if err != nil {
			t.Errorf("%s: the built-in value: %v", o.Key, err)
			continue
		}
		var s Settings
		o.set(&s, v) // panics when the kind and the field differ
		if !strings.HasSuffix(o.Help, ".") {
			t.Errorf("%s: the help is no sentence: %q", o.Key, o.Help)
		}
		if n := o.PolicyName(); names[n] || strings.ContainsAny(n, "._ ") {
			t.Errorf("%s: bad policy name %q", o.Key, n)
		} else {
			names[n] = true
		}
	}
}

func TestLoad(t *testing.T) {
	s, dir, err := load(t, map[string]string{
		"config.yml":         "# our settings\nlog:\n  level: debug\nscan: {sweep: 30m}\nkeep:\n  timeline: 800d\n  size: 1GB\noutputs:\n",
		"conf.d/10-site.yml": "log:\n  level: warn\n",
		"conf.d/20-team.yml": "outputs:\n  syslog: tls://logs.example:6514\n",
		"conf.d/readme.txt":  "log: {level: error}",
	}, Managed{Name: "BlockAutomatic", Value: "true", Place: "policy"})
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.LogLevel, want.Sweep = "warn", 30*time.Minute
	want.Keep.Timeline, want.Keep.Bytes = 800*24*time.Hour, 1<<30
	want.Outputs.Syslog = "tls://logs.example:6514"
	want.Block.Automatic = true
	if d := cmp.Diff(want, s, cmpopts.IgnoreUnexported(Settings{})); d != "" {
		t.Error(d)
	}
	for key, place := range map[string]string{
		"log.level":       filepath.Join(dir, "conf.d", "10-site.yml") + ":2",
		"scan.sweep":      filepath.Join(dir, "config.yml") + ":4",
		"block.automatic": "policy",
		"notify.desktop":  "",
	} {
		if got := s.From(key); got != place {
			t.Errorf("%s: from %q, want %q", key, got, place)
		}
	}
}

func TestMistakes(t *testing.T) {
	tests := []struct{ name, file, want string }{
		{"unknown", "scan:\n  swep: 1h\n", "config.yml:2: there is no setting scan.swep; did you mean scan.sweep?"},
		{"wrong group", "output:\n  file: /x\n", "config.yml:1: there is no setting output"},
		{"other group", "scan:\n  level: debug\n", "config.yml:2: there is no setting scan.level; did you mean log.level?"},
		{"twice", "log: {level: info}\nlog: {level: warn}\n", "config.yml:2: log is set twice"},
		{"choice", "log:\n  level: loud\n", `config.yml:2: log.level: "loud" is none of debug, info, warn, error`},
		{"bool", "scan:\n  code: yes\n", `config.yml:2: scan.code: "yes" is neither true nor false`},
		{"duration", "scan:\n  sweep: soon\n", `config.yml:2: scan.sweep: "soon" is no time; write for example 15m, 12h or 90d`},
		{"too short", "scan:\n  sweep: 1s\n", "config.yml:2: scan.sweep: it must be at least 1m"},
		{"too long", "keep:\n  timeline: 36500d\n", "config.yml:2: keep.timeline: it must be at most 3660d"},
		{"overflow", "keep:\n  timeline: 99999999999999d\n", `config.yml:2: keep.timeline: "99999999999999d" is no time`},
		{"size", "keep:\n  size: 1\n", `config.yml:2: keep.size: "1" is no size; write for example 256MB`},
		{"huge size", "keep:\n  size: 9999999999999GB\n", `config.yml:2: keep.size: "9999999999999GB" is no size`},
		{"port", "dashboard:\n  port: 70000\n", "config.yml:2: dashboard.port: it must be at most 65535"},
		{"webhook", "outputs:\n  webhook:\n    url: http://siem.example/x\n", "config.yml:3: outputs.webhook.url: it must begin with https://"},
		{"syslog", "outputs:\n  syslog: logs.example\n", "config.yml:2: outputs.syslog: write it as udp://"},
		{"path", "outputs:\n  file: ../log.json\n", "config.yml:2: outputs.file: it must be an absolute path"},
		{"proxy", "outputs:\n  webhook:\n    proxy: proxy.example:3128\n", "config.yml:3: outputs.webhook.proxy: write it as http://HOST:PORT"},
		{"list", "log:\n  level: [debug]\n", "config.yml:2: log.level must be one value"},
		{"scalar", "scan: fast\n", "config.yml:1: scan must hold \"key: value\" lines"},
		{"no mapping", "- a\n", "config.yml:1: the file must hold \"key: value\" lines"},
		{"no YAML", "log: [\n", "config.yml: it is no YAML:"},
		{"control character", "outputs:\n  file: \"/a\\u0007\"\n", "config.yml:2: outputs.file: it holds a control character"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, _, err := load(t, map[string]string{"config.yml": tt.file, "conf.d/z.yml": "notify: {level: malicious}\n"})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %s", err, tt.want)
			}
			if len(Mistakes(err)) != 1 {
				t.Errorf("mistakes %q, want one", Mistakes(err))
			}
			if s.Notify.Level != "malicious" || s.Sweep != time.Hour {
				t.Errorf("the other settings were lost: %+v", s)
			}
		})
	}
}

func TestMissing(t *testing.T) {
	none := func() []Managed { return nil }
	file := filepath.Join(t.TempDir(), "none.yml")
	if _, err := Load(Places{File: file, Managed: none}); err != nil {
		t.Errorf("a missing file is no mistake: %v", err)
	}
	if _, err := Load(Places{File: file, Named: true, Managed: none}); err == nil {
		t.Error("a file that was named must be there")
	}
	if err := os.WriteFile(file, make([]byte, maxFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(Places{File: file, Managed: none}); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("a huge file: %v", err)
	}
}

func TestManaged(t *testing.T) {
	_, _, err := load(t, nil, Managed{Name: "blockautomatic", Value: "true", Place: "a"}, Managed{Name: "Nope", Value: "1", Place: "b"}, Managed{Name: "DashboardPort", Value: "-1", Place: "c"})
	want := []Mistake{{"b", "there is no setting Nope"}, {"c", "dashboard.port: it must be at least 0"}}
	if d := cmp.Diff(want, Mistakes(err)); d != "" {
		t.Error(d)
	}
}

func TestPlist(t *testing.T) {
	const list = `<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict><key>BlockAutomatic</key><true/><key>DashboardPort</key><integer>8321</integer>
<key>ScanSweep</key><string>2h</string><key>PayloadUUID</key><string>x</string></dict></plist>`
	s, _, err := load(t, nil, managedPlist([]byte(list))...)
	if err != nil || !s.Block.Automatic || s.DashboardPort != 8321 || s.Sweep != 2*time.Hour {
		t.Errorf("%+v, %v", s, err)
	}
	if _, _, err := load(t, nil, managedPlist([]byte("nonsense"))...); err == nil {
		t.Error("a damaged list must be told")
	}
}

// What Example prints is valid, and sets each setting to its built-in value, once the comment signs are taken away.
func TestExample(t *testing.T) {
	var lines []string
	for line := range strings.Lines(Example()) {
		line = strings.TrimPrefix(line, "#")
		if !strings.HasPrefix(strings.TrimSpace(line), "#") && strings.Contains(line, ":") && !strings.HasPrefix(line, " Settings") && !strings.HasPrefix(line, " Check") {
			lines = append(lines, line)
		}
	}
	s, _, err := load(t, map[string]string{"config.yml": strings.Join(lines, "")})
	if err != nil {
		t.Fatalf("%v in\n%s", err, strings.Join(lines, ""))
	}
	if d := cmp.Diff(Default(), s, cmpopts.IgnoreUnexported(Settings{})); d != "" {
		t.Error(d)
	}
	for _, o := range Options() {
		if s.From(o.Key) == "" {
			t.Errorf("%s is not in the example", o.Key)
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte("log: {level: debug}\n"))
	f.Add([]byte(Example()))
	f.Add([]byte("a: &a [*a]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file := filepath.Join(t.TempDir(), "config.yml")
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Load(Places{File: file, Managed: func() []Managed { return nil }})
		if err != nil && len(Mistakes(err)) == 0 {
			t.Errorf("an error without a mistake: %v", err)
		}
		var m Mistake
		if err != nil && !errors.As(err, &m) {
			t.Error(err)
		}
	})
}
