package behavior

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/extwatch/extwatch/agent/inventory"
	"github.com/extwatch/extwatch/manifests"
)

func TestZZUnits(t *testing.T) {
	dirs, _ := filepath.Glob(os.Getenv("ZZ"))
	r := inventory.NewReader(inventory.Config{})
	var exts []manifests.Extension
	for _, d := range dirs {
		r.ReadPath(context.Background(), d, func(e manifests.Extension) { exts = append(exts, e) })
	}
	sort.Slice(exts, func(i, j int) bool { return exts[i].Path < exts[j].Path })
	names := []string{"API", "Network", "Secret", "Code", "Message", "Wallet", "Hidden", "Page", "Escapes", "Unicode", "usesAPI"}
	by := map[string]int{}
	n := map[string]int{}
	total := 0
	for i := range exts {
		f, err := exts[i].Open()
		if err != nil {
			continue
		}
		c := newCollector(exts[i].Manifest, f, defaultLimits())
		c.run()
		var perms []string
		for _, p := range exts[i].Manifest.Permissions {
			perms = append(perms, fmt.Sprint(p))
		}
		fmt.Printf("EXT %s perms %v units %d\n", exts[i].Path[max(0, len(exts[i].Path)-50):], perms, len(c.units))
		for _, u := range c.units {
			if u.text == nil {
				continue
			}
			var fs []string
			for k, nm := range names {
				if u.features&(1<<k) != 0 {
					fs = append(fs, nm)
				}
			}
			if len(u.text) > 20000 {
				fmt.Printf("   %8d %-12s %-40s %s\n", len(u.text), u.context, u.file, strings.Join(fs, " "))
			}
			by[string(u.context)] += len(u.text)
			n[string(u.context)]++
			total += len(u.text)
		}
		f.Close()
	}
	fmt.Println("TOTAL", total, by, n)
}

func TestZZOutline(t *testing.T) {
	dirs, _ := filepath.Glob(os.Getenv("ZZ"))
	var all, kept, failed, bad, nilled int
	for _, d := range dirs {
		filepath.Walk(d, func(p string, i os.FileInfo, err error) error {
			if err != nil || !strings.HasSuffix(p, ".js") || i.Size() < outlinedFrom {
				return nil
			}
			b, _ := os.ReadFile(p)
			b = append(b, 0)[:len(b)]
			all += len(b)
			o := outlined(b, false)
			if o == nil {
				s := structure{text: b, prior: ';'}
				if !s.read() {
					failed += len(b)
					if _, _, err := parseOnce(b, false); err == nil {
						fmt.Println("FAILED", p, len(b))
					}
				} else {
					nilled += len(b)
				}
				kept += len(b)
				return nil
			}
			if os.Getenv("CHECK") != "" {
				if _, _, err := parseOnce(o.text, false); err != nil {
					if _, _, err := parseOnce(b, false); err == nil {
						fmt.Println("BAD", p, err)
						bad++
					}
				}
			}
			kept += len(o.text)
			return nil
		})
	}
	fmt.Println("all", all, "kept", kept, "failed", failed, "nothing to cut", nilled, "bad", bad)
}


