package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/extwatch/extwatch/signatures"
)

// Peers get about as much to look for as we have: 300 rules, 1,500 texts, a third of them regular expressions.
const (
	peerRules   = 300
	peerStrings = 5
	peerHashes  = 5000
)

// scanners are peers that look for patterns in files; those that are not installed are left out, and said to be.
func scanners(tmp, list string) ([]*contender, error) {
	random := rand.New(rand.NewPCG(1, 2))
	var all []*contender
	if p, err := exec.LookPath("yara"); err == nil {
		rules, lines := filepath.Join(tmp, "rules.yar"), filepath.Join(tmp, "lines")
		files, err := os.ReadFile(list)
		if err != nil {
			return nil, err
		}
		if err := errors.Join(os.WriteFile(rules, yaraRules(random), 0o600), os.WriteFile(lines, bytes.ReplaceAll(files, []byte{0}, []byte{'\n'}), 0o600)); err != nil {
			return nil, err
		}
		all = append(all, &contender{name: "yara -p 2, 300 rules", args: []string{p, "-p", "2", "-w", "--scan-list", rules, lines}})
	} else {
		fmt.Println("yara is not on PATH: left out")
	}
	if p, err := exec.LookPath("clamscan"); err == nil {
		db, lines := filepath.Join(tmp, "clam"), filepath.Join(tmp, "lines")
		if err := os.Mkdir(db, 0o700); err != nil {
			return nil, err
		}
		if err := clamRules(random, db); err != nil {
			return nil, err
		}
		all = append(all, &contender{name: "clamscan, 6,500", args: []string{p, "--no-summary", "-i", "-d", db, "--file-list", lines}})
	} else {
		fmt.Println("clamscan is not on PATH: left out")
	}
	return all, nil
}

// word makes a text that code might hold.
func word(random *rand.Rand) string {
	parts := []string{"cookie", "session", "wallet", "seed", "send", "collect", "token", "secret", "key", "grab", "bot", "hook", "balance", "trade"}
	return fmt.Sprintf("%s_%s%x", parts[random.IntN(len(parts))], parts[random.IntN(len(parts))], random.Uint32()&0xffff)
}

func yaraRules(random *rand.Rand) []byte {
	var b bytes.Buffer
	for i := range peerRules {
		fmt.Fprintf(&b, "rule r%d {\n strings:\n", i)
		for j := range peerStrings {
			if (i*peerStrings+j)%3 == 0 {
				fmt.Fprintf(&b, "  $s%d = /%s[0-9a-z]{2,8}\\.(com|net|top)\\/[a-z]{1,6}/\n", j, word(random))
				continue
			}
			fmt.Fprintf(&b, "  $s%d = %q\n", j, word(random))
		}
		b.WriteString(" condition: any of them\n}\n")
	}
	return b.Bytes()
}

func clamRules(random *rand.Rand, dir string) error {
	var texts, hashes bytes.Buffer
	for i := range peerRules * peerStrings {
		fmt.Fprintf(&texts, "Bench.T%d:0:*:%s\n", i, hex.EncodeToString([]byte(word(random))))
	}
	sum := make([]byte, 32)
	for i := range peerHashes {
		for j := range sum {
			sum[j] = byte(random.Uint32())
		}
		fmt.Fprintf(&hashes, "%x:*:Bench.H%d:73\n", sum, i)
	}
	return errors.Join(os.WriteFile(filepath.Join(dir, "t.ndb"), texts.Bytes(), 0o600), os.WriteFile(filepath.Join(dir, "h.hsb"), hashes.Bytes(), 0o600))
}

