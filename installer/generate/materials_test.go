package main

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// self is a Go program with libraries: this test.
func self(t *testing.T) string {
	t.Helper()
	name, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func TestBillOfMaterials(t *testing.T) {
	when := time.Unix(1_700_000_000, 0).UTC()
	var first, second bytes.Buffer
	for _, out := range []*bytes.Buffer{&first, &second} {
		if err := sbom(out, "1.2.3", when, []string{self(t), self(t)}); err != nil {
			t.Fatal(err)
		}
	}
	if first.String() != second.String() {
		t.Error("two calls give different bills")
	}
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(&first, cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	if c := bom.Metadata.Component; c.Name != "extwatch" || c.Version != "1.2.3" || bom.Metadata.Timestamp != "2023-11-14T22:13:20Z" {
		t.Errorf("it is the bill of %s %s, made at %s", c.Name, c.Version, bom.Metadata.Timestamp)
	}
	var urls []string
	for _, c := range *bom.Components {
		urls = append(urls, c.PackageURL)
	}
	if !slices.IsSorted(urls) || len(slices.Compact(slices.Clone(urls))) != len(urls) {
		t.Errorf("not sorted, or twice: %q", urls)
	}
	if !slices.ContainsFunc(urls, func(u string) bool { return strings.HasPrefix(u, "pkg:golang/github.com/spf13/cobra@v1.") }) {
		t.Errorf("no cobra in %q", urls)
	}
	if !slices.Contains(urls, "pkg:golang/stdlib@"+strings.TrimPrefix(runtime.Version(), "go")) {
		t.Errorf("no standard library in %q", urls)
	}
	if deps := (*bom.Dependencies)[0]; deps.Ref != "extwatch" || !slices.Equal(*deps.Dependencies, urls) {
		t.Errorf("dependencies: %+v", deps)
	}
}

func TestBillOfNoProgram(t *testing.T) {
	for name, path := range map[string]string{"a folder": t.TempDir(), "a text": "main.go", "nothing": filepath.Join(t.TempDir(), "x")} {
		if err := sbom(new(bytes.Buffer), "1", time.Now(), []string{self(t), path}); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLicenses(t *testing.T) {
	var out bytes.Buffer
	if err := licenses(&out, []string{self(t)}); err != nil {
		t.Fatal(err)
	}
	list, err := modules(self(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		if !strings.Contains(out.String(), "\n"+m.Path+" "+m.Version+" (") {
			t.Errorf("%s is missing", m.Path)
		}
	}
	if !strings.Contains(out.String(), "Apache License") { // cobra's
		t.Error("the text of a licence is missing")
	}
}

func TestLicenseFile(t *testing.T) {
	for name, want := range map[string]bool{
		"LICENSE": true, "LICENSE.md": true, "licence.txt": true, "COPYING": true, "COPYING.LESSER": true, "NOTICE": true, "LICENSE-MIT": true, "PATENTS": true,
		"license.go": true, "LICENSES": false, "README.md": false, "notices": false,
	} {
		if got := licenseFile.MatchString(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