// moreRules writes the built-in rules again so often, under other names, and returns their folder and number.
func moreRules(tmp string, times int) (dir string, n int, err error) {
	rs, err := signatures.Builtin()
	if err != nil {
		return "", 0, err
	}
	dir = filepath.Join(tmp, "rules")
	for i := range times {
		for j, r := range rs.Rules() {
			name := fmt.Sprintf("%s-x%d", r.Name, i)
			text := strings.Replace(string(r.Source), "name: "+r.Name+"\n", "name: "+name+"\n", 1)
			text = strings.Replace(text, r.ID, fmt.Sprintf("00000000-0000-4000-8%03d-%012d", i, j), 1)
			to := filepath.Join(dir, filepath.Dir(r.Path), name+".yml")
			if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o700), os.WriteFile(to, []byte(text), 0o600)); err != nil {
				return "", 0, err
			}
			n++
		}
	}
	return dir, n, nil
}

func sizeOf(dir string) (size int64) {
	filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				size += info.Size()
			}
		}
		return nil
	})
	return size
}

// nearest is the extension whose size is nearest.
func nearest(folders []string, size int64) (string, error) {
	best, off := "", int64(1)<<62
	for _, dir := range folders {
		d := sizeOf(dir) - size
		if d = max(d, -d); d < off {
			best, off = dir, d
		}
	}
	if best == "" {
		return "", errors.New("the tree holds no extension")
	}
	return best, nil
}

// enlarge copies an extension with so many times its scripts, each copy in a function of its own.
func enlarge(from, to string, times int) (int64, error) {
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return 0, err
	}
	err := filepath.WalkDir(to, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || filepath.Ext(path) != ".js" {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var b bytes.Buffer
		for i := range times {
			fmt.Fprintf(&b, ";(function part%d(){\n%s\n})();\n", i, data)
		}
		return os.WriteFile(path, b.Bytes(), 0o600)
	})
	return sizeOf(to), err
}

// fullVerdicts installs an extension of 2.5 MB again and again, each time with another name so that nothing is known of it,
// and prints how long it takes until its code has been analysed.
func fullVerdicts(program, tmp string, folders []string, n int) error {
	from, err := nearest(folders, 2_500_000)
	if err != nil {
		return err
	}
	home := filepath.Join(tmp, "home", "trader")
	profile := filepath.Join(home, ".config", "google-chrome", "Default")
	extensions := filepath.Join(profile, "Extensions")
	if err := errors.Join(os.MkdirAll(filepath.Join(extensions, "Temp"), 0o700), os.WriteFile(filepath.Join(profile, "Preferences"), []byte("{}"), 0o600)); err != nil {
		return err
	}
	data, err := os.ReadFile(filepath.Join(from, "manifest.json"))
	if err != nil {
		return err
	}
	var manifest map[string]any
	if err := json.Unmarshal(data, &manifest); err != nil {
		return err
	}
	o, err := observe(program, "--home", home)
	if err != nil {
		return err
	}
	defer o.cmd.Process.Kill()
	var first, full []time.Duration
	missed := 0
	for i := range n {
		id := benchID(i)
		staged := filepath.Join(extensions, "Temp", "scoped_dir"+id, "CRX_INSTALL")
		manifest["name"] = fmt.Sprintf("Bench %d", i)
		delete(manifest, "key") // the folder names the ID
		changed, err := json.Marshal(manifest)
		if err != nil {
			return err
		}
		if err := errors.Join(os.CopyFS(staged, os.DirFS(from)), os.WriteFile(filepath.Join(staged, "manifest.json"), changed, 0o600), os.Mkdir(filepath.Join(extensions, id), 0o700)); err != nil {
			return err
		}
		start := time.Now()
		if err := os.Rename(staged, filepath.Join(extensions, id, "1.0_0")); err != nil {
			return err
		}
		f, j, ok := o.judgedSince(id, start)
		if !ok {
			missed++
			continue
		}
		first, full = append(first, f), append(full, j)
		os.RemoveAll(filepath.Join(extensions, id))
	}
	fmt.Printf("installs of one extension of %.1f MB: missed %d\n", float64(sizeOf(from))/1e6, missed)
	printLatencies("rename -> first verdict", first)
	printLatencies("rename -> full verdict", full)
	return nil
}
